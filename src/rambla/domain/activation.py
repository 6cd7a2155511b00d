"""What happened when an action ran or a trigger fired?

`Activation` is the record that is kept; `RunResult` is what an engine reports of one run. Statuses and texts are
OpenWhisk's (core/entity/ActivationResult.scala).
"""

from typing import Any, Literal

import msgspec

Status = Literal["success", "application error", "action developer error", "whisk internal error"]
STATUS_CODES: dict[Status, int] = {
    "success": 0,
    "application error": 1,
    "action developer error": 2,
    "whisk internal error": 3,
}
LINE_BYTES = 160  # of memory that a line of the logs takes beside its text
TEXT_BYTES_MAX = 4  # of memory for one character, if any of a text is not ASCII


class LogLine(msgspec.Struct, frozen=True, array_like=True):
    """One line an action printed; `at_ms` is when the platform read it."""

    at_ms: int
    stream: Literal["stdout", "stderr"]
    text: str


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """`result` is JSON text as bytes (an object or an array), kept unparsed. `duration_ms` counts initialisation too.

    `raw_logs` are lines that are shown as they are: what each rule of a trigger did, as JSON text.
    `billed_mb_ms` is memory times time (MiB x ms) that the sandbox was held for this run: the usage that is charged.
    `parts_ms` is how long the parts of a composition ran together: between them it waited.
    `kept` is false if its namespace keeps none: then it is known to whoever waits for it, and to nobody afterwards.
    """

    id: str
    namespace: str
    name: str
    package: str = ""
    version: str
    subject: str
    start_ms: int
    end_ms: int
    status: Status
    result: bytes = b"{}"
    logs: tuple[LogLine, ...] = ()
    raw_logs: tuple[str, ...] = ()
    annotations: dict[str, Any] = {}
    cause: str | None = None
    is_trigger: bool = False
    billed_mb_ms: int = 0
    parts_ms: int | None = None
    kept: bool = True

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms if self.parts_ms is None else self.parts_ms

    @property
    def path(self) -> str:
        """`[package/]name`: what the `name` filter of a listing compares."""
        return f"{self.package}/{self.name}" if self.package else self.name

    @property
    def output_bytes(self) -> int:
        """About how much memory result and logs take: what users can make large. Never far too little."""
        texts = (*self.raw_logs, *(line.text for line in self.logs))
        return len(self.result) + sum(LINE_BYTES + _text_bytes(text) for text in texts)

    def summary(self) -> "Activation":
        """All but what users can make large: with an empty object for a result, and no logs."""
        return msgspec.structs.replace(self, result=b"{}", logs=(), raw_logs=())

    def written(self) -> "Activation":
        """What the journal gets; of one that is not kept only what usage and audit need."""
        return self if self.kept else self.summary()


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine reports of one run. `init_ms` is None on a warm start. `result` is a JSON object or array."""

    status: Status
    result: bytes
    logs: tuple[LogLine, ...] = ()
    init_ms: int | None = None
    run_ms: int = 0
    timed_out: bool = False


def _text_bytes(text: str) -> int:
    return len(text) * (1 if text.isascii() else TEXT_BYTES_MAX)


def error_result(text: str) -> bytes:
    """The JSON object `{"error": text}`, the shape of every failed result."""
    return msgspec.json.encode({"error": text})
