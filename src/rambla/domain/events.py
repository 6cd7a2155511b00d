"""What does an object store tell us when an object comes, changes or goes?

CloudEvents 1.0 (github.com/cloudevents/spec, JSON format) around records of the shape that S3 sends. Only the
attributes that the platform itself acts on are typed here; an action gets the event as it was sent.
"""

from typing import Any
from urllib.parse import unquote_plus

import msgspec

from rambla.domain.errors import BadRequest

ID_CHARS_MAX = 1024


class Bucket(msgspec.Struct, frozen=True):
    name: str


class StoredObject(msgspec.Struct, frozen=True):
    """`key` is URL-encoded, as in S3's records."""

    key: str

    @property
    def name(self) -> str:
        return unquote_plus(self.key)


class S3(msgspec.Struct, frozen=True):
    bucket: Bucket
    object: StoredObject


class S3Record(msgspec.Struct, frozen=True, rename="camel"):
    event_name: str
    s3: S3


class Records(msgspec.Struct, frozen=True):
    records: list[S3Record] = msgspec.field(name="Records")


class CloudEvent(msgspec.Struct, frozen=True):
    id: str
    source: str
    type: str
    specversion: str
    data: Records

    @property
    def record(self) -> S3Record:
        return self.data.records[0]


class Delivery(msgspec.Struct, frozen=True):
    """One event for one trigger (`namespace/name`); `event` is kept as it came."""

    trigger: str
    event: msgspec.Raw


def parse_event(raw: msgspec.Raw) -> CloudEvent:
    """Raises BadRequest on what is no such event."""
    try:
        event = msgspec.json.decode(raw, type=CloudEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(detail=f"not a CloudEvent of an object store: {error}") from error
    if event.specversion != "1.0" or len(event.data.records) != 1 or not 0 < len(event.id) <= ID_CHARS_MAX:
        detail = f"not a CloudEvent 1.0 with an id of at most {ID_CHARS_MAX} characters and exactly one record"
        raise BadRequest(detail=detail)
    if not event.record.s3.object.name:
        raise BadRequest(detail="not an event of an object: its key is empty")
    return event


class _Identified(msgspec.Struct, frozen=True):
    id: str


def id_of(raw: msgspec.Raw) -> str:
    """The id of what may be no such event, so that its sender learns which one it was; "" if it has none."""
    try:
        return msgspec.json.decode(raw, type=_Identified).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


class TriggerSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The annotation `source` of a trigger: whose events it takes, and where its actions may write."""

    type: str
    container: str
    events: tuple[str, ...] = ("s3:ObjectCreated:*",)
    prefix: str = ""
    suffix: str = ""
    target: str = ""


def parse_source(annotation: Any) -> TriggerSource:
    """Raises BadRequest, saying what is wrong with the annotation."""
    try:
        return msgspec.convert(annotation, TriggerSource)
    except msgspec.ValidationError as error:
        raise BadRequest(detail=f"The trigger's annotation 'source' is malformed: {error}") from error
