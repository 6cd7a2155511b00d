"""Greet somebody from somewhere."""

from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    name = args.get("name") or args.get("payload") or "stranger"
    place = args.get("place") or "somewhere"
    return {"payload": f"Hello, {name} from {place}!"}
