"""What can a namespace hold: packages, actions, triggers and rules.

The records are the platform's own view; `http/wire.py` renders them as OpenWhisk's JSON. All times are milliseconds
since the epoch, memory and logs are in MiB as OpenWhisk counts them.
"""

import re
from typing import Any, Literal

import msgspec

from rambla.domain.names import FullName

FIRST_VERSION = "0.0.1"
SEQUENCE, BLACKBOX = "sequence", "blackbox"
BUILTIN = "builtin"
"""The kind of what the platform does itself, see `flow/builtins.py`. No user can make one."""
RuleStatus = Literal["active", "inactive"]
_BASE64 = re.compile(r"\A[A-Za-z0-9+/]*={0,2}\Z")  # with the length a multiple of 4; linear: code may be 48 MB


class Parameter(msgspec.Struct, frozen=True):
    """A default argument. `init` ones go to the environment of the action and not into its arguments."""

    key: str
    value: Any = None
    init: bool = False


class ActionLimits(msgspec.Struct, frozen=True):
    timeout_ms: int = 60_000
    memory_mb: int = 256
    logs_mb: int = 10
    concurrency: int = 1


class Exec(msgspec.Struct, frozen=True):
    """What an action runs: `kind` is concrete (`python:3`, never `python:default`); `binary` code is base64 text.

    `image` is a container image's reference, of kind `blackbox` only; `components` are the full names of the actions
    that follow one another, of kind `sequence` only.
    """

    kind: str
    code: str = ""
    binary: bool = False
    main: str | None = None
    image: str = ""
    components: tuple[FullName, ...] = ()


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """`revision` counts the writes of this name, even across its deletion; the store raises it, never the caller."""

    name: FullName
    version: str = FIRST_VERSION
    publish: bool = False
    updated_ms: int = 0
    annotations: dict[str, Any] = {}
    revision: int = 0


class Action(Entity, frozen=True, kw_only=True, tag="action"):
    exec: Exec
    parameters: tuple[Parameter, ...] = ()
    limits: ActionLimits = ActionLimits()


class Package(Entity, frozen=True, kw_only=True, tag="package"):
    """With `binding`, the full name of another package, it holds that one's actions under parameters of its own."""

    parameters: tuple[Parameter, ...] = ()
    binding: FullName | None = None


class Trigger(Entity, frozen=True, kw_only=True, tag="trigger"):
    parameters: tuple[Parameter, ...] = ()


class Rule(Entity, frozen=True, kw_only=True, tag="rule"):
    trigger: FullName
    action: FullName
    status: RuleStatus = "active"


AnyEntity = Action | Package | Trigger | Rule


class Namespace(msgspec.Struct, frozen=True):
    """A tenant: a name, a key (`uuid:secret`) that opens it, and its limits.

    `allowed_kinds` are the kinds that it may write and run, all if there are none. `keeps_activations` is false if no
    record of what it ran is to be found, only who did and for how long. The three maxima are for one action; None is
    what the platform allows. `owner` is the project of a source, `SOURCE/PROJECT-ID`, whose namespace it is, if any.
    """

    name: str
    uuid: str
    secret: str
    created_ms: int
    invocations_per_minute: int
    concurrent_invocations: int
    fires_per_minute: int
    allowed_kinds: tuple[str, ...] = ()
    keeps_activations: bool = True
    timeout_ms_max: int | None = None
    memory_mb_max: int | None = None
    logs_mb_max: int | None = None
    owner: str = ""

    def may_run(self, kind: str) -> bool:
        return not self.allowed_kinds or kind in self.allowed_kinds

    @property
    def key(self) -> str:
        return f"{self.uuid}:{self.secret}"


def is_binary(code: str) -> bool:
    """Whether OpenWhisk (Exec.scala `isBinaryCode`) takes `code` for base64: by its letters alone, so `abcd` is."""
    code = code.strip()
    return len(code) % 4 == 0 and bool(code) and bool(_BASE64.match(code))


def next_version(version: str) -> str:
    """`version` with its patch number raised by one."""
    major, minor, patch = version.split(".")
    return f"{major}.{minor}.{int(patch) + 1}"
