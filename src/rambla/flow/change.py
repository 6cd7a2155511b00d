"""What happens when somebody creates, changes or deletes an entity?

Guard, look up, let `catalog` work out the new entity, check it, write it at the revision that was read. Of two changes
at the same time one is told ConcurrentChange and nothing of it is kept. Nothing is looked up before the decision, so
whoever may not, learns nothing.
"""

from typing import TypeVar

from msgspec.structs import replace

from rambla.catalog import merge
from rambla.catalog.bounds import check_limits, check_sizes, ranges_in
from rambla.dispatch.composition import COMPONENTS_MAX, SEQUENCE_TOO_LONG
from rambla.domain.changes import ActionChange, PackageChange, RuleChange, TriggerChange
from rambla.domain.entities import SEQUENCE, Action, AnyEntity, Package, Rule, RuleStatus, Trigger
from rambla.domain.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    NotFound,
    NoTrigger,
    PackageNotEmpty,
    RamblaError,
    WrongCollection,
)
from rambla.domain.names import FullName
from rambla.flow import watch
from rambla.flow.entitle import check_kind
from rambla.flow.guard import guarded
from rambla.flow.platform import Op, Platform
from rambla.flow.read import TriggerView, rules_of
from rambla.flow.resolve import existing, judge_components, package_name, reach, target, target_of

E = TypeVar("E", Action, Package, Trigger, Rule)
_CONTENTS_AT_ONCE = 200
RULES_MAX = 32  # of one trigger: a fire is written with all of them at once


async def put_action(platform: Platform, op: Op, name: FullName, change: ActionChange, *, overwrite: bool) -> Action:
    """The action as written. Raises AlreadyExists without `overwrite`, NotFound if its package is missing, and
    BadRequest, MalformedContent or TooLarge for what it asks."""
    async with guarded(platform, op, "action:write", target_of(name)):
        await _changeable(platform, name)
        old = await _replaceable(platform, name, Action, overwrite)
        new = merge.action(name, old, change, platform.clock.now_ms())
        namespace = await platform.keys.namespace(name.namespace)
        check_limits(new.limits, ranges_in(namespace, platform.limits))
        if change.exec is not None:
            check_kind(namespace, new.exec.kind)
        if change.exec is not None and new.exec.kind == SEQUENCE:
            await _require_components(platform, op, new)
        written = await _write(platform, old, new)
        platform.dispatcher.retire(name.namespace, str(name))
        return written


async def delete_action(platform: Platform, op: Op, name: FullName) -> Action:
    """The action that was. Its rules stay, and fire nothing."""
    async with guarded(platform, op, "action:delete", target_of(name)):
        await _changeable(platform, name)
        action = await existing(platform, name, Action)
        await platform.entities.delete(name, expected_revision=action.revision)
        platform.dispatcher.retire(name.namespace, str(name))
        return action


async def put_package(platform: Platform, op: Op, name: FullName, change: PackageChange, *, overwrite: bool) -> Package:
    """The package as written. Raises BadRequest, Conflict or Refused if it is to be a binding of what it may not."""
    async with guarded(platform, op, "package:write", target_of(name)):
        old = await _replaceable(platform, name, Package, overwrite)
        if change.binding is not None:
            await _require_provider(platform, op, old, change.binding)
        return await _write(platform, old, merge.package(name, old, change, platform.clock.now_ms()))


async def delete_package(platform: Platform, op: Op, name: FullName, *, force: bool) -> Package:
    """The package that was. Raises PackageNotEmpty unless `force`, which deletes what lies in it first."""
    async with guarded(platform, op, "package:delete", target_of(name)):
        package = await existing(platform, name, Package)
        contents = await platform.entities.count("actions", name.namespace, package=name.name)
        if contents and not force:
            raise PackageNotEmpty(contents="1 entity" if contents == 1 else f"{contents} entities")
        await _empty(platform, name)
        await platform.entities.delete(name, expected_revision=package.revision)
        return package


