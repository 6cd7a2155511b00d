"""Tell the address of an action, a web action or a trigger of the invoking namespace."""

import os
from typing import Any

EXTENSIONS = (".html", ".http", ".json", ".svg", ".text")


def main(args: dict[str, Any]) -> dict[str, Any]:
    error = wrong(args)
    if error:
        return {"error": error}
    web, path = args.get("web") is True, args.get("path") or ""
    api = f"{os.environ['__OW_API_HOST']}/api/v1"
    namespace = os.environ["__OW_NAMESPACE"]
    collection = "triggers" if args.get("trigger") is True else "actions"
    base = f"{api}/web/{namespace}" if web else f"{api}/namespaces/{namespace}/{collection}"
    if not path:
        return {"url": base}
    if web and "/" not in path:
        path = f"default/{path}"
    return {"url": f"{base}/{path}{args.get('ext') or '' if web else ''}"}


def wrong(args: dict[str, Any]) -> str:
    if args.get("web") is True and args.get("trigger"):
        return "triggers are not allowed for web actions."
    if args.get("web") is True and args.get("ext") and args["ext"] not in EXTENSIONS:
        known = ", ".join(f'"{extension}"' for extension in EXTENSIONS)
        return f"extension for web action must be one of [{known}]."
    if args.get("trigger") and "/" in (args.get("path") or ""):
        return "triggers are not allowed in packages."
    return ""
