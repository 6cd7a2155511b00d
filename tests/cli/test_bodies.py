"""What commands send, and how they read what comes back."""

from pathlib import Path
from typing import Any

import pytest

from rambla.cli import actions, activations, entities, paths, platform, triggers
from rambla.cli.client import query_strings
from rambla.cli.errors import CliError

NOTHING: dict[str, Any] = {"annotation": (), "param": (), "param_file": None}
ACTION: dict[str, Any] = NOTHING | dict.fromkeys(
    ("kind", "main", "memory", "timeout", "logs", "network", "docker", "sequence")
)
TRIGGER: dict[str, Any] = NOTHING | dict.fromkeys(("source", "prefix", "suffix", "target")) | {"event": ()}


def test_what_is_left_out_of_an_update_is_not_sent() -> None:
    assert actions.body_of(None, **ACTION) == {}
    assert triggers.body_of(TRIGGER) == {}


def test_an_actions_options_become_openwhisks_fields(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def main(a): return a")
    options = ACTION | {"memory": 128, "logs": 0, "network": "objects", "param": (("w", "4"),), "main": "f"}
    assert actions.body_of(tmp_path / "a.py", **options) == {
        "exec": {"kind": "python:default", "code": "def main(a): return a", "main": "f"},
        "limits": {"memory": 128, "logs": 0},
        "parameters": [{"key": "w", "value": 4}],
        "annotations": [{"key": "network", "value": "objects"}],
    }


def test_an_image_becomes_a_blackbox_with_code_or_without(tmp_path: Path) -> None:
    options = ACTION | {"docker": "localhost/a:1"}
    assert actions.body_of(None, **options) == {"exec": {"kind": "blackbox", "image": "localhost/a:1"}}
    (tmp_path / "a.sh").write_text("true")
    assert actions.body_of(tmp_path / "a.sh", **options | {"main": "f"}) == {
        "exec": {"kind": "blackbox", "image": "localhost/a:1", "code": "true", "main": "f"}
    }
    for other in ({"kind": "python:3"}, {"sequence": "a,b"}):
        with pytest.raises(CliError, match="instead of"):
            actions.body_of(None, **options | other)


def test_a_source_becomes_an_annotation() -> None:
    body = triggers.body_of(TRIGGER | {"source": "swift:photos", "suffix": ".jpg", "target": "thumbnails"})
    source = {
        "type": "swift",
        "container": "photos",
        "events": ["s3:ObjectCreated:*"],
        "prefix": "",
        "suffix": ".jpg",
        "target": "thumbnails",
    }
    assert body == {"annotations": [{"key": "source", "value": source}]}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "/api/v1/namespaces/_/actions/a"),
        ("p/a b", "/api/v1/namespaces/_/actions/p/a%20b"),
        ("/ns/a@b", "/api/v1/namespaces/ns/actions/a%40b"),
        ("/_/p/a", "/api/v1/namespaces/_/actions/p/a"),
    ],
)
def test_names_are_quoted_into_paths(name: str, path: str) -> None:
    assert paths.entity_path("actions", name) == path


def test_operators_names_cannot_leave_their_place_in_a_path() -> None:
    assert paths.platform_path("namespaces", "a/../b", "key") == "/platform/v1/namespaces/a%2F..%2Fb/key"


def test_rules_refer_by_whole_names() -> None:
    assert [paths.absolute(name) for name in ("a", "p/a", "/ns/a")] == ["/_/a", "/_/p/a", "/ns/a"]


def test_queries_are_written_as_json_writes_values() -> None:
    assert query_strings({"a": None, "b": True, "c": 3, "d": "x"}) == {"b": "true", "c": "3", "d": "x"}


def test_a_start_is_cold_if_something_was_initialised() -> None:
    kind = {"key": "kind", "value": "python:3"}
    assert activations.start_kind({"annotations": [kind, {"key": "initTime", "value": 7}]}) == "cold"
    assert activations.start_kind({"annotations": [kind]}) == "warm"
    assert activations.start_kind({"annotations": []}) == ""


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"statusCode": 0}, "success"),
        ({"statusCode": 2}, "developer error"),
        ({"statusCode": 99}, "99"),
        ({"response": {"status": "application error"}}, "application error"),
    ],
)
def test_a_status_is_told_in_words_from_a_summary_and_from_a_record(record: dict[str, Any], status: str) -> None:
    assert activations.status_of(record) == status


def test_watching_forgets_what_can_show_up_no_more() -> None:
    seen = {"old": 0, "edge": 1, "new": activations.LOOK_BACK_MS + 1}
    activations.forget(seen)
    assert set(seen) == {"edge", "new"}


def test_an_entity_for_people_has_no_code_and_no_empty_fields() -> None:
    entity = {
        "exec": {"kind": "k", "code": "secret"},
        "limits": {},
        "updated": 0,
        "parameters": [{"key": "a", "value": 1}],
    }
    assert entities.tidy(entity) == {
        "exec": {"kind": "k"},
        "updated": "1970-01-01 00:00:00.000",
        "parameters": {"a": 1},
    }


def test_rows_are_found_in_whatever_holds_them() -> None:
    assert platform.rows_in([{"name": "a"}]) == [{"name": "a"}]
    assert platform.rows_in({"namespaces": ["a"], "total": 1}) == [{"name": "a"}]
    assert platform.rows_in({}) == []
