"""What does a document look like with one operation more, or less?

As OpenWhisk's routemgmt (common/apigw-utils.js) writes it, in Swagger 2.0, so that its clients find what they look for.
Pure: a document goes in and another comes out.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from rambla.domain.errors import BadRequest
from rambla.domain.names import DEFAULT_PACKAGE, FullName
from rambla.domain.web import Extension
from rambla.gateway import assembly
from rambla.gateway.api import VERBS
from rambla.gateway.document import operations
from rambla.gateway.settings import EXTENSION
from rambla.gateway.values import Document, mapping, text

_KEPT = (EXTENSION, "security")
"""What an operation has of its own, and keeps when it is led to another action."""


class OperationWish(msgspec.Struct, frozen=True, kw_only=True):
    """`method` as it was given; `backend` is scheme and host in the action's URL; `parameters` describe those of the
    path, None if nothing was said of them."""

    method: str
    path: str
    action: FullName
    backend: str
    extension: Extension = "json"
    parameters: list[Any] | None = None
    secured: bool = False


def new_document(base_path: str, name: str) -> Document:
    return {
        "swagger": "2.0",
        "info": {"title": name or base_path, "version": "1.0.0"},
        "basePath": base_path,
        "paths": {},
        assembly.CONFIGURATION: {"assembly": {}, "cors": {"enabled": True}},
    }


def with_operation(document: Document, wish: OperationWish) -> Document:
    """One that was there under that path and method gives way."""
    verb = wish.method.lower()
    old = mapping(mapping(mapping(document.get("paths")).get(wish.path)).get(verb))
    if old:
        document = without(document, wish.path, verb)
    paths, action, url = mapping(document.get("paths")), wish.action, _url(wish)
    identifier = _free_identifier(document, verb, wish.path)
    new: Document = {
        "operationId": identifier,
        "x-openwhisk": {"url": url, "namespace": action.namespace, "package": action.package, "action": action.name},
        "responses": {"default": {"description": "Default response"}},
        **{name: old[name] for name in _KEPT if name in old},
    }
    if wish.parameters is not None:
        new["parameters"] = [_typed(document, one) for one in wish.parameters]
    changed = {**document, "paths": {**paths, wish.path: {**mapping(paths.get(wish.path)), verb: new}}}
    target = f"{url}{assembly.REQUEST_PATH}" if wish.extension == "http" else url
    return assembly.with_case(changed, identifier, target, secured=wish.secured)


def without(document: Document, path: str, verb: str) -> Document:
    """Without one operation, or with "" as `verb` without all of the path. Raises BadRequest if there is none."""
    paths = mapping(document.get("paths"))
    item = mapping(paths.get(path))
    if not verb and path in paths:
        return _pruned(document, {name: one for name, one in paths.items() if name != path}, item.values())
    if not verb:
        raise BadRequest(detail=f"path '{path}' does not exist in the API")
    if verb not in item:
        raise BadRequest(detail=f"path '{path}' with operation '{verb}' does not exist in the API")
    left = {name: one for name, one in item.items() if name != verb}
    kept = {**paths, path: left}
    if left.keys().isdisjoint(VERBS):
        del kept[path]
    return _pruned(document, kept, [item[verb]])


def operation_id(verb: str, path: str) -> str:
    """Each word of the path with a capital, without what is neither a letter nor a digit, `-` or `_`."""
    words = re.sub(r"[^0-9A-Za-z_-]", " ", path)
    capitals = re.sub(r"[0-9A-Za-z_]\S*", lambda word: word[0][0].upper() + word[0][1:].lower(), words)
    return verb + capitals.replace(" ", "")


def _free_identifier(document: Document, verb: str, path: str) -> str:
    """Of two paths that read alike without their signs, the second gets a number: cases go by this id alone."""
    wanted = operation_id(verb, path)
    others = {text(one.fields.get("operationId")) for one in operations(document)}
    number, identifier = 1, wanted
    while identifier in others:
        number += 1
        identifier = f"{wanted}{number}"
    return identifier


def _pruned(document: Document, paths: Document, gone: Iterable[Any]) -> Document:
    left = {**document, "paths": paths}
    kept = {text(one.fields.get("operationId")) for one in operations(left)}
    identifiers = {text(mapping(one).get("operationId")) for one in gone}
    return assembly.without_cases(left, identifiers - kept)


def _url(wish: OperationWish) -> str:
    action = wish.action
    package = action.package or DEFAULT_PACKAGE
    return f"{wish.backend}/api/v1/web/{action.namespace}/{package}/{action.name}.{wish.extension}"


def _typed(document: Document, parameter: Any) -> Any:
    """OpenAPI 3 has a parameter's type in a schema."""
    if "openapi" not in document or "type" not in mapping(parameter):
        return parameter
    return {**{key: one for key, one in parameter.items() if key != "type"}, "schema": {"type": parameter["type"]}}
