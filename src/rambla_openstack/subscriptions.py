"""Which events of a container does somebody want?

The owner of a container sets a JSON document through `POST /v1/A/C?notification`; it is kept in the container's
sysmeta, so it must fit into one header. Event names and filters are those of S3 (Amazon S3 User Guide, "Event
notification types"), without wildcards but the `*` at the end of a group; `ObjectMetadata:Post` is Swift's own. Pure.
"""

import functools
import json
from dataclasses import asdict, dataclass
from typing import Any

BODY_BYTES_MAX = 64 * 1024
STORED_BYTES_MAX = 6 * 1024
SUBSCRIPTIONS_MAX = 32
FILTER_BYTES_MAX = 1024
NAME_CHARS_MAX = 256
EVENTS = (
    "ObjectCreated:Put",
    "ObjectCreated:Post",
    "ObjectCreated:Copy",
    "ObjectCreated:CompleteMultipartUpload",
    "ObjectRemoved:Delete",
    "ObjectRemoved:DeleteMarkerCreated",
    "LifecycleExpiration:Delete",
    "ObjectMetadata:Post",
)
PATTERNS = frozenset(EVENTS) | {f"{event.partition(':')[0]}:*" for event in EVENTS}


@dataclass(frozen=True, slots=True)
class Subscription:
    """Events like `events` (patterns, with `s3:`) of objects named `prefix`...`suffix` go to `trigger`."""

    trigger: str
    events: tuple[str, ...] = ("s3:ObjectCreated:*",)
    prefix: str = ""
    suffix: str = ""

    def wants_name(self, name: str) -> bool:
        """Prefix and suffix may overlap, as in S3."""
        return name.startswith(self.prefix) and name.endswith(self.suffix)

    def wants_event(self, event: str) -> bool:
        return matches(self.events, event)


def matches(patterns: tuple[str, ...], event: str) -> bool:
    """Whether `event` (`ObjectCreated:Put`) is meant by one of `patterns` (`s3:ObjectCreated:*`)."""
    group = f"s3:{event.partition(':')[0]}:*"
    return f"s3:{event}" in patterns or group in patterns


def parse(body: bytes) -> tuple[Subscription, ...]:
    """What a client sent. Raises ValueError with a reason for people."""
    if len(body) > BODY_BYTES_MAX:
        raise ValueError(f"the document is larger than {BODY_BYTES_MAX} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the document is not JSON") from None
    if not isinstance(document, dict) or set(document) != {"subscriptions"}:
        raise ValueError('the document must be {"subscriptions": [...]}')
    found = document["subscriptions"]
    if not isinstance(found, list) or len(found) > SUBSCRIPTIONS_MAX:
        raise ValueError(f"'subscriptions' must be a list of at most {SUBSCRIPTIONS_MAX}")
    subscriptions = tuple(_subscription(item, f"subscriptions[{index}]") for index, item in enumerate(found))
    if len(render(subscriptions)) > STORED_BYTES_MAX:
        raise ValueError(f"the subscriptions need more than {STORED_BYTES_MAX} bytes")
    return subscriptions


def render(subscriptions: tuple[Subscription, ...]) -> str:
    """The document again, short and in ASCII: fit for a header."""
    return json.dumps({"subscriptions": [asdict(item) for item in subscriptions]}, separators=(",", ":"))


@functools.lru_cache(maxsize=4096)
def stored(text: str) -> tuple[Subscription, ...]:
    """What sysmeta holds. Nothing, if it is not ours: only this filter writes there, but an operator may."""
    try:
        return parse(text.encode())
    except ValueError:
        return ()


def _subscription(item: Any, where: str) -> Subscription:
    if not isinstance(item, dict):
        raise ValueError(f"{where} must be an object")
    unknown = set(item) - set(Subscription.__slots__)
    if unknown:
        raise ValueError(f"{where} has unknown fields: {', '.join(sorted(unknown))}")
    prefix, suffix = _filter(item, "prefix", where), _filter(item, "suffix", where)
    return Subscription(_trigger(item.get("trigger"), where), _events(item, where), prefix, suffix)


def _trigger(value: Any, where: str) -> str:
    parts = value.split("/") if isinstance(value, str) else ()
    if len(parts) != 2 or not all(part.isprintable() and 0 < len(part) <= NAME_CHARS_MAX for part in parts):
        raise ValueError(f"{where}.trigger must be 'namespace/name'")
    return str(value)


def _events(item: dict[str, Any], where: str) -> tuple[str, ...]:
    events = item.get("events", ["s3:ObjectCreated:*"])
    if not isinstance(events, list) or not 0 < len(events) <= len(PATTERNS):
        raise ValueError(f"{where}.events must be a list of 1 to {len(PATTERNS)} event names")
    for event in events:
        if not isinstance(event, str) or event.removeprefix("s3:") not in PATTERNS:
            raise ValueError(f"{where}.events: unknown event {event!r}; known are {', '.join(sorted(PATTERNS))}")
    return tuple("s3:" + event.removeprefix("s3:") for event in events)


def _filter(item: dict[str, Any], field: str, where: str) -> str:
    value = item.get(field, "")
    try:
        ok = isinstance(value, str) and len(value.encode()) <= FILTER_BYTES_MAX
    except UnicodeEncodeError:
        ok = False
    if not ok:
        raise ValueError(f"{where}.{field} must be a text of at most {FILTER_BYTES_MAX} bytes")
    return str(value)