async def put_trigger(
    platform: Platform, op: Op, name: FullName, change: TriggerChange, *, overwrite: bool
) -> TriggerView:
    """The trigger as written, listening to the container that it names. Its rules stay with it."""
    async with guarded(platform, op, "trigger:write", target_of(name)):
        old = await _replaceable(platform, name, Trigger, overwrite)
        new = merge.trigger(name, old, change, platform.clock.now_ms())
        check_sizes(new, platform.limits)
        if old is None:  # a crash may have left the alarm of a trigger that bore the name before
            await platform.alarms.delete(name)
        await watch.begin(platform, new)
        try:
            written = await _write(platform, old, new)
        except RamblaError:
            await watch.take_back(platform, new)
            raise
        if old is not None:
            await watch.end(platform, old, written)
        return TriggerView(written, await rules_of(platform, name))


async def delete_trigger(platform: Platform, op: Op, name: FullName) -> TriggerView:
    """The trigger that was; its alarm goes with it. Its rules stay behind, inactive, also if a trigger of that name
    comes again."""
    async with guarded(platform, op, "trigger:delete", target_of(name)):
        trigger = await existing(platform, name, Trigger)
        rules = await rules_of(platform, name)
        for rule in rules:
            await _set_status(platform, rule, "inactive")
        await platform.entities.delete(name, expected_revision=trigger.revision)
        await platform.alarms.delete(name)
        await watch.end(platform, trigger, None)
        return TriggerView(trigger, ())


async def put_rule(platform: Platform, op: Op, name: FullName, change: RuleChange, *, overwrite: bool) -> Rule:
    """The rule as written: active if it is new. Raises BadRequest if its trigger or action does not exist, or if the
    trigger has RULES_MAX rules already."""
    async with guarded(platform, op, "rule:write", target_of(name)):
        old = await _replaceable(platform, name, Rule, overwrite)
        new = merge.rule(name, old, change, platform.clock.now_ms())
        await _require_trigger(platform, op, new.trigger)
        await _require_action(platform, op, new.action)
        others = [rule for rule in await rules_of(platform, new.trigger) if rule.name != name]
        if len(others) >= RULES_MAX:
            raise BadRequest(detail=f"Trigger /{new.trigger} has {RULES_MAX} rules, and no more are allowed.")
        return await _write(platform, old, new)


async def set_rule_status(platform: Platform, op: Op, name: FullName, status: RuleStatus) -> None:
    """Nothing happens if it has that status. Raises NoTrigger on activating a rule whose trigger is gone."""
    async with guarded(platform, op, "rule:write", target_of(name)):
        rule = await existing(platform, name, Rule)
        if status == "active" and not isinstance(await platform.entities.get(rule.trigger), Trigger):
            raise NoTrigger()
        await _set_status(platform, rule, status)


async def delete_rule(platform: Platform, op: Op, name: FullName) -> Rule:
    """The rule that was, as inactive."""
    async with guarded(platform, op, "rule:delete", target_of(name)):
        rule = await existing(platform, name, Rule)
        await platform.entities.delete(name, expected_revision=rule.revision)
        return replace(rule, status="inactive")


async def _replaceable(platform: Platform, name: FullName, kind: type[E], overwrite: bool) -> E | None:
    """What bears the name now. Raises WrongCollection if it is of another kind, AlreadyExists if it may not go."""
    old = await platform.entities.get(name)
    if old is not None and not isinstance(old, kind):
        raise WrongCollection()
    if old is not None and not overwrite:
        raise AlreadyExists()
    return old


async def _write(platform: Platform, old: AnyEntity | None, new: E) -> E:
    check_sizes(new, platform.limits)
    written = await platform.entities.put(new, expected_revision=old.revision if old else None)
    assert isinstance(written, type(new))
    return written


