"""The settings name enforcers; what they do not say rightly is refused before anything is asked."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rambla.app.enforcers import open_panel
from rambla.app.settings import load
from rambla.domain.access import Unanswered
from rambla.domain.errors import BadSettings, NoAnswer
from rambla.enforcers.panel import Panel, origin_of
from rambla.kit.clock import ManualClock
from rambla.kit.tasks import Tasks
from rambla.testing.enforcer import question

Opened = Callable[[str], Panel]
PASSWORD = "geheimes-wort"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    """The panel of a settings file with that text."""
    panels: list[Panel] = []
    async with Tasks() as tasks:

        def make(text: str) -> Panel:
            config = tmp_path / "rambla.toml"
            config.write_text(text)
            panels.append(open_panel(load(config), ManualClock(), tasks))
            return panels[-1]

        yield make
        for panel in panels:
            await panel.close()
        tasks.stop()


async def test_every_scheme_has_its_driver_and_nothing_is_asked_before_a_rule_does(
    opened: Opened, tmp_path: Path
) -> None:
    panel = opened(f"""
        enforcers.a = {{url = "ldaps://ldap.invalid", base = "dc=x", timeout_ms = 5, pause_ms = 7}}
        enforcers.b = {{url = "ldap://ldap.invalid", base = "dc=x"}}
        enforcers.c = {{url = "postgresql://db.invalid/x", query = "SELECT 1"}}
        enforcers.d = {{url = "sqlite:///{tmp_path}/absent", query = "SELECT 1"}}
        enforcers.e = {{url = "http://pdp.invalid/x"}}
        enforcers.f = {{url = "opa+https://opa.invalid/x"}}
    """)
    assert set(panel.names) == set("abcdef")
    fresh = {"state": "not asked yet", "asked": 0, "remembered": 0, "failed": 0}
    assert panel.health() == dict.fromkeys("abcdef", fresh)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("enforcers.a = {}", "it needs a url"),
        ('enforcers.a = {url = ""}', "it needs a url"),
        ("enforcers.a = {url = 5}", "it needs a url"),
        ('enforcers.a = {url = "//host/path"}', "it needs a url"),
        ('enforcers.a = {url = "gopher://h"}', "'gopher' is not known; there are: http"),
        ('enforcers.a = {url = "http://h/x", timeout_ms = 0}', "timeout_ms"),
        ('enforcers.a = {url = "http://h/x", timeout_ms = "soon"}', "timeout_ms"),
        ('enforcers.a = {url = "http://h/x", colour = "blue"}', "colour"),
        ('enforcers."a:b" = {url = "http://h/x"}', "letters, digits"),
        ('enforcers."" = {url = "http://h/x"}', "letters, digits"),
        ('enforcers.https = {url = "http://h/x"}', "letters, digits"),
        (f'enforcers.a = {{url = "postgresql://u:{PASSWORD}@h/d", query = "SELECT 1"}}', "secret_file"),
        (f'enforcers.a = {{url = "ldaps://u:{PASSWORD}@h", base = ""}}', "secret_file"),
        (f'enforcers.a = {{url = "postgresql://u@h/d?password={PASSWORD}", query = "SELECT 1"}}', "secret_file"),
        ("enforcers = 5", "enforcers"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_no_password_told(opened: Opened, text: str, words: str) -> None:
    with pytest.raises(BadSettings, match=words) as raised:
        opened(text)
    assert PASSWORD not in str(raised.value)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of somebody else's that brings two enforcers, one of which has the name of one of ours."""
    information = tmp_path / "site" / "corporate-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: corporate\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[rambla.enforcers]\ncorp = corporate:open_it\nldap = corporate:steal\n"
    )
    (tmp_path / "site" / "corporate.py").write_text(
        "from rambla.drivers.memory.enforcer import MemoryEnforcer\n\n\n"
        "def open_it(name, given, *, timeout_ms):\n    return MemoryEnforcer(name, given['yes'])\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")


async def test_other_packages_bring_enforcers_and_replace_none_of_ours(installed: None, opened: Opened) -> None:
    panel = opened("""
        enforcers.people = {url = "corp://anywhere", yes = ["alice"]}
        enforcers.directory = {url = "ldap://h", base = ""}
    """)
    asked = named(question("alice"), "people")
    with pytest.raises(Unanswered):
        panel.says_yes(asked)
    assert await panel.ask(asked)
    assert panel.says_yes(asked)
    assert not await panel.ask(named(question("bob"), "people"))


def named(asked: Any, where: str) -> Any:
    return type(asked)(where, asked.permission, asked.credentials, asked.target)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h/x", "http://h"),
        ("https://h:8443/a?b=http://other", "https://h:8443"),
        ("http://[::1]:80/x", "http://[::1]:80"),
        ("http://H/x", "http://h"),
        ("http:///x", None),
        ("http://user@h/x", None),
        ("http://user:word@h/x", None),
        ("http://h:port/x", None),
        ("http://[h/x", None),
    ],
)
def test_who_answers_at_one_origin_is_one(url: str, origin: str | None) -> None:
    if origin is not None:
        assert origin_of(url) == origin
        return
    with pytest.raises(NoAnswer):
        origin_of(url)
