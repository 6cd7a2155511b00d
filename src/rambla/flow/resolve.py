"""What does the name of an action or a package stand for?

A package may be a binding: it then has another package's actions under parameters of its own. And it may be published,
so that others may read and invoke what lies in it, which the guard's target has to say. Nothing here is guarded; who
asks on somebody's behalf judges the target, and what a binding leads to with `judge_provider`.
"""

from typing import NamedTuple, TypeVar

from rambla.catalog.arguments import defaults_of, inherited
from rambla.domain.access import Target
from rambla.domain.entities import SEQUENCE, Action, Package, Parameter, Rule, Trigger
from rambla.domain.errors import CircularBinding, NotFound, WrongCollection
from rambla.domain.names import FullName
from rambla.flow.guard import judge
from rambla.flow.platform import Op, Platform

E = TypeVar("E", Action, Package, Trigger, Rule)


class Runnable(NamedTuple):
    """An action and its default arguments; a sequence has none, as what it is given is for its first action. `binding`
    is the package in the name it was asked by, if that is a binding; `provider` is then the target that must be judged
    too."""

    action: Action
    defaults: tuple[Parameter, ...]
    binding: FullName | None = None
    provider: Target | None = None


async def existing(platform: Platform, name: FullName, kind: type[E]) -> E:
    """Raises NotFound, or WrongCollection if something else bears the name."""
    found = await platform.entities.get(name)
    if found is None:
        raise NotFound()
    if not isinstance(found, kind):
        raise WrongCollection()
    return found


def target_of(name: FullName) -> Target:
    """What the guard is asked about something that is never shared."""
    return Target(name.namespace, str(name))


async def target(platform: Platform, op: Op, name: FullName) -> Target:
    """What the guard is asked about an action, or a package, of that name. Only that of another namespace is looked up:
    all that its owner may needs no sharing."""
    if name.namespace == op.caller.namespace:
        return target_of(name)
    package = await platform.entities.get(package_name(name) if name.package else name)
    return Target(name.namespace, str(name), shared=isinstance(package, Package) and package.publish)


async def runnable(platform: Platform, name: FullName) -> Runnable:
    """The action that `name` means, through a binding if need be.

    Raises NotFound, WrongCollection or CircularBinding.
    """
    if not name.package:
        action = await existing(platform, name, Action)
        return Runnable(action, action.parameters if action.exec.kind != SEQUENCE else ())
    package = await existing(platform, package_name(name), Package)
    if package.binding is None:
        action = await existing(platform, name, Action)
        return Runnable(action, defaults_of(action, package) if action.exec.kind != SEQUENCE else ())
    provider = await bound(platform, package)
    bound_name = FullName(provider.name.namespace, provider.name.name, name.name)
    action = await existing(platform, bound_name, Action)
    defaults = inherited(inherited(provider.parameters, package.parameters), action.parameters)
    return Runnable(
        action,
        defaults if action.exec.kind != SEQUENCE else (),
        package.name,
        Target(bound_name.namespace, str(bound_name), shared=provider.publish),
    )


async def reach(platform: Platform, op: Op, permission: str, name: FullName) -> Runnable:
    """As `runnable`, for somebody who may have what a binding leads to as well.

    Raises Refused also if that is not there: what others have is nobody's to know.
    """
    try:
        found = await runnable(platform, name)
    except NotFound:
        if provider := await _leads_to(platform, name):
            await judge(platform, op, permission, provider)
        raise
    await judge_provider(platform, op, permission, found)
    return found


async def _leads_to(platform: Platform, name: FullName) -> Target | None:
    """What the guard is asked about the action that `name` leads to through a binding, be it there or not."""
    package = await platform.entities.get(package_name(name)) if name.package else None
    if not isinstance(package, Package) or package.binding is None:
        return None
    provider = await platform.entities.get(package.binding)
    bound_name = FullName(package.binding.namespace, package.binding.name, name.name)
    shared = isinstance(provider, Package) and provider.publish
    return Target(bound_name.namespace, str(bound_name), shared=shared)


async def bound(platform: Platform, package: Package) -> Package:
    """The package that a binding leads to. Raises NotFound, WrongCollection, or CircularBinding if that is a binding
    too, as it can have become since."""
    assert package.binding is not None
    provider = await existing(platform, package.binding, Package)
    if provider.binding is not None:
        raise CircularBinding(package=package.name.name)
    return provider


async def judge_provider(platform: Platform, op: Op, permission: str, found: Runnable) -> None:
    """A binding gives its owner no right to what it leads to. Raises Refused."""
    if found.provider is not None:
        await judge(platform, op, permission, found.provider)


async def judge_components(platform: Platform, op: Op, permission: str, components: tuple[FullName, ...]) -> None:
    """Nor does a sequence to what it is made of. Raises Refused."""
    for component in components:
        await judge(platform, op, permission, await target(platform, op, component))


def package_name(name: FullName) -> FullName:
    """Of the package that the action lies in."""
    return FullName(name.namespace, "", name.package)
