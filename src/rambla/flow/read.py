"""What does somebody get to see?

Reading is guarded like everything else: decided first, on record, and nothing looked up before. Lists are newest first
and never whole: every one has a `Page`.
"""

from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from rambla.activations.ports import Query
from rambla.catalog.arguments import defaults_of
from rambla.catalog.bounds import ActionRanges as ActionRanges  # what `action_ranges` gives
from rambla.catalog.bounds import ranges
from rambla.catalog.kinds import KINDS, Kind, by_family
from rambla.catalog.ports import Collection as Collection  # what `entities` takes
from rambla.domain.access import Target
from rambla.domain.activation import Activation
from rambla.domain.entities import Action, AnyEntity, Namespace, Package, Rule, Trigger
from rambla.domain.errors import NotFound, WrongCollection
from rambla.domain.names import FullName
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform

E = TypeVar("E", Action, Package, Trigger, Rule)
PACKAGE_CONTENTS_MAX = 200
PUBLISHED_SEARCHED_MAX = 1000


class Page(NamedTuple):
    skip: int
    limit: int


class Span(NamedTuple):
    """Which activations: of an action (`[package/]name`), that started from `since_ms` to `upto_ms`, inclusive."""

    name: str | None = None
    since_ms: int | None = None
    upto_ms: int | None = None


class TriggerView(NamedTuple):
    trigger: Trigger
    rules: tuple[Rule, ...]


class PackageView(NamedTuple):
    package: Package
    actions: tuple[Action, ...]


def kinds_offered() -> dict[str, list[Kind]]:
    """The kinds of action by family. Public."""
    return by_family(KINDS)


def action_ranges(platform: Platform) -> ActionRanges:
    """What an action's limits may be. Public."""
    return ranges(platform.limits)


async def namespace_limits(platform: Platform, op: Op, name: str) -> Namespace:
    """The namespace with what it may use."""
    async with guarded(platform, op, "namespace:read", Target(name, name)):
        return await platform.keys.namespace(name)


async def own_namespace(platform: Platform, op: Op) -> str:
    name = op.caller.namespace
    async with guarded(platform, op, "namespace:read", Target(name, name)):
        return name


async def action(platform: Platform, op: Op, name: FullName) -> Action:
    """The action with its package's parameters under its own."""
    async with guarded(platform, op, "action:read", target_of(name)):
        package = await package_of(platform, name)
        found = await existing(platform, name, Action)
        return replace(found, parameters=defaults_of(found, package))


async def package(platform: Platform, op: Op, name: FullName) -> PackageView:
    """The package with its newest actions, without their code."""
    async with guarded(platform, op, "package:read", target_of(name)):
        found = await existing(platform, name, Package)
        contents = await platform.entities.find(
            "actions", name.namespace, package=name.name, skip=0, limit=PACKAGE_CONTENTS_MAX
        )
        return PackageView(found, tuple(entity for entity in contents if isinstance(entity, Action)))


async def trigger(platform: Platform, op: Op, name: FullName) -> TriggerView:
    async with guarded(platform, op, "trigger:read", target_of(name)):
        return TriggerView(await existing(platform, name, Trigger), await rules_of(platform, name))


async def rule(platform: Platform, op: Op, name: FullName) -> Rule:
    async with guarded(platform, op, "rule:read", target_of(name)):
        return await rule_as_seen(platform, await existing(platform, name, Rule))


async def entities(
    platform: Platform, op: Op, collection: Collection, namespace: str, page: Page, *, package: str | None = None
) -> list[AnyEntity]:
    """One page of a collection; with `package`, of what lies in it (NotFound if there is no such package)."""
    async with guarded(platform, op, f"{collection[:-1]}:list", Target(namespace, namespace)):
        await _require_package(platform, namespace, package)
        if namespace != op.caller.namespace:
            return (await _published(platform, collection, namespace))[page.skip : page.skip + page.limit]
        return await platform.entities.find(collection, namespace, package=package, skip=page.skip, limit=page.limit)


async def count_entities(
    platform: Platform, op: Op, collection: Collection, namespace: str, page: Page, *, package: str | None = None
) -> int:
    """How many there are after the skipped ones."""
    async with guarded(platform, op, f"{collection[:-1]}:list", Target(namespace, namespace)):
        await _require_package(platform, namespace, package)
        if namespace != op.caller.namespace:
            return len((await _published(platform, collection, namespace))[page.skip :])
        return max(0, await platform.entities.count(collection, namespace, package=package) - page.skip)


async def activation(platform: Platform, op: Op, namespace: str, activation_id: str) -> Activation:
    """Raises NotFound, also for one that is another namespace's."""
    async with guarded(platform, op, "activation:read", Target(namespace, f"{namespace}/{activation_id}")):
        found = await platform.activations.get(namespace, activation_id)
        if found is None:
            raise NotFound()
        return found


async def activations(
    platform: Platform, op: Op, namespace: str, span: Span, page: Page, *, whole: bool = False
) -> list[Activation]:
    """Summaries, or with `whole` the records: a page of them ends early where it would become too large."""
    async with guarded(platform, op, "activation:list", Target(namespace, namespace)):
        return await platform.activations.find(_query(namespace, span, page), whole=whole)


async def count_activations(platform: Platform, op: Op, namespace: str, span: Span, page: Page) -> int:
    async with guarded(platform, op, "activation:list", Target(namespace, namespace)):
        return await platform.activations.count(_query(namespace, span, page))


# --- used by `change` and `tend` too; nothing here is guarded ---


def target_of(name: FullName) -> Target:
    return Target(name.namespace, str(name))


async def existing(platform: Platform, name: FullName, kind: type[E]) -> E:
    """Raises NotFound, or WrongCollection if something else bears the name."""
    found = await platform.entities.get(name)
    if found is None:
        raise NotFound()
    if not isinstance(found, kind):
        raise WrongCollection()
    return found


async def package_of(platform: Platform, name: FullName) -> Package | None:
    """The package that `name` says it lies in. Raises NotFound if there is none."""
    return await _require_package(platform, name.namespace, name.package or None)


async def rules_of(platform: Platform, trigger: FullName) -> tuple[Rule, ...]:
    return tuple(entity for entity in await platform.entities.rules_of(trigger) if isinstance(entity, Rule))


async def rule_as_seen(platform: Platform, rule: Rule) -> Rule:
    """A rule without a trigger reads inactive, whatever it was."""
    there = isinstance(await platform.entities.get(rule.trigger), Trigger)
    return rule if there else replace(rule, status="inactive")


async def _require_package(platform: Platform, namespace: str, package: str | None) -> Package | None:
    return await existing(platform, FullName(namespace, "", package), Package) if package else None


async def _published(platform: Platform, collection: Collection, namespace: str) -> list[AnyEntity]:
    """What of the newest `PUBLISHED_SEARCHED_MAX` others may see."""
    found = await platform.entities.find(collection, namespace, package=None, skip=0, limit=PUBLISHED_SEARCHED_MAX)
    return [entity for entity in found if entity.publish]


def _query(namespace: str, span: Span, page: Page) -> Query:
    return Query(namespace=namespace, skip=page.skip, limit=page.limit, **span._asdict())
