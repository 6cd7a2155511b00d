"""What is remembered of a change, and how is it told to others?

`Intent` is written before the object is touched, `Mark` after it; both are lines of the outbox. `cloud_event` turns
them into an S3 event record (Amazon S3 User Guide, "Event message structure") in a CloudEvents 1.0 envelope, so that
handlers written for S3 run unchanged. Pure: no clock, no I/O.
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, Self
from urllib.parse import quote, quote_plus

Verdict = Literal["done", "void", "ask"]
VERDICTS: tuple[Verdict, ...] = ("done", "void", "ask")
EVENT_VERSION = "2.2"
EVENT_SOURCE = "swift:s3"
EVENT_TYPE_PREFIX = "org.openstack.swift."


@dataclass(frozen=True, slots=True)
class Intent:
    """Somebody is about to change an object. `timestamp` is Swift's own, so a later HEAD can tell whether they did.

    `targets` are the triggers that may have to be told, with the event patterns of each; `look` is the query with which
    to ask Swift for this very object (a symlink, one version).
    """

    number: int
    account: str
    container: str
    name: str
    event: str
    timestamp: str
    targets: tuple[tuple[str, tuple[str, ...]], ...]
    look: str = ""
    user: str = ""
    address: str = ""
    request_id: str = ""

    @property
    def removes(self) -> bool:
        return self.event.startswith(("ObjectRemoved:", "LifecycleExpiration:"))

    def to_record(self) -> dict[str, Any]:
        return {"intent": asdict(self)}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Raises ValueError on what no filter wrote."""
        try:
            fields = dict(record["intent"])
            targets = tuple((str(trigger), tuple(map(str, events))) for trigger, events in fields.pop("targets"))
            intent = cls(targets=targets, **fields)
            Decimal(intent.timestamp)
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            raise ValueError(f"not an intent: {error!r}") from None
        return intent


@dataclass(frozen=True, slots=True)
class Mark:
    """How an intent ended: `done` with these facts, `void` (nothing changed), or `ask` Swift.

    `size` None means that the filter could not know it; `event` is the final name, if it differs from the intent's.
    """

    number: int
    verdict: Verdict
    event: str = ""
    size: int | None = None
    etag: str = ""
    version: str = ""

    def numbered(self, number: int) -> Self:
        """The same for the intent with that number."""
        return replace(self, number=number)

    def to_record(self) -> dict[str, Any]:
        return {"mark": asdict(self)}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Raises ValueError on what no filter wrote."""
        try:
            mark = cls(**record["mark"])
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a mark: {error!r}") from None
        if mark.verdict not in VERDICTS:
            raise ValueError(f"not a verdict: {mark.verdict!r}")
        return mark


def settle(intent: Intent, mark: Mark) -> Intent:
    """The intent with its final event name."""
    return replace(intent, event=mark.event) if mark.event else intent


def event_id(intent: Intent) -> str:
    """Stable across retries and crashes, different for every change: `account/container/object@timestamp:event`."""
    return f"{quote(intent.account)}/{quote(intent.container)}/{quote(intent.name)}@{intent.timestamp}:{intent.event}"


def sequencer(timestamp: str) -> str:
    """Swift's timestamp as hex digits: of two events of one object the later has the greater text, as in S3."""
    whole, _, offset = timestamp.partition("_")
    return f"{int(Decimal(whole) * 100_000):016X}" + (offset.upper() if offset else "")


def event_time(timestamp: str) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(float(timestamp.partition("_")[0]), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def s3_record(intent: Intent, mark: Mark, trigger: str) -> dict[str, Any]:
    """One element of `Records`. `size` and `eTag` are absent for removals, and where nobody can know them any more."""
    facts: dict[str, Any] = {"key": quote_plus(intent.name, safe="/")}
    if mark.size is not None and not intent.removes:
        facts |= {"size": mark.size, "eTag": mark.etag}
    if mark.version:
        facts["versionId"] = mark.version
    return {
        "eventVersion": EVENT_VERSION,
        "eventSource": EVENT_SOURCE,
        "awsRegion": "",
        "eventTime": event_time(intent.timestamp),
        "eventName": intent.event,
        "userIdentity": {"principalId": intent.user},
        "requestParameters": {"sourceIPAddress": intent.address},
        "responseElements": {"x-amz-request-id": intent.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": trigger,
            "bucket": {
                "name": intent.container,
                "ownerIdentity": {"principalId": intent.account},
                "arn": f"arn:aws:s3:::{intent.container}",
            },
            "object": facts | {"sequencer": sequencer(intent.timestamp)},
        },
    }


def cloud_event(intent: Intent, mark: Mark, trigger: str) -> dict[str, Any]:
    """A CloudEvents 1.0 event in JSON. `source` is the container's path in Swift, `subject` the object's key."""
    intent = settle(intent, mark)
    record = s3_record(intent, mark, trigger)
    return {
        "specversion": "1.0",
        "id": event_id(intent),
        "source": f"/v1/{quote(intent.account)}/{quote(intent.container)}",
        "type": EVENT_TYPE_PREFIX + intent.event.replace(":", "."),
        "subject": record["s3"]["object"]["key"],
        "time": record["eventTime"],
        "datacontenttype": "application/json",
        "data": {"Records": [record]},
    }
