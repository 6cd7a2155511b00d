"""Put everything into one property."""

from typing import Any

FIELD = "$fieldName"


def main(args: dict[str, Any]) -> dict[str, Any]:
    parent = args.get(FIELD)
    if not isinstance(parent, str):
        return {"error": f"Expected an argument '{FIELD}' of type 'string'."}
    return {parent: {key: value for key, value in args.items() if key != FIELD}}
