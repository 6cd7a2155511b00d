"""Who asks, and in which namespace do they act?

What was shown is remembered for a moment by the door. A caller acts in one namespace at a time: the one they ask about,
if it is theirs. A project of a cloud gets a namespace when its first member comes, if the policy lets them open it.
"""

import logging
import re
from collections.abc import Iterator
from functools import partial

import anyio
from msgspec.structs import replace

from rambla.domain.access import Caller, Target
from rambla.domain.errors import BadRequest
from rambla.domain.names import check_new_namespace
from rambla.domain.proofs import Shown as Shown  # what `caller` takes
from rambla.flow.decide import decide
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform
from rambla.flow.tend import new_namespace
from rambla.identity.identities import Identity, Proven
from rambla.identity.ports import Project

OPEN = "project:open"
EXPIRE_EVERY_S = 3600
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_CHARS_MAX = 60
_log = logging.getLogger(__name__)


async def caller(platform: Platform, shown: Shown, namespace: str) -> Caller:
    """Whoever shows that, acting in `namespace` if they may.

    Raises NotAuthenticated, BadCredentials, TooManyAttempts, SourceAway or StorageFailed.
    """
    identity = platform.door.recall(shown)
    if identity is None:
        identity = await platform.door.identify(shown, partial(find_project, platform))
    return identity.acting_in(namespace)


async def identity(platform: Platform, shown: Shown) -> Identity:
    """All that they are. Raises as `caller` does."""
    return platform.door.recall(shown) or await platform.door.identify(shown, partial(find_project, platform))


async def find_project(platform: Platform, proven: Proven, project: Project) -> str | None:
    """The namespace of the project, which is made for it if need be; None if they may not have it made."""
    owner = f"{proven.source}/{project.id}"
    found = await platform.namespaces.by_owner(owner)
    if found is not None:
        return found.name
    op = Op(platform.ids.next(), proven.caller())
    target = Target("", f"{owner} {project.name}")
    if not (await decide(platform, op.caller, OPEN, target)).decision.allowed:
        return None
    async with platform.tending:
        found = await platform.namespaces.by_owner(owner)  # somebody else of the project came first
        if found is not None:
            return found.name
        name = await _free_name(platform, proven.source, project)
        if name is None:
            return None
        async with guarded(platform, op, OPEN, replace(target, namespace=name)):
            namespace = replace(new_namespace(name, platform.clock.now_ms(), platform.limits), owner=owner)
            if platform.objects:
                await platform.objects.open_account(name, namespace.uuid, namespace.secret)
            await platform.namespaces.put(namespace)
        return name


async def _free_name(platform: Platform, source: str, project: Project) -> str | None:
    """One that nobody has or had, and that the source may open; None if there is none."""
    ceiling = platform.door.sources[source].terms.ceiling
    for name in _names(source, project):
        if not ceiling.namespace(name):
            continue
        taken = await platform.namespaces.get(name) is not None or await platform.namespaces.was_deleted(name)
        if not taken and _is_name(name):
            return name
    _log.warning("no namespace for project %s of %s: none of its names is free and allowed", project.id[:64], source)
    return None


def _names(source: str, project: Project) -> Iterator[str]:
    slug = _NO_NAME.sub("-", project.name).strip("-_")[:_NAME_CHARS_MAX] or "project"
    key = _NO_NAME.sub("", project.id)[:64]
    yield from (slug, f"{slug}-{key[:8]}", f"{source}-{slug}", f"{source}-{slug}-{key[:8]}", f"{source}-{key}")


def _is_name(name: str) -> bool:
    try:
        check_new_namespace(name)
    except BadRequest:
        return False
    return True


async def follow_revocations(platform: Platform, every_ms: int) -> None:
    """What another node revoked is forgotten here too."""
    seen = await platform.accounts.changes()
    while True:
        await anyio.sleep(every_ms / 1000)
        changes = await platform.accounts.changes()
        if changes != seen:
            seen = changes
            platform.door.forget()


async def forget_what_is_over(platform: Platform) -> None:
    """Tokens and locks that ended are kept no longer than they must."""
    while True:
        await platform.door.expire()
        await anyio.sleep(EXPIRE_EVERY_S)
