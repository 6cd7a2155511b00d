"""How does the table of endpoints read as an OpenAPI 3.1 description?

Pure: everything comes from the rows, from the types of their bodies and answers, and from the parameters of the query.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from rambla.domain.names import NAME_PATTERN
from rambla.flow.fleet import NAME_PATTERN as HOST_PATTERN
from rambla.http.endpoint import PUBLIC, Endpoint
from rambla.http.query import PARAMETERS
from rambla.http.shapes import Failure

_PART = re.compile(r"\{(\w+)\}")
_TITLE = {"title": "OpenWhisk REST API, as served by Rambla", "version": "1.0.0"}
_REFERENCES = "#/components/schemas/{name}"
_ID = {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}
_NAME = {"type": "string", "pattern": f"^{NAME_PATTERN}$"}
_PARTS: dict[str, dict[str, Any]] = {
    "activation_id": _ID,
    "number": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    "key": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "token": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    "source": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"},
    "user": {"type": "string", "minLength": 1, "maxLength": 255},
    "host": {"type": "string", "pattern": f"^{HOST_PATTERN}$"},
    "service": {"type": "string", "pattern": "^[a-z][a-z0-9_.-]{0,63}$"},
}


def describe(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    rows = tuple(endpoints)
    schemas = _Schemas(rows)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schemas)
    return {
        "openapi": "3.1.0",
        "info": _TITLE,
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"key": {"type": "http", "scheme": "basic"}},
        },
    }


class _Schemas:
    """The JSON Schema of every type that the rows name. A tuple of types is any of them; None, for no JSON, is none."""

    def __init__(self, rows: Iterable[Endpoint]) -> None:
        self._types: list[Any] = [Failure]
        for row in rows:
            for named in (row.gives.type, *row.gives.also.values(), row.body.type if row.body else None):
                self._types += [kind for kind in _alternatives(named) if kind not in self._types]
        schemas, self.components = msgspec.json.schema_components(self._types, ref_template=_REFERENCES)
        self._schemas = list(schemas)

    def of(self, named: Any) -> dict[str, Any]:
        found = [self._schemas[self._types.index(kind)] for kind in _alternatives(named)]
        return found[0] if len(found) == 1 else {"anyOf": found}


def _alternatives(named: Any) -> list[Any]:
    """Any JSON object is handed on as `bytes`, and anything at all as `bytearray`, see `body.py`."""
    kinds = named if isinstance(named, tuple) else (named,)
    return [dict[str, Any] if kind is bytes else kind for kind in kinds if kind not in (None, bytearray)]


def _operation(row: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": f"Gives {row.gives.text}.",
        "parameters": [*_path_parameters(row), *_query_parameters(row)],
        "responses": _responses(row, schemas),
    }
    if row.permission != PUBLIC:
        operation |= {"security": [{"key": []}, *([{}] if row.anonymous else [])], "x-permission": row.permission}
    if row.body:
        anything = row.body.type is bytearray
        operation["requestBody"] = {"content": {"*/*": {}} if anything else _json(schemas.of(row.body.type))}
    return operation


def _path_parameters(row: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PARTS.get(name, _NAME)}
        for name in _PART.findall(row.path)
    ]


def _query_parameters(row: Endpoint) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": PARAMETERS[name]} for name in row.gives.query]


def _responses(row: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    failure = {"description": "what went wrong, and the request's id", "content": _json(schemas.of(Failure))}
    responses: dict[str, Any] = {"4XX": failure, "5XX": failure}
    for status, kind in {row.gives.status: row.gives.type, **row.gives.also}.items():
        responses[str(status)] = {"description": row.gives.text}
        if kind is not None:
            responses[str(status)]["content"] = _json(schemas.of(kind))
    return dict(sorted(responses.items()))


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
