"""How does the table of endpoints read as an OpenAPI 3.1 description?

Pure: everything comes from the rows and from the types of their bodies.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from rambla.http.endpoint import PUBLIC, Endpoint

_PART = re.compile(r"\{(\w+)\}")
_TITLE = {"title": "OpenWhisk REST API, as served by Rambla", "version": "1.0.0"}


def describe(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    rows = tuple(endpoints)
    types = [row.body.type for row in rows if row.body and row.body.type is not bytes]
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": _TITLE,
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "basic"}},
        },
    }


def _operation(row: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": f"Gives {row.gives}.",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _PART.findall(row.path)
        ],
        "responses": {"2XX": {"description": row.gives}, "4XX": {"description": '{"error", "code"}'}},
    }
    if row.permission != PUBLIC:
        operation |= {"security": [{"key": []}], "x-permission": row.permission}
    if row.body:
        operation["requestBody"] = {"content": {"application/json": {"schema": _schema(row.body.type)}}}
    return operation


def _schema(kind: Any) -> dict[str, Any]:
    return {"type": "object"} if kind is bytes else {"$ref": f"#/components/schemas/{kind.__name__}"}
