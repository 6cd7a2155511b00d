"""How does a shipper hand over events?

`POST /sources/v1/events` with `{"events": [{"trigger": "ns/name", "event": {CloudEvent}}, …]}`. The answer names what
was accepted and what will never be; any other answer means: send all again later.
"""

from typing import Any

import msgspec

from rambla.domain.errors import BadRequest
from rambla.domain.events import Delivery
from rambla.flow.fire import accept_events
from rambla.flow.platform import Op, Platform

BODY_BYTES_MAX = 16 * 2**20
EVENTS_MAX = 1000


class Deliveries(msgspec.Struct, frozen=True):
    events: list[Delivery] = msgspec.field(default_factory=list)


async def deliver(platform: Platform, op: Op, deliveries: Deliveries) -> dict[str, list[Any]]:
    """Raises BadRequest for more than EVENTS_MAX at once, and what `accept_events` raises."""
    if len(deliveries.events) > EVENTS_MAX:
        raise BadRequest(detail=f"{len(deliveries.events)} events at once; at most {EVENTS_MAX} are taken")
    return await accept_events(platform, op, deliveries.events)
