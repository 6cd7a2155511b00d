"""How are accounts revoked, blocked and joined over HTTP?"""

from msgspec import UNSET
from starlette.responses import Response

from rambla.flow import accounts
from rambla.http import identity_shapes as shapes
from rambla.http import query
from rambla.http.call import Call, answer, empty
from rambla.http.identity_bodies import PersonBody


async def list_accounts(call: Call[None]) -> Response:
    page = query.page(call.query, "accounts")
    found = await accounts.standings(call.platform, call.op, skip=page.skip, limit=page.limit)
    return answer([_account(each) for each in found])


async def revoke(call: Call[None]) -> Response:
    return answer(_account(await accounts.revoke(call.platform, call.op, call.source, call.user)))


async def block(call: Call[None]) -> Response:
    return answer(_account(await accounts.block(call.platform, call.op, call.source, call.user)))


async def unblock(call: Call[None]) -> Response:
    return answer(_account(await accounts.unblock(call.platform, call.op, call.source, call.user)))


async def unlock(call: Call[None]) -> Response:
    await accounts.unlock(call.platform, call.op, call.source, call.user)
    return empty(204)


async def join(call: Call[PersonBody]) -> Response:
    return answer(_account(await accounts.join(call.platform, call.op, call.source, call.user, call.body.person)))


async def part(call: Call[None]) -> Response:
    return answer(_account(await accounts.join(call.platform, call.op, call.source, call.user, "")))


def _account(standing: accounts.Standing) -> shapes.Account:
    return shapes.Account(
        account=standing.account,
        person=standing.person,
        blocked=standing.blocked,
        revoked=standing.revoked_ms or UNSET,
    )