async def _set_status(platform: Platform, rule: Rule, status: RuleStatus) -> None:
    if rule.status != status:
        await platform.entities.put(replace(rule, status=status), expected_revision=rule.revision)


async def _changeable(platform: Platform, action: FullName) -> None:
    """Raises NotFound if the package that it lies in does not exist, BadRequest if that is a binding."""
    if action.package:
        package = await existing(platform, package_name(action), Package)
        if package.binding is not None:
            raise BadRequest(detail="Operation not permitted on package binding.")


async def _require_provider(platform: Platform, op: Op, old: Package | None, binding: FullName) -> None:
    """A binding may be made only of a package that its author may read."""
    if old is not None and old.binding is None:
        raise Conflict(detail="Resource is a package and cannot be converted into a binding.")
    async with guarded(platform, op, "package:read", await target(platform, op, binding)):
        provider = await platform.entities.get(binding)
        if provider is None:
            raise BadRequest(detail="Binding references a package that does not exist.")
        if not isinstance(provider, Package):
            raise Conflict(detail="Cannot bind to a resource that is not a package.")
        if provider.binding is not None:
            raise BadRequest(detail="Cannot bind to another package binding.")


async def _require_components(platform: Platform, op: Op, sequence: Action) -> None:
    """A sequence may name only what its author may read, and not itself, and not too many all told."""
    components = sequence.exec.components
    if not components:
        raise BadRequest(detail="No component specified for the sequence.")
    if len(components) > COMPONENTS_MAX:
        raise BadRequest(detail=SEQUENCE_TOO_LONG)
    await judge_components(platform, op, "action:read", components)
    if await _atoms(platform, op, sequence.name, components) > COMPONENTS_MAX:
        raise BadRequest(detail=SEQUENCE_TOO_LONG)


async def _atoms(
    platform: Platform, op: Op, sequence: FullName, components: tuple[FullName, ...], depth: int = 1
) -> int:
    """How many actions that are no sequences run in the end. Raises BadRequest if one of them is `sequence`."""
    if depth > COMPONENTS_MAX:  # two that were changed at the same time can refer to each other
        raise BadRequest(detail=SEQUENCE_TOO_LONG)
    count = 0
    for component in components:
        if component == sequence:
            raise BadRequest(detail="Sequence may not refer to itself.")
        try:
            found = await reach(platform, op, "action:read", component)
        except (NotFound, WrongCollection) as error:
            raise BadRequest(detail="Sequence component does not exist.") from error
        if found.action.name == sequence:
            raise BadRequest(detail="Sequence may not refer to itself.")
        nested = found.action.exec.components
        count += await _atoms(platform, op, sequence, nested, depth + 1) if nested else 1
        if count > COMPONENTS_MAX:
            break
    return count


async def _require_trigger(platform: Platform, op: Op, name: FullName) -> None:
    """A rule may name only what its author may read, so it tells nobody what others have."""
    async with guarded(platform, op, "trigger:read", target_of(name)):
        if not isinstance(await platform.entities.get(name), Trigger):
            raise BadRequest(detail=f"trigger /{name} does not exist")


async def _require_action(platform: Platform, op: Op, name: FullName) -> None:
    """As `_require_trigger`."""
    async with guarded(platform, op, "action:read", await target(platform, op, name)):
        try:
            await reach(platform, op, "action:read", name)
        except (NotFound, WrongCollection) as error:
            raise BadRequest(detail=f"action /{name} does not exist") from error


async def _empty(platform: Platform, package: FullName) -> None:
    """Delete what lies in the package, so many at once that memory stays bounded."""
    entities = platform.entities
    while contents := await entities.find(
        "actions", package.namespace, package=package.name, skip=0, limit=_CONTENTS_AT_ONCE
    ):
        for entity in contents:
            await entities.delete(entity.name, expected_revision=entity.revision)
            platform.dispatcher.retire(package.namespace, str(entity.name))
