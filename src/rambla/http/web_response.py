"""Which response does a web action's result become?

OpenWhisk's transcoders (core/controller/WebActions.scala), one for each extension. The error of an action that failed
goes through the same one. Whatever an action answers, out comes a response, or OpenWhisk's words for why not. Pure.
"""

from collections.abc import Callable

from starlette.responses import Response

from rambla.domain.activation import Activation
from rambla.domain.errors import BadRequest, NotAcceptable, PropertyMissing, RamblaError
from rambla.domain.media import MediaType
from rambla.domain.web import Extension, WebRequest
from rambla.http.accept import accepts
from rambla.http.call import ACTIVATION_HEADER
from rambla.http.errors import answer_to, error_answer
from rambla.http.web_message import as_http
from rambla.http.web_result import HTML, JSON, SVG, TEXT, Content, fields_of, first_of, invalid, pretty, string_of

NOT_READY = "Response not yet ready."
PROCESSING = "There was an error processing your request."
_BODILESS = frozenset({204, 205, 304})


def respond(ended: Activation | str, request: WebRequest, request_id: str) -> Response:
    """The response to `request`; `ended` as `flow.web.invoke_web` gives it. Never raises."""
    if isinstance(ended, str):
        response, activation_id = error_answer(202, NOT_READY, request_id), ended
    else:
        response, activation_id = _answer(ended, request, request_id), ended.id
    response.headers[ACTIVATION_HEADER] = activation_id
    return response


def _answer(ended: Activation, request: WebRequest, request_id: str) -> Response:
    try:
        content = transcode(ended, request.extension)
        if content.media_type and not accepts(request.headers.get("accept", ""), content.media_type):
            raise NotAcceptable(types=content.media_type)
    except RamblaError as error:
        return answer_to(error, request_id)
    body = b"" if content.status in _BODILESS else content.body
    response = Response(body, content.status, media_type=str(content.media_type) if content.media_type else None)
    for name, value in content.headers:
        response.headers.append(name, value)
    return response


def transcode(ended: Activation, extension: Extension) -> Content:
    """Raises BadRequest, or PropertyMissing, with OpenWhisk's text."""
    if ended.status not in ("success", "application error"):
        raise BadRequest(detail=PROCESSING)
    result: bytes | None = ended.result.strip()
    if ended.status != "success":
        result = first_of(fields_of(ended.result) or {}, "error")
    if result is None:
        raise PropertyMissing()
    return _TRANSCODERS[extension](result)


def _as_json(result: bytes) -> Content:
    if not result.startswith((b"{", b"[")):
        raise invalid(JSON)
    return Content(pretty(result, JSON), JSON)


def _as_html(result: bytes) -> Content:
    return Content(_text_in(result, "html", HTML), HTML)


def _as_svg(result: bytes) -> Content:
    return Content(_text_in(result, "svg", SVG), SVG)


def _text_in(result: bytes, field: str, media_type: MediaType) -> bytes:
    fields = fields_of(result)
    text = string_of(result if fields is None else first_of(fields, "body", field))
    if text is None:
        raise invalid(media_type)
    return text.encode()


def _as_text(result: bytes) -> Content:
    fields = fields_of(result)
    found = result if fields is None else first_of(fields, "body", "text")
    if found is None:
        raise PropertyMissing()
    if found.startswith((b"{", b"[")):
        return Content(pretty(found, TEXT), TEXT)
    text = string_of(found)
    return Content(found if text is None else text.encode(), TEXT)


_TRANSCODERS: dict[Extension, Callable[[bytes], Content]] = {
    "http": as_http,
    "json": _as_json,
    "html": _as_html,
    "svg": _as_svg,
    "text": _as_text,
}
