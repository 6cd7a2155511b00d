"""Keep the first lines."""

from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    count = args.get("num") or 1
    return {"lines": (args.get("lines") or [])[:count], "num": count}
