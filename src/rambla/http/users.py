"""How are local users kept over HTTP?"""

from msgspec import UNSET
from starlette.responses import Response

from rambla.flow import users
from rambla.http import identity_shapes as shapes
from rambla.http import query
from rambla.http.call import Call, answer, empty
from rambla.http.identity_bodies import PasswordBody, UserBody


async def list_users(call: Call[None]) -> Response:
    page = query.page(call.query, "users")
    found = await users.all_of(call.platform, call.op, call.source, skip=page.skip, limit=page.limit)
    return answer([_user(each) for each in found])


async def create(call: Call[UserBody]) -> Response:
    body = call.body
    wanted = users.NewUser(body.user, body.password, body.groups, body.expires)
    return answer(_user(await users.create(call.platform, call.op, call.source, wanted)))


async def delete(call: Call[None]) -> Response:
    await users.delete(call.platform, call.op, call.source, call.user)
    return empty(204)


async def enable(call: Call[None]) -> Response:
    return answer(_user(await users.enable(call.platform, call.op, call.source, call.user, enabled=True)))


async def disable(call: Call[None]) -> Response:
    return answer(_user(await users.enable(call.platform, call.op, call.source, call.user, enabled=False)))


async def set_password(call: Call[PasswordBody]) -> Response:
    return answer(_user(await users.set_password(call.platform, call.op, call.source, call.user, call.body.password)))


async def enrol(call: Call[None]) -> Response:
    return answer(shapes.SecondFactor(address=await users.enrol(call.platform, call.op, call.source, call.user)))


async def release(call: Call[None]) -> Response:
    await users.release(call.platform, call.op, call.source, call.user)
    return empty(204)


def _user(user: users.LocalUser) -> shapes.User:
    return shapes.User(
        user=user.user,
        groups=list(user.groups),
        disabled=user.disabled,
        second_factor=bool(user.totp),
        changed=user.changed_ms,
        expires=UNSET if user.expires_ms is None else user.expires_ms,
    )
