"""Count the words of a text."""

from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    words = str(args.get("payload", "")).split()
    print(f"The message has {len(words)} words")
    return {"count": len(words)}
