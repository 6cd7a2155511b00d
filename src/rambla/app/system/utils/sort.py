"""Sort lines by their text."""

import json
from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    lines = sorted(args.get("lines") or [], key=text_of)
    return {"lines": lines, "length": len(lines)}


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
