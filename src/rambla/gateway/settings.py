"""What does a document ask of the gateway beside leading requests to actions?

Rate limits and API keys, by Rambla's own extension `x-rambla` of the document or of one operation, which goes before;
the rate limit also as OpenWhisk's gateway reads it. What asks for security that the gateway cannot give is refused: it
would stand open while its owner believes it closed. Pure.
"""

from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from rambla.domain.errors import BadRequest
from rambla.gateway.api import KeyCheck, RateLimit
from rambla.gateway.document import operations
from rambla.gateway.keys import PREFIX, digest_of
from rambla.gateway.values import Document, listing, mapping

EXTENSION = "x-rambla"
_UNITS_MS = {"second": 1_000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_OPENWHISKS_LIMITS = ("x-gateway-rate-limit", "x-ibm-rate-limit")
_KEY_CHARS = r"\A[!-~]*\Z"
_HEADER = r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z"
_NO_SECRET = frozenset({"authorization", "host", "content-length", "transfer-encoding", "connection"})
_UNENFORCED = (
    "The document asks for security, and this gateway knows API keys only. Fix: state them in x-rambla.apiKey, or leave"
    " securityDefinitions and security out."
)


class RateLimitWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    requests: Annotated[int, Meta(ge=1, le=1_000_000)]
    unit: Literal["second", "minute", "hour", "day"] = "minute"


class ApiKeyWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys as they are, or as `sha256:` and their digest, which is how they are kept."""

    keys: Annotated[
        tuple[Annotated[str, Meta(min_length=16, max_length=256, pattern=_KEY_CHARS)], ...],
        Meta(min_length=1, max_length=100),
    ]
    header: Annotated[str, Meta(max_length=64, pattern=_HEADER)] = "X-Api-Key"


class OwnExtension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    rate_limit: RateLimitWish | None = None
    api_key: ApiKeyWish | None = None


class OpenWhisksLimit(msgspec.Struct, frozen=True):
    rate: Annotated[int, Meta(ge=1, le=1_000_000)]
    unit: str = "minute"
    units: Annotated[int, Meta(ge=1, le=1_000)] = 1


class Settings(NamedTuple):
    """Of a whole document, or of one operation."""

    rate_limit: RateLimit | None = None
    keys: KeyCheck | None = None


def of_document(document: Document) -> Settings:
    """Raises BadRequest, also if our extension was dropped on the way and with it the keys."""
    if EXTENSION in mapping(document.get("securityDefinitions")) and not _header_of_keys(document):
        raise BadRequest(detail=_UNENFORCED)
    own = of_operation(document)
    return own if own.rate_limit else own._replace(rate_limit=_openwhisks_limit(document))


def of_operation(fields: Document) -> Settings:
    """Raises BadRequest."""
    wish = _wish(fields)
    limit = RateLimit(wish.rate_limit.requests, _UNITS_MS[wish.rate_limit.unit]) if wish.rate_limit else None
    if wish.api_key is None:
        return Settings(limit)
    if wish.api_key.header.lower() in _NO_SECRET:
        raise BadRequest(detail=f"{EXTENSION}.apiKey: no key can come in the header {wish.api_key.header}.")
    return Settings(limit, KeyCheck(wish.api_key.header.lower(), tuple(map(digest_of, wish.api_key.keys))))


def security_of(document: Document) -> bool:
    """Whether it asks for security beside ours, for all operations that do not say otherwise."""
    return bool(document.get("security") or set(mapping(document.get("securityDefinitions"))) - {EXTENSION})


def check_security(fields: Document, *, secured: bool) -> None:
    """Raises BadRequest if an operation without keys asks for security, or if the document does (`secured`)."""
    if fields.get("security", secured):
        raise BadRequest(detail=_UNENFORCED)


def without_keys(document: Document) -> Document:
    """The document with digests for keys, and with a security definition by which other tools know of the keys: one
    that drops our extension does not open the API when the document comes back."""
    hidden = _with_digests(document)
    hidden["paths"] = {
        path: {name: _with_digests(one) if isinstance(one, dict) else one for name, one in item.items()}
        for path, item in mapping(document.get("paths")).items()
    }
    if "openapi" in document:
        return hidden
    definitions = {name: one for name, one in mapping(document.get("securityDefinitions")).items() if name != EXTENSION}
    header = _header_of_keys(document)
    if header:
        definitions[EXTENSION] = {"type": "apiKey", "in": "header", "name": header}
    hidden.pop("securityDefinitions", None)
    return {**hidden, "securityDefinitions": definitions} if definitions else hidden


def _with_digests(fields: Document) -> Document:
    wish = _wish(fields).api_key
    if wish is None:
        return {**fields}
    keys = [f"{PREFIX}{digest_of(key)}" for key in wish.keys]
    return {**fields, EXTENSION: {**fields[EXTENSION], "apiKey": {**fields[EXTENSION]["apiKey"], "keys": keys}}}


def _header_of_keys(document: Document) -> str:
    holders = (document, *(operation.fields for operation in operations(document)))
    wishes = (_wish(holder).api_key for holder in holders)
    return next((wish.header for wish in wishes if wish), "")


def _openwhisks_limit(document: Document) -> RateLimit | None:
    name = next((name for name in _OPENWHISKS_LIMITS if listing(document.get(name))), "")
    if not name:
        return None
    limit = _converted(document[name][0], OpenWhisksLimit, name)
    per_ms = _UNITS_MS.get(limit.unit, _UNITS_MS["minute"]) * limit.units
    return RateLimit(limit.rate, per_ms, whole_api=True)


def _wish(fields: Document) -> OwnExtension:
    return _converted(fields[EXTENSION], OwnExtension, EXTENSION) if EXTENSION in fields else OwnExtension()


def _converted(value: Any, kind: type[Any], name: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise BadRequest(detail=f"{name}: {error}") from error
