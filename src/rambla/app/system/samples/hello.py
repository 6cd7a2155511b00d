"""Say hello into the log."""

from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    print(f"hello {args.get('payload', 'world')}!")
    return {}
