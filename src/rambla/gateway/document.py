"""What does a document say, and may the gateway take it?

A document is any JSON that somebody sent: each look into it expects another type than the specification has. Checks
and texts are OpenWhisk's (routemgmt and apigateway); what is Rambla's own is bounds. References are followed where a
parameter is named by one, and nowhere else. Pure.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from rambla.domain.errors import BadRequest, MalformedContent
from rambla.domain.json_text import decode
from rambla.gateway import assembly
from rambla.gateway.api import VERBS
from rambla.gateway.router import SEGMENTS_MAX, is_parameter, segments_of
from rambla.gateway.values import Document, listing, mapping, text

PATH_BYTES_MAX = 256
REFERENCES_MAX = 8
REFERENCE_CHARS_MAX = 1024
_NO_OPERATIONS = frozenset({"parameters", "summary", "description", "servers"})
_ILLEGAL = re.compile(r"[\x00-\x1f\x7f'?#]")
_SERVER = re.compile(r"(?:[a-z][a-z0-9+.-]{0,32}:)?(?://[^/?#]*)?(/[^?#]*)?(?:[?#].*)?", re.IGNORECASE | re.DOTALL)


class Operation(NamedTuple):
    """`verb` is lower-case; `item` is what the operation lies in."""

    path: str
    verb: str
    item: Document
    fields: Document


def opened(value: Any, what: str) -> Document:
    """A document that came as an object or as JSON text. Raises BadRequest."""
    if isinstance(value, str):
        try:
            value = decode(value.encode(), Any)
        except MalformedContent as error:
            raise BadRequest(detail=f"{what} field cannot be parsed. Ensure it is valid JSON.") from error
        return mapping(value)
    if isinstance(value, dict | list):
        return mapping(value)
    kind = "boolean" if isinstance(value, bool) else "number"
    of_type = "of type " if what == "apidoc" else ""
    either = "a JSON object" if what == "apidoc" else "an object"
    raise BadRequest(detail=f"{what} field is {of_type}{kind} and should be {either} or a JSON string.")


def imported(value: Any) -> Document:
    """A whole document as somebody sent it; one of OpenAPI 3 gets its `basePath` from its first server."""
    document = opened(value, "swagger")
    if "openapi" in document and not document.get("basePath"):
        server = _SERVER.fullmatch(text(mapping(next(iter(listing(document.get("servers"))), None)).get("url")))
        document = {**document, "basePath": (server and server[1]) or "/"}
    for field in ("basePath", "paths", "info"):
        if not document.get(field):
            raise BadRequest(detail=f"swagger is missing the {field} field.")
    return document


def operations(document: Document) -> Iterator[Operation]:
    for path, item in mapping(document.get("paths")).items():
        for verb, fields in mapping(item).items():
            if verb in VERBS:
                yield Operation(path, verb, item, mapping(fields))


def check(document: Document) -> None:
    """Raises BadRequest with OpenWhisk's text for what the gateway cannot take."""
    base_path, paths = document.get("basePath"), document.get("paths")
    if not isinstance(base_path, str) or not isinstance(paths, dict):
        raise BadRequest(detail="swagger is missing the basePath field.")
    if any(map(is_parameter, segments_of(base_path))):
        only = "Only the relative path supports path parameters."
        raise BadRequest(detail=f"The base path ({base_path}) cannot have parameters. {only}")
    _check_parameters(document)
    _check_path(base_path, "basePath")
    if not paths:
        raise refused("Empty resources object.")
    for path, item in paths.items():
        _check_path(path, "resource path")
        _check_item(path, item)


def refused(reason: str) -> BadRequest:
    """What OpenWhisk's gateway says is told by its management in this form, which clients show."""
    return BadRequest(detail=f"Unable to configure the API Gateway (status code 400): Error: {reason}")


def _check_path(path: str, what: str) -> None:
    if not path.startswith("/"):
        raise refused(f"{what[0].upper()}{what[1:]} must begin with '/'.")
    illegal = _ILLEGAL.search(path)
    if illegal:
        raise refused(f"{what} contains illegal character {illegal[0]!a}.")
    segments = segments_of(path)
    if len(path.encode()) > PATH_BYTES_MAX or len(segments) > SEGMENTS_MAX:
        raise refused(f"{what} is longer than {PATH_BYTES_MAX} bytes or {SEGMENTS_MAX} segments.")
    for segment in segments:
        if ("{" in segment or "}" in segment) and not is_parameter(segment):
            raise refused(f"{what} has '{segment}', where a parameter has to be all between two slashes.")


def _check_item(path: str, item: Any) -> None:
    fields = [name for name in mapping(item) if name not in _NO_OPERATIONS and not name.startswith("x-")]
    if not fields:
        raise refused("Missing or empty field 'operations' or in resource path object.")
    for field in fields:
        if field not in VERBS:
            raise refused(f"Resource verb '{field}' not supported.")
        if not isinstance(item[field], dict):
            raise refused(f"the operation '{field}' of '{path}' is no object.")


def _check_parameters(document: Document) -> None:
    """Who names a parameter in a path has to describe it, and let the action have the path."""
    targets = assembly.read(document).targets
    for operation in operations(document):
        named = [segment[1:-1] for segment in segments_of(operation.path) if is_parameter(segment)]
        if not named:
            continue
        url = text(mapping(operation.fields.get("x-openwhisk")).get("url"))
        if url and not url.endswith(".http"):
            raise BadRequest(
                detail="The action must use a response type of '.http' in order to receive the path parameters."
            )
        identifier = text(operation.fields.get("operationId"))
        if identifier in targets and not targets[identifier].url.endswith(f".http{assembly.REQUEST_PATH}"):
            raise BadRequest(
                detail=f"The target-url for operationId '{identifier}' must end in '{assembly.REQUEST_PATH}' "
                "in order for actions to receive the path parameters."
            )
        described = set(_described(document, operation))
        for name in named:
            if name not in described:
                raise BadRequest(
                    detail=f"The parameter '{name}' defined in path '{operation.path}' does not match any of the "
                    "parameters defined for the path in the swagger file."
                )


def _described(document: Document, operation: Operation) -> Iterator[str]:
    for holder in (operation.item, operation.fields):
        for parameter in listing(holder.get("parameters")):
            yield text(_followed(document, parameter).get("name"))


def _followed(document: Document, value: Any) -> Document:
    """What a local reference (RFC 6901) leads to; nothing if it leads nowhere, or round in a circle."""
    for _ in range(REFERENCES_MAX):
        reference = text(mapping(value).get("$ref"))
        if not reference:
            return mapping(value)
        local = reference.startswith("#/") and len(reference) <= REFERENCE_CHARS_MAX
        value = document if local else None
        for part in reference.removeprefix("#/").split("/") if local else ():
            value = mapping(value).get(part.replace("~1", "/").replace("~0", "~"))
    return {}
