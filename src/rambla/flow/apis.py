"""What happens when somebody publishes an API, looks at one, or withdraws it?

OpenWhisk's clients invoke the web actions createApi, getApi and deleteApi of `/whisk.system/apimgmt`, which the
platform does itself. Guard, look up, let `gateway` work out the new document, write it at the revision that was read;
of two who change one API at the same time the second works on what the first left. What is refused is the action's
error, with OpenWhisk's words. Visits are in `flow/gateway.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rambla.domain.access import Caller, Target
from rambla.domain.errors import (
    AlreadyExists,
    BadRequest,
    CallerError,
    CircularBinding,
    ConcurrentChange,
    NotFound,
    WrongCollection,
)
from rambla.domain.names import FullName
from rambla.flow.guard import guarded, judge
from rambla.flow.platform import Builtin, Op, Platform
from rambla.flow.resolve import reach, target
from rambla.gateway import edit, management, requests
from rambla.gateway.address import address_of
from rambla.gateway.api import APIS_MAX, Api, normal_path
from rambla.gateway.requests import CreateApi, DeleteApi, GetApi
from rambla.gateway.routes import api_of
from rambla.gateway.values import Document, mapping

TRIES_MAX = 20
_AT_ONCE = 10  # documents read together: each may have a megabyte
_READ_ACTION = "action:read"


@dataclass(frozen=True, slots=True)
class Author:
    """Whose APIs are meant, and by which address their clients reach us."""

    op: Op
    namespace: str
    address: str


Act = Callable[[Platform, Author, Any], Awaitable[Document]]


def _managed(parse: Callable[[Mapping[str, Any], str], Any], act: Act, *, unknown: str, failure: str) -> Builtin:
    """The builtin action that parses, then acts. `unknown` is what nobody is told, `failure` comes before what went
    wrong in acting."""

    async def run(platform: Platform, op: Op, arguments: Document) -> Document:
        namespace = management.author_of(arguments, op.caller.namespace, op.caller.source)
        if not namespace:
            return management.as_failure(arguments, unknown)
        themselves = op.caller.namespace == namespace
        caller = op.caller if themselves else Caller(subject=namespace, namespace=namespace, source="key")
        address = address_of(mapping(arguments.get("__ow_headers")), platform.api_host)
        author = Author(Op(op.id, caller), namespace, address)
        try:
            asked = parse(arguments, namespace)
        except CallerError as error:
            return management.as_failure(arguments, str(error))
        try:
            return management.as_answer(arguments, await act(platform, author, asked))
        except CallerError as error:
            return management.as_failure(arguments, f"{failure}{error}")

    return run


async def _create(platform: Platform, author: Author, asked: CreateApi) -> Document:
    """A whole document replaces the API of its base path; one operation is added to it, or replaced in it."""
    async with guarded(platform, author.op, "api:write", _target(author, asked.base_path)):
        for _ in range(TRIES_MAX):
            old = await _find(platform, author.namespace, asked.base_path)
            new = api_of(_document(old, asked), author.namespace, platform.clock.now_ms())
            await _require_actions(platform, author, asked, new)
            try:
                written = await _write(platform, old, new)
            except (AlreadyExists, ConcurrentChange):
                continue
            return management.shown(written, author.address)
        raise ConcurrentChange()


async def _get(platform: Platform, author: Author, asked: GetApi) -> Document:
    """A page of APIs, which ends early, with one at least, where it would become too large for a result."""
    async with guarded(platform, author.op, "api:read", _target(author, asked.base_path)):
        if asked.base_path.startswith("/"):
            found = await platform.apis.get(author.namespace, normal_path(asked.base_path))
            page = [found] if found and not asked.skip else []
        else:
            page = await _page(platform, author.namespace, asked)
        return {"apis": [management.listed(api, author.address) for api in page]}


async def _delete(platform: Platform, author: Author, asked: DeleteApi) -> Document:
    """An API without operations goes as a whole."""
    async with guarded(platform, author.op, "api:delete", _target(author, asked.base_path)):
        for _ in range(TRIES_MAX):
            old = await _find(platform, author.namespace, asked.base_path)
            if old is None:
                raise BadRequest(detail=f"API '{asked.base_path}' does not exist.")
            left = edit.without(_decoded(old), asked.path, asked.verb) if asked.path else {}
            try:
                if left.get("paths"):
                    await _write(platform, old, api_of(left, author.namespace, platform.clock.now_ms()))
                else:
                    await platform.apis.delete(old.namespace, old.base_path, expected_revision=old.revision)
            except ConcurrentChange:
                continue
            return {}
        raise ConcurrentChange()


MANAGEMENT: Mapping[str, Builtin] = {
    management.CREATE: _managed(
        requests.create_api, _create, unknown="A valid auth key is required.", failure="API creation failure: "
    ),
    management.GET: _managed(
        lambda arguments, _: requests.get_api(arguments), _get, unknown="Invalid authentication.", failure=""
    ),
    management.DELETE: _managed(
        lambda arguments, _: requests.delete_api(arguments),
        _delete,
        unknown="Invalid authentication.",
        failure="API deletion failure: ",
    ),
}


def _target(author: Author, base_path: str) -> Target:
    name = base_path if base_path.startswith("/") else f"/{base_path}"
    return Target(author.namespace, f"{author.namespace}{name}" if base_path else author.namespace)


async def _find(platform: Platform, namespace: str, base_path: str) -> Api | None:
    """By base path, or by name if that has no leading slash; of several of one name the first."""
    if base_path.startswith("/"):
        return await platform.apis.get(namespace, normal_path(base_path))
    found = await platform.apis.find(namespace, name=base_path, skip=0, limit=1)
    return found[0] if found else None


async def _page(platform: Platform, namespace: str, asked: GetApi) -> list[Api]:
    page: list[Api] = []
    bytes_left = platform.limits.result_bytes_max
    while len(page) < asked.limit:
        at_once = min(_AT_ONCE, asked.limit - len(page))
        name = asked.base_path or None
        found = await platform.apis.find(namespace, name=name, skip=asked.skip + len(page), limit=at_once)
        for api in found:
            bytes_left -= len(api.document) + len(msgspec.json.encode(management.listed(_empty(api), "")))
            if page and bytes_left < 0:
                return page
            page.append(api)
        if len(found) < at_once:
            break
    return page


def _document(old: Api | None, asked: CreateApi) -> Document:
    if asked.document is not None:
        return asked.document
    assert asked.operation is not None
    base = _decoded(old) if old else edit.new_document(asked.base_path, asked.name)
    return edit.with_operation(base, asked.operation)


def _decoded(api: Api) -> Document:
    document: Document = msgspec.json.decode(api.document)
    return document


def _empty(api: Api) -> Api:
    return msgspec.structs.replace(api, document=b"{}")


async def _require_actions(platform: Platform, author: Author, asked: CreateApi, new: Api) -> None:
    """An API may lead only to what its author may read, so it tells nobody what others have."""
    if asked.operation is not None:
        await _require_action(platform, author.op, asked.operation.action)
        return
    for name in sorted({route.target.name for route in new.routes}):
        await _require_action(platform, author.op, name)


async def _require_action(platform: Platform, op: Op, name: FullName) -> None:
    await judge(platform, op, _READ_ACTION, await target(platform, op, name))
    try:
        await reach(platform, op, _READ_ACTION, name)
    except (NotFound, WrongCollection, CircularBinding) as error:
        raise BadRequest(detail=f"action /{name} does not exist") from error


async def _write(platform: Platform, old: Api | None, new: Api) -> Api:
    if old is None and await platform.apis.find(new.namespace, name=None, skip=APIS_MAX - 1, limit=1):
        raise BadRequest(detail=f"A namespace may have {APIS_MAX} APIs, and there are so many.")
    return await platform.apis.put(new, expected_revision=old.revision if old else None)
