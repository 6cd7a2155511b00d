"""Join lines into one text."""

import json
from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    lines = args.get("lines") or []
    return {"lines": lines, "payload": "\n".join(map(text_of, lines))}


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
