"""Tell which namespace's key invoked this."""

import os
from typing import Any


def main(args: dict[str, Any]) -> dict[str, Any]:
    return {"namespace": os.environ["__OW_NAMESPACE"]}
