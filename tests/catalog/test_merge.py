import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.catalog import merge
from rambla.domain.changes import ActionChange, ExecChange, LimitsChange, PackageChange, RuleChange, TriggerChange
from rambla.domain.entities import Action, ActionLimits, Parameter
from rambla.domain.errors import BadRequest
from rambla.domain.names import FullName

NAME = FullName("guest", "", "a")
OTHER = FullName("guest", "", "b")
EXEC = ExecChange(kind="python:default", code="def main(args): return args")

texts = st.text("abc", max_size=3)
annotations = st.dictionaries(texts, st.integers(), max_size=4)
maybe = st.none() | st.integers(1, 1000)
versions = st.none() | st.builds("{}.{}.{}".format, *[st.integers(0, 99)] * 3)
parameters = st.none() | st.lists(st.builds(Parameter, texts, st.integers(), st.booleans()), max_size=3).map(tuple)
limits = st.builds(LimitsChange, timeout_ms=maybe, memory_mb=maybe, logs_mb=maybe, concurrency=maybe)
changes = st.builds(
    ActionChange,
    version=versions,
    publish=st.none() | st.booleans(),
    annotations=st.none() | annotations,
    exec=st.none() | st.just(EXEC),
    parameters=parameters,
    limits=limits,
    annotations_removed=st.lists(texts, max_size=3).map(tuple),
)


def made(**fields: object) -> Action:
    return merge.action(NAME, None, ActionChange(exec=EXEC, **fields), 1)  # type: ignore[arg-type]  # any field


@given(changes, changes)
def test_an_update_gives_what_it_names_and_keeps_the_rest(first: ActionChange, second: ActionChange) -> None:
    old = merge.action(NAME, None, ActionChange(exec=EXEC, limits=first.limits, annotations=first.annotations), 1)
    new = merge.action(NAME, old, second, 2)
    assert new.updated_ms == 2
    assert new.exec.kind == "python:3"
    assert new.parameters == (old.parameters if second.parameters is None else second.parameters)
    for field in ActionLimits.__struct_fields__:
        given_value = getattr(second.limits, field)
        assert getattr(new.limits, field) == (getattr(old.limits, field) if given_value is None else given_value)
    given_annotations = second.annotations or {}
    for key, value in given_annotations.items():
        assert new.annotations[key] == value
    for key in set(old.annotations) - set(given_annotations) - {"exec"}:
        assert (key in new.annotations) == (key not in second.annotations_removed)
    assert set(new.annotations) <= set(old.annotations) | set(given_annotations)


@given(changes)
def test_a_change_that_names_nothing_only_raises_the_version(first: ActionChange) -> None:
    old = merge.action(NAME, None, ActionChange(exec=EXEC, annotations=first.annotations, limits=first.limits), 1)
    new = merge.action(NAME, old, ActionChange(), 1)
    assert new.version == "0.0.2"
    assert (new.annotations, new.limits, new.parameters, new.exec) == (
        old.annotations,
        old.limits,
        old.parameters,
        old.exec,
    )


def test_the_annotation_that_names_the_kind_cannot_be_forged_or_removed() -> None:
    forged = made(annotations={"exec": "nodejs:20"})
    assert forged.annotations["exec"] == "python:3"
    kept = merge.action(NAME, forged, ActionChange(annotations_removed=("exec",)), 2)
    assert kept.annotations["exec"] == "python:3"


def test_an_api_key_is_given_to_those_that_ask_and_the_wish_is_kept() -> None:
    assert made().annotations["provide-api-key"] is False
    wanting = made(annotations={"provide-api-key": True})
    assert merge.action(NAME, wanting, ActionChange(), 2).annotations["provide-api-key"] is True


def test_a_new_action_needs_a_program() -> None:
    with pytest.raises(BadRequest, match="exec undefined"):
        merge.action(NAME, None, ActionChange(), 1)


def test_annotations_of_packages_and_triggers_are_replaced() -> None:
    package = merge.package(NAME, None, PackageChange(annotations={"a": 1}), 1)
    assert merge.package(NAME, package, PackageChange(annotations={"b": 2}), 2).annotations == {"b": 2}
    trigger = merge.trigger(NAME, None, TriggerChange(annotations={"a": 1}), 1)
    assert merge.trigger(NAME, trigger, TriggerChange(publish=True), 2).annotations == {"a": 1}


def test_a_rule_keeps_its_status_and_the_side_that_is_not_named() -> None:
    rule = merge.rule(NAME, None, RuleChange(trigger=NAME, action=NAME), 1)
    assert rule.status == "active"
    moved = merge.rule(NAME, rule, RuleChange(trigger=OTHER), 2)
    assert (moved.trigger, moved.action, moved.version) == (OTHER, NAME, "0.0.2")


@given(versions)
def test_versions_go_up_by_a_patch_unless_given(version: str | None) -> None:
    old = made(version="1.2.3")
    assert merge.action(NAME, old, ActionChange(version=version), 2).version == (version or "1.2.4")
