"""How does whoever decides elsewhere come by the newest policy over HTTP?"""

from starlette.responses import Response

from rambla.flow import sync
from rambla.http import query, shapes
from rambla.http.call import Call, answer


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
        files=[(file.name, file.text) for file in found.files],
    )
    return answer(shape)
