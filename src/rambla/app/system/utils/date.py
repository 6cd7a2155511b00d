"""Tell the time, in UTC."""

from datetime import UTC, datetime
from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"date": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"}
