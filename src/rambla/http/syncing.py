"""How does whoever decides elsewhere come by the newest policy over HTTP, and say that it is in force?"""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.responses import Response

from rambla.flow import fleet, sync
from rambla.http import query, shapes
from rambla.http.body import MB
from rambla.http.call import Call, answer, empty

REPORT_BYTES_MAX = MB


class ReportBody(msgspec.Struct, frozen=True):
    host: fleet.Name
    daemons: Annotated[tuple[fleet.Daemon, ...], Meta(max_length=fleet.DAEMONS_MAX)]


async def newest(call: Call[None]) -> Response:
    known = query.integer(call.query, "known")
    wait_ms = query.integer(call.query, "wait_ms")
    said = await sync.newest(call.platform, call.op, known, wait_ms, call.hung_up)
    shape = shapes.Newest(
        number=said.number, hash=said.hash, at_ms=said.at_ms, key=said.key, signature=said.signature.hex()
    )
    return answer(shape)


async def bundle(call: Call[None]) -> Response:
    found = await sync.bundle(call.platform, call.op, call.number)
    shape = shapes.SignedBundle(
        number=found.number,
        at_ms=found.at_ms,
        author=found.author,
        note=found.note,
        hash=found.hash,
        key=found.key,
        signature=found.signature.hex(),
        files=[[file.name, file.text] for file in found.files],
    )
    return answer(shape)


async def report(call: Call[ReportBody]) -> Response:
    await fleet.report(call.platform, call.op, call.body.host, call.body.daemons)
    return empty(204)


async def daemons(call: Call[None]) -> Response:
    number, found = await fleet.fleet(call.platform, call.op)
    return answer(shapes.Fleet(bundle=number, daemons=[_daemon(one) for one in found]))


async def forget(call: Call[None]) -> Response:
    await fleet.forget(call.platform, call.op, call.host)
    return empty(204)


def _daemon(entry: fleet.Entry) -> shapes.FleetDaemon:
    return shapes.FleetDaemon(
        host=entry.host,
        daemon=entry.daemon.daemon,
        service=entry.daemon.service,
        mode=entry.daemon.mode,
        number=entry.daemon.number,
        state=entry.state,
        detail=entry.daemon.detail,
        seen_ms=entry.seen_ms,
        by=entry.by,
    )
