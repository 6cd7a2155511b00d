"""Which answer does an error get?

The only place where errors become statuses and bodies. Bodies are OpenWhisk's: `{"error": text, "code": request id}`;
its clients take an answer without both for a broken connection. A refusal names the rule that decided. What went wrong
inside the platform is logged whole and told to nobody outside.
"""

import logging

import msgspec
from starlette.responses import Response

from rambla.domain import errors

log = logging.getLogger(__name__)
STATUSES: dict[type[errors.RamblaError], int] = {
    errors.BadRequest: 400,
    errors.CallerError: 400,
    errors.NotAuthenticated: 401,
    errors.ApiKeyRequired: 401,
    errors.Refused: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.CircularBinding: 422,
    errors.Throttled: 429,
    errors.TooManyAttempts: 429,
    errors.HeadersTooLarge: 431,
    errors.WorldError: 503,
    errors.RamblaError: 500,
}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="OpenWhisk secure realm"'}
_KEY_CHALLENGE = {"WWW-Authenticate": 'ApiKey realm="API"'}  # no scheme that a browser would ask its user about
_INTERNAL = "There was an internal server error."


def answer_to(error: Exception, request_id: str) -> Response:
    """The response that tells the caller what went wrong, and no more than is theirs to know."""
    if not isinstance(error, errors.RamblaError):
        log.error("request %s failed", request_id, exc_info=error)
        return error_answer(500, _INTERNAL, request_id)
    status = status_of(error)
    if error.fault != "caller":
        log.error("request %s: %s", request_id, error)
    text = str(errors.Unavailable() if isinstance(error, errors.StorageFailed) else error)
    response = error_answer(status, text, request_id, **_rule_of(error))
    response.headers.update(_headers_of(error))
    return response


def status_of(error: errors.RamblaError) -> int:
    """That of the nearest class in STATUSES."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def error_answer(status: int, text: str, request_id: str, **more: object) -> Response:
    """The body that OpenWhisk's clients look for in whatever is no success."""
    body = msgspec.json.encode({"error": text, "code": request_id, **more})
    return Response(body, status, media_type="application/json")


def _rule_of(error: errors.RamblaError) -> dict[str, object]:
    """Which rule refused, in which layer, and the line in its file (0: it is written nowhere); or which enforcer gave
    no answer, and why."""
    if not isinstance(error, errors.Refused):
        return {}
    return {name: error.facts[name] for name in ("rule", "layer", "line", "reason") if name in error.facts}


def _headers_of(error: errors.RamblaError) -> dict[str, str]:
    if isinstance(error, errors.NotAuthenticated):
        return _CHALLENGE
    if isinstance(error, errors.ApiKeyRequired):
        return _KEY_CHALLENGE
    if isinstance(error, errors.RateLimited | errors.TooManyAttempts):
        return {"Retry-After": str(error.facts["retry_after_s"])}
    if isinstance(error, errors.MethodNotAllowed):
        return {"Allow": str(error.facts["methods"])}
    return {}
