"""How does one log in and out over HTTP, and make tokens?"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET
from starlette.responses import Response

from rambla.domain.access import Caller
from rambla.flow import sessions, tokens
from rambla.http import identity_shapes as shapes
from rambla.http import query
from rambla.http.call import Call, answer, empty
from rambla.http.identity_bodies import LoginBody, ProgramBody, TokenBody, program_of, proof_of, wish_of
from rambla.http.resource import shown_by


async def list_sources(call: Call[None]) -> Response:
    found = sessions.sources(call.platform)
    return answer(
        [shapes.Source(name=a.name, kind=a.kind, methods=list(a.methods), public=dict(a.public)) for a in found]
    )


async def log_in(call: Call[LoginBody]) -> Response:
    body = call.body
    proof = proof_of(body, shown_by(call.request.scope).certificate)
    return answer(_session(await sessions.log_in(call.platform, call.op, body.source, proof, body.namespace)))


async def log_out(call: Call[None]) -> Response:
    await sessions.log_out(call.platform, call.op, shown_by(call.request.scope))
    return empty(204)


async def whoami(call: Call[None]) -> Response:
    return answer(_whoami(await sessions.whoami(call.platform, call.op, shown_by(call.request.scope))))


async def make_token(call: Call[TokenBody]) -> Response:
    shown = shown_by(call.request.scope)
    return answer(_new(*await tokens.make(call.platform, call.op, shown, wish_of(call.body))))


async def make_program(call: Call[ProgramBody]) -> Response:
    body = call.body
    return answer(_new(*await tokens.make_for_program(call.platform, call.op, wish_of(body), program_of(body))))


async def list_tokens(call: Call[None]) -> Response:
    return answer([shapes.Token(**_token(each)) for each in await tokens.own(call.platform, call.op)])


async def list_all_tokens(call: Call[None]) -> Response:
    page = query.page(call.query, "tokens")
    found = await tokens.of_all(call.platform, call.op, skip=page.skip, limit=page.limit)
    return answer([shapes.Token(**_token(each)) for each in found])


async def end_token(call: Call[None]) -> Response:
    await tokens.end(call.platform, call.op, call.token_id)
    return empty(204)


async def end_anybodys_token(call: Call[None]) -> Response:
    await tokens.end_anybodys(call.platform, call.op, call.token_id)
    return empty(204)


async def renew_token(call: Call[None]) -> Response:
    shown = shown_by(call.request.scope)
    return answer(_new(*await tokens.renew(call.platform, call.op, shown, call.token_id)))


def _session(made: sessions.Session) -> shapes.Session:
    caller = made.caller
    return shapes.Session(
        token=made.text,
        id=made.token.id,
        expires=made.token.expires_ms,
        subject=caller.subject,
        person=caller.person,
        source=caller.source,
        method=caller.method,
        trust=caller.trust,
        namespace=caller.namespace,
    )


def _whoami(identity: sessions.Identity) -> shapes.Whoami:
    caller, token = identity.caller, identity.token
    return shapes.Whoami(
        subject=caller.subject,
        person=caller.person,
        source=caller.source,
        method=caller.method,
        trust=caller.trust,
        groups=list(caller.groups),
        namespace=caller.namespace,
        roles=list(caller.roles),
        namespaces=[shapes.Acting(namespace=each.namespace, roles=list(each.roles)) for each in _members(identity)],
        on_behalf_of=caller.on_behalf_of,
        expires=UNSET if identity.valid_ms is None else identity.valid_ms,
        token=token.id if token else UNSET,
        only=list(caller.only) or UNSET,
        good_in=list(caller.namespaces) or UNSET,
    )


def _members(identity: sessions.Identity) -> Iterator[Caller]:
    return (each for each in identity.callers if each.namespace)


def _token(token: tokens.ApiToken) -> dict[str, Any]:
    first = token.callers[0]
    return {
        "id": token.id,
        "account": token.account,
        "kind": token.kind,
        "name": token.name,
        "created": token.created_ms,
        "expires": token.expires_ms,
        "only": list(first.only),
        "good_in": list(first.namespaces),
        "roles": list(first.roles),
    }


def _new(text: str, token: tokens.ApiToken) -> shapes.NewToken:
    return shapes.NewToken(token=text, **_token(token))
