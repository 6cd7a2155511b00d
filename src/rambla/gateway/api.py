"""What is an API, as the gateway keeps it?

The document as its owner wrote it, and what it means: the routes. A route's target is a web action; another kind of
target is another tagged record beside `ActionTarget`.
"""

import hashlib
from typing import Literal, get_args

import msgspec

from rambla.domain.names import FullName
from rambla.domain.web import Extension

Verb = Literal["get", "post", "put", "delete", "patch", "head", "options"]
VERBS: tuple[Verb, ...] = get_args(Verb)
ROUTES_MAX = 10_000  # of one API
APIS_MAX = 1_000  # of one namespace
DOCUMENT_BYTES_MAX = 1_000_000


class ActionTarget(msgspec.Struct, frozen=True, tag="action"):
    """A web action, answering by `extension`. With `tells_path` it is told the whole path below the namespace's id.
    With `secured` it is sent the secret that its annotation `require-whisk-auth` asks for. With `method` it is asked
    by that one, whatever the visitor's was."""

    name: FullName
    extension: Extension = "http"
    tells_path: bool = False
    secured: bool = False
    method: str = ""


class RateLimit(msgspec.Struct, frozen=True):
    """So many `requests` in `per_ms`, of each API key where keys are asked for. `whole_api`: all routes together."""

    requests: int
    per_ms: int
    whole_api: bool = False


class KeyCheck(msgspec.Struct, frozen=True):
    """One of the keys with these SHA-256 digests (hex) has to come in `header`, whose name is lower-case."""

    header: str
    digests: tuple[str, ...]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """`method` is upper-case; `path` is a template below the API's base path: a segment `{name}` takes any text. Its
    own `rate_limit` and `keys` go before the API's."""

    method: str
    path: str
    target: ActionTarget
    rate_limit: RateLimit | None = None
    keys: KeyCheck | None = None


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """`base_path` has a leading and no trailing slash, or is "/"; it names the API within its namespace.

    `document` is JSON, Swagger 2.0 or OpenAPI 3, or empty where only the routes are needed. `cors` says whether scripts
    of other origins may read its answers; None leaves that to each action. `revision` is new with every write and never
    comes again; the store makes it.
    """

    namespace: str
    base_path: str
    name: str
    document: bytes
    routes: tuple[Route, ...]
    cors: bool | None = None
    rate_limit: RateLimit | None = None
    keys: KeyCheck | None = None
    updated_ms: int = 0
    revision: int = 0


def gateway_id(namespace: str) -> str:
    """Under which the namespace's APIs are visited: always the same, and of no use as a key."""
    return hashlib.sha256(f"rambla gateway of {namespace}".encode()).hexdigest()[:32]


def normal_path(base_path: str) -> str:
    """As `Api.base_path` has it."""
    return base_path.removesuffix("/") or "/"
