"""What is written to the journal?

Every record is one of these, as msgpack with a `t` tag. Fields are only ever added, with defaults: a journal written by
an older Rambla must stay readable. An `Intent` is durable before its effect begins; an `Outcome` follows it.
"""

from typing import Literal

import msgspec

from rambla.domain.access import USUAL_TRUST, Caller, Target
from rambla.domain.activation import Activation
from rambla.domain.names import FullName

Replay = Literal["never", "unless_started", "always"]


class ObjectAccess(msgspec.Struct, frozen=True):
    """The objects that an event's activation may reach: one to read, and a container to write to ("" for none)."""

    namespace: str
    container: str
    name: str
    target: str


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """An activation that an intent promises. It ends with an Outcome that carries its record, even across a crash.

    `replay` says what a restart does if there is no outcome: a blocking call's client is gone (`never`: it is recorded
    as failed), a direct invoke runs again only if it had not started, an event's work always runs again. `payload` is
    the JSON object of arguments as the caller gave it, "" where it is not needed again. `namespace` is the invoker's.
    `cause` is the activation, of a sequence or a conductor, that this one is a part of. `kept` as in `Activation`.
    """

    activation_id: str
    action: FullName
    replay: Replay
    namespace: str
    payload: bytes = b""
    access: ObjectAccess | None = None
    cause: str | None = None
    kept: bool = True


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """What the policy was told, so that it can be asked again: who asked, and what of the target no name tells.

    It may be somebody else than who acts: a visitor of a web action is judged, and its owner then runs it. Names are
    those of `Caller` and `Target`.
    """

    subject: str
    namespace: str
    source: str
    roles: tuple[str, ...] = ()
    shared: bool = False
    exported: bool = False
    trust: int = USUAL_TRUST
    method: str = ""
    groups: tuple[str, ...] = ()
    person: str = ""
    on_behalf_of: str = ""
    only: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    @classmethod
    def of(cls, caller: Caller, target: Target) -> "Asked":
        return cls(
            caller.subject,
            caller.namespace,
            caller.source,
            caller.roles,
            target.shared,
            target.exported,
            caller.trust,
            caller.method,
            caller.groups,
            caller.person,
            caller.on_behalf_of,
            caller.only,
            caller.namespaces,
        )

    @property
    def caller(self) -> Caller:
        return Caller(**{name: getattr(self, name) for name in Caller.__struct_fields__})


class Intent(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="intent"):
    """Somebody is about to do something, and may (`allowed`) or may not. There is one Outcome for each that may.

    `event_id` is set when an outside event caused this; it is accepted once however often it is delivered. `rule`
    decided, in the policy of that `bundle` (0: none was published yet), which was told what `asked` says.
    """

    id: str
    at_ms: int
    subject: str
    source: str
    permission: str
    namespace: str
    target: str
    allowed: bool
    rule: str
    activation_id: str | None = None
    event_id: str | None = None
    work: Work | None = None
    bundle: int = 0
    asked: Asked | None = None


class Started(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="started"):
    """The code of a direct invoke is about to begin: see Work.replay."""

    activation_id: str
    at_ms: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="outcome"):
    """What came of an intent. `status` is "ok" or the code of an error; `activation` is there if something ran."""

    intent_id: str
    at_ms: int
    status: str
    activation: Activation | None = None


Record = Intent | Started | Outcome

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode_record(record: Record) -> bytes:
    return _encoder.encode(record)


def decode_record(payload: bytes) -> Record:
    """Raises msgspec.DecodeError or msgspec.ValidationError on bytes that no Rambla wrote."""
    record: Record = _decoder.decode(payload)
    return record
