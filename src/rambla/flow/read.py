"""What does somebody get to see?

Reading is guarded like everything else: decided first, on record, and nothing looked up before. Lists are newest first
and never whole: every one has a `Page`.
"""

from typing import NamedTuple

from msgspec.structs import replace

from rambla.activations.ports import Query
from rambla.catalog.arguments import inherited
from rambla.catalog.bounds import ActionRanges as ActionRanges  # what `action_ranges` gives
from rambla.catalog.bounds import ranges, ranges_in
from rambla.catalog.kinds import KINDS, Kind, by_family
from rambla.catalog.ports import Collection as Collection  # what `entities` takes
from rambla.dispatch.composition import COMPONENTS_MAX
from rambla.domain.access import Target
from rambla.domain.activation import Activation
from rambla.domain.entities import Action, AnyEntity, Namespace, Package, Rule, Trigger
from rambla.domain.errors import NotFound
from rambla.domain.names import FullName
from rambla.flow.guard import guarded, judge
from rambla.flow.platform import Op, Platform
from rambla.flow.resolve import bound, existing, reach, target, target_of

PACKAGE_CONTENTS_MAX = 200
SEQUENCE_LENGTH_MAX = COMPONENTS_MAX
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


async def namespace_limits(platform: Platform, op: Op, name: str) -> tuple[Namespace, ActionRanges]:
    """The namespace with what it may use, and what an action of it may."""
    async with guarded(platform, op, "namespace:read", Target(name, name)):
        namespace = await platform.keys.namespace(name)
        return namespace, ranges_in(namespace, platform.limits)


async def own_namespace(platform: Platform, op: Op) -> str:
    name = op.caller.namespace
    async with guarded(platform, op, "namespace:read", Target(name, name)):
        return name


async def action(platform: Platform, op: Op, name: FullName) -> Action:
    """The action with its package's parameters, and a binding's, under its own."""
    async with guarded(platform, op, "action:read", await target(platform, op, name)):
        found = await reach(platform, op, "action:read", name)
        return replace(found.action, parameters=found.defaults or found.action.parameters)


async def package(platform: Platform, op: Op, name: FullName) -> PackageView:
    """The package with its newest actions, without their code. A binding has its provider's, and shows its provider's
    parameters under its own."""
    async with guarded(platform, op, "package:read", await target(platform, op, name)):
        shown = await existing(platform, name, Package)
        provider = await _provider(platform, op, "package:read", shown)
        if provider is not shown:
            shown = replace(shown, parameters=inherited(provider.parameters, shown.parameters))
        contents = await platform.entities.find(
            "actions", provider.name.namespace, package=provider.name.name, skip=0, limit=PACKAGE_CONTENTS_MAX
        )
        return PackageView(shown, tuple(entity for entity in contents if isinstance(entity, Action)))


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
    permission = f"{collection[:-1]}:list"
    async with guarded(platform, op, permission, await _listed_target(platform, op, namespace, package)):
        if package is not None:
            namespace, package = await _contents_of(platform, op, permission, FullName(namespace, "", package))
        elif namespace != op.caller.namespace:
            return (await _published(platform, collection, namespace))[page.skip : page.skip + page.limit]
        return await platform.entities.find(collection, namespace, package=package, skip=page.skip, limit=page.limit)


async def count_entities(
    platform: Platform, op: Op, collection: Collection, namespace: str, page: Page, *, package: str | None = None
) -> int:
    """How many there are after the skipped ones."""
    permission = f"{collection[:-1]}:list"
    async with guarded(platform, op, permission, await _listed_target(platform, op, namespace, package)):
        if package is not None:
            namespace, package = await _contents_of(platform, op, permission, FullName(namespace, "", package))
        elif namespace != op.caller.namespace:
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


# --- used by `change` too; nothing here is guarded ---


async def rules_of(platform: Platform, trigger: FullName) -> tuple[Rule, ...]:
    return tuple(entity for entity in await platform.entities.rules_of(trigger) if isinstance(entity, Rule))


async def rule_as_seen(platform: Platform, rule: Rule) -> Rule:
    """A rule without a trigger reads inactive, whatever it was."""
    there = isinstance(await platform.entities.get(rule.trigger), Trigger)
    return rule if there else replace(rule, status="inactive")


async def _listed_target(platform: Platform, op: Op, namespace: str, package: str | None) -> Target:
    return await target(platform, op, FullName(namespace, "", package)) if package else Target(namespace, namespace)


async def _contents_of(platform: Platform, op: Op, permission: str, package: FullName) -> tuple[str, str]:
    """Namespace and name of the package whose actions `package` has: its own, or those that it is a binding of."""
    found = await _provider(platform, op, permission, await existing(platform, package, Package))
    return found.name.namespace, found.name.name


async def _provider(platform: Platform, op: Op, permission: str, package: Package) -> Package:
    """`package` itself, or the one that it is a binding of. Raises Refused if that is another's and not shared."""
    if package.binding is None:
        return package
    await judge(platform, op, permission, await target(platform, op, package.binding))
    return await bound(platform, package)


async def _published(platform: Platform, collection: Collection, namespace: str) -> list[AnyEntity]:
    """What of the newest `PUBLISHED_SEARCHED_MAX` others may see."""
    found = await platform.entities.find(collection, namespace, package=None, skip=0, limit=PUBLISHED_SEARCHED_MAX)
    return [entity for entity in found if entity.publish and not (isinstance(entity, Package) and entity.binding)]


def _query(namespace: str, span: Span, page: Page) -> Query:
    return Query(namespace=namespace, skip=page.skip, limit=page.limit, **span._asdict())
