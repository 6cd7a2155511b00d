"""What does an entity look like after a change?

One function for each kind of entity: the old one (None if it is new), the change, and the time give the new one.
The rules of what is merged and what replaced are OpenWhisk's (core/controller/Actions.scala and its neighbours). Pure:
`flow/change.py` reads before and writes after.
"""

from typing import Any, TypeVar

from msgspec.structs import replace

from rambla.catalog.kinds import resolve
from rambla.domain.changes import (
    ActionChange,
    EntityChange,
    ExecChange,
    LimitsChange,
    PackageChange,
    RuleChange,
    TriggerChange,
)
from rambla.domain.entities import (
    BLACKBOX,
    FIRST_VERSION,
    SEQUENCE,
    Action,
    ActionLimits,
    Exec,
    Package,
    Parameter,
    Rule,
    Trigger,
    is_binary,
    next_version,
)
from rambla.domain.errors import BadRequest, MalformedContent
from rambla.domain.names import DEFAULT_PACKAGE, FullName

API_KEY = "provide-api-key"
KIND = "exec"
COMPONENTS = "_actions"
Holder = TypeVar("Holder", Package, Trigger)


def action(name: FullName, old: Action | None, change: ActionChange, now_ms: int) -> Action:
    """Annotations and limits are merged; parameters are replaced if given; the program stays unless given.

    Raises BadRequest if a new action has no program, MalformedContent if its kind is not known.
    """
    program = _program(old, change)
    annotations = {} if old else {API_KEY: False}
    annotations |= old.annotations if old else {}
    annotations = {key: value for key, value in annotations.items() if key not in change.annotations_removed}
    annotations |= change.annotations or {}
    base = old or Action(name=name, exec=program)
    return replace(
        base,
        exec=program,
        annotations=annotations | {KIND: program.kind},
        parameters=_parameters(base, program, change),
        limits=limits(base.limits, change.limits),
        **_common(old, change, now_ms),
    )


def package(name: FullName, old: Package | None, change: PackageChange, now_ms: int) -> Package:
    """Raises BadRequest for the reserved name `default`."""
    if name.name == DEFAULT_PACKAGE:
        raise BadRequest(detail="Package name 'default' is reserved.")
    changed = _holder(old or Package(name=name), old, change, now_ms)
    return changed if change.binding is None else replace(changed, binding=change.binding)


def trigger(name: FullName, old: Trigger | None, change: TriggerChange, now_ms: int) -> Trigger:
    return _holder(old or Trigger(name=name), old, change, now_ms)


def rule(name: FullName, old: Rule | None, change: RuleChange, now_ms: int) -> Rule:
    """A new rule is active; a changed one keeps its status. Raises BadRequest if a side of it is nowhere given."""
    trigger_name = change.trigger or (old.trigger if old else None)
    action_name = change.action or (old.action if old else None)
    if trigger_name is None or action_name is None:
        raise BadRequest(detail="rule requires a valid trigger and a valid action")
    base = old or Rule(name=name, trigger=trigger_name, action=action_name)
    annotations = base.annotations if change.annotations is None else change.annotations
    common = _common(old, change, now_ms)
    return replace(base, trigger=trigger_name, action=action_name, annotations=annotations, **common)


def limits(old: ActionLimits, change: LimitsChange) -> ActionLimits:
    """`old` with the fields that `change` gives."""
    given = {field: getattr(change, field) for field in change.__struct_fields__}
    return replace(old, **{field: value for field, value in given.items() if value is not None})


def _program(old: Action | None, change: ActionChange) -> Exec:
    if change.exec is None:
        if old is None:
            raise BadRequest(detail="exec undefined")
        return old.exec
    wish = change.exec
    return Exec(
        kind=wish.kind if wish.kind in (SEQUENCE, BLACKBOX) else _kind(wish),
        code=wish.code,
        binary=is_binary(wish.code),
        main=wish.main,
        image=wish.image,
        components=wish.components,
    )


def _kind(wish: ExecChange) -> str:
    """The concrete kind. Raises MalformedContent if it is not known, or if it cannot do without `main`."""
    kind = resolve(wish.kind)
    if kind.main_required and not wish.main:
        raise MalformedContent(detail=f"'main' must be a string defined in 'exec' for '{kind.name}' actions")
    return kind.name


def _parameters(base: Action, program: Exec, change: ActionChange) -> tuple[Parameter, ...]:
    """A sequence's only parameter tells what it is made of, and goes when it becomes an action with code."""
    if program.kind == SEQUENCE:
        return (Parameter(COMPONENTS, [f"/{component}" for component in program.components]),)
    if change.parameters is not None:
        return change.parameters
    return () if base.exec.kind == SEQUENCE else base.parameters


def _holder(base: Holder, old: Holder | None, change: PackageChange | TriggerChange, now_ms: int) -> Holder:
    return replace(
        base,
        annotations=base.annotations if change.annotations is None else change.annotations,
        parameters=base.parameters if change.parameters is None else change.parameters,
        **_common(old, change, now_ms),
    )


def _common(old: Action | Package | Trigger | Rule | None, change: EntityChange, now_ms: int) -> dict[str, Any]:
    version = change.version or (next_version(old.version) if old else FIRST_VERSION)
    publish = change.publish if change.publish is not None else bool(old and old.publish)
    return {"version": version, "publish": publish, "updated_ms": now_ms}
