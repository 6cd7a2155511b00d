"""What must an engine be able to do?

An `Engine` starts blank sandboxes; a `Sandbox` is made one action's by `init` and then runs it, one activation at a
time. A sandbox never changes its action, so it never serves two tenants. Everything in a sandbox is hostile: what it
sends is bounded and checked by the driver, and nothing it does may raise anything but what is stated here.
"""

from typing import Literal, Protocol

import msgspec

from rambla.domain.activation import RunResult

Level = Literal["none", "limited", "restricted", "sandboxed"]
"""Weakest first. `limited`: resource limits; `restricted`: landlock and seccomp too; `sandboxed`: namespaces too."""
LEVELS: tuple[Level, ...] = ("none", "limited", "restricted", "sandboxed")


class Grant(msgspec.Struct, frozen=True):
    """One address that a run may reach: `method`, and `path` with its query, exactly or (`prefix`) as a beginning.

    With `prefix`, whatever follows the path is a single object's name and `query` must still be equal.
    """

    method: Literal["GET", "HEAD", "PUT"]
    path: str
    query: str
    prefix: bool = False


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What `init` loads. `kind` is concrete; `code` is text, or base64 of a zip if `binary`; `main` may be ""."""

    kind: str
    name: str
    main: str
    code: str
    binary: bool
    env: dict[str, str] = {}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One activation. `payload` is a JSON object, `context` becomes `__OW_*` variables.

    `grants` are the only addresses that may be reached, by plain HTTP at the sandbox's own `objects_address`.
    """

    activation_id: str
    payload: bytes
    context: dict[str, str]
    timeout_ms: int
    log_bytes_max: int
    result_bytes_max: int
    grants: tuple[Grant, ...] = ()


class Health(msgspec.Struct, frozen=True):
    """`level` is in force now; `parts` says of each mechanism and runtime whether it works, or why not and the fix."""

    level: Level
    parts: dict[str, str]
    runtimes: tuple[str, ...]
    sandboxes: int


class Sandbox(Protocol):
    """A place where one action runs. Not for concurrent use: the caller awaits each call before the next."""

    @property
    def alive(self) -> bool:
        """False once it ended for whatever reason; then it only wants `close`."""
        ...

    async def init(self, program: Program, run: Run) -> RunResult | None:
        """Load `program` within `run.timeout_ms`. None on success, else why not, in OpenWhisk's words.

        Called once, before the first `run`; `run` tells the environment and limits of the activation that it is for.
        """
        ...

    async def run(self, run: Run) -> RunResult:
        """Run one activation and report it, whatever the code does: crash, endless loop, endless output, memory bomb.

        Never raises for what the code did. After a timeout, a crash or a cancelled wait `alive` is False. Logs and
        result are within the limits that `run` states, with OpenWhisk's texts where something was cut.
        """
        ...

    async def close(self) -> None:
        """End it and everything in it now. Idempotent; returns when no process of it is left."""
        ...


class Engine(Protocol):
    objects_address: str
    """`http://HOST:PORT` as seen from inside a sandbox, where its grants are served."""

    async def start(self, kind: str, memory_mb: int, *, grants: bool) -> Sandbox:
        """A blank sandbox for `kind` with at most `memory_mb` MiB; with `grants`, one that can be given addresses.

        Several starts may run at once. Raises EngineFailed with a reason a person can act on.
        """
        ...

    def health(self) -> Health: ...

    async def close(self) -> None:
        """End every sandbox, and start none any more. Idempotent."""
        ...
