"""Split a text into lines, or wherever the separator stands."""

from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    payload, separator = args.get("payload"), args.get("separator")
    if payload is None:
        return {"error": "Expected an argument 'payload'."}
    text = str(payload)
    lines = text.split(separator) if separator else text.replace("\r\n", "\n").split("\n")
    return {"lines": lines, "payload": payload}
