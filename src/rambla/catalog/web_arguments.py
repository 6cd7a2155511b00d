"""Which arguments does a web action get?

OpenWhisk's (core/controller/WebActions.scala): `__ow_method`, `__ow_headers` and `__ow_path`, `__ow_user` if the
visitor is known, then the query's, then the body's if it is a JSON object or a form; any other body as `__ow_body`, in
base64 if it is no text. With `raw-http` the query and the body are handed over as they came. Pure.
"""

import base64
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from rambla.catalog.arguments import RESERVED, merge, parse_object
from rambla.domain.entities import Parameter
from rambla.domain.errors import BadRequest, MalformedContent
from rambla.domain.json_text import decode
from rambla.domain.media import FORM, JSON, MediaType, parse_media_type
from rambla.domain.web import WebRequest

FIELDS_MAX = 10_000
METHOD, HEADERS, PATH, USER, QUERY, BODY = (
    f"__ow_{name}" for name in ("method", "headers", "path", "user", "query", "body")
)
_OURS = frozenset({METHOD, HEADERS, PATH, USER, QUERY, BODY})
_BINARY = MediaType("application", "octet-stream")  # what is sent without saying what it is


def web_arguments(request: WebRequest, defaults: tuple[Parameter, ...], *, raw: bool, final: bool) -> bytes:
    """The action's arguments as a JSON object, over its defaults.

    Raises BadRequest if the query or the body names one of ours or a final default, MalformedContent or TooLarge.
    """
    media_type = parse_media_type(request.headers.get("content-type", "")) or _BINARY
    if raw:
        given: dict[str, Any] = {QUERY: request.query, BODY: _opaque(request.body, media_type, raw=True)}
        return merge(defaults, msgspec.json.encode(_about(request) | given))
    fields, opaque = _body(request.body, media_type)
    given = _fields(request.query) | fields
    if not _OURS.isdisjoint(given):
        raise BadRequest(detail=RESERVED)
    return merge(defaults, msgspec.json.encode(given | opaque | _about(request)), final=final)


def _about(request: WebRequest) -> dict[str, Any]:
    about: dict[str, Any] = {METHOD: request.method.lower(), HEADERS: request.headers, PATH: request.path}
    return about | {USER: request.user} if request.user else about


def _body(body: bytes, media_type: MediaType) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of the body; or, if it has none, the one argument that holds it whole."""
    if not body:
        return {}, {}
    if media_type.is_json:
        decode(body, Any)
        return (parse_object(body), {}) if body.lstrip().startswith(b"{") else ({}, {BODY: msgspec.Raw(body)})
    if media_type.essence == FORM:
        return _fields(body.decode(errors="replace")), {}
    return {}, {BODY: _opaque(body, media_type, raw=False)}


def _opaque(body: bytes, media_type: MediaType, *, raw: bool) -> str:
    """As text or in base64, which OpenWhisk takes for `application/json` too where it does not look into it."""
    if not body:
        return ""
    if media_type.is_text and not (raw and media_type.essence == JSON):
        return body.decode(errors="replace")
    return base64.b64encode(body).decode()


def _fields(encoded: str) -> dict[str, Any]:
    """Of names that come twice, the last counts."""
    try:
        return dict(parse_qsl(encoded, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError as error:
        raise MalformedContent(detail=f"more than {FIELDS_MAX} fields") from error
