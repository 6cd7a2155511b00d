"""Web services as enforcers: a real server, asked in oslo.policy's form and by the Open Policy Agent's data API."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from outside_web import SECRET, WebStage
from rambla.app.registry import opener
from rambla.domain.access import Question
from rambla.domain.errors import BadSettings, EnforcerAway, NoAnswer
from rambla.drivers.http.enforcer import open_origin
from rambla.testing.enforcer import EnforcerSuite, question, says_yes
from stages import certificate

KINDS = {
    "form": {"url": "http://{host}/oslo"},
    "json": {"url": "http://{host}/oslo", "format": "json"},
    "argument": {"url": "http://{host}/groups/{argument}"},
    "opa": {"url": "opa+http://{host}/rambla/allow"},
}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebStage]:
    found = WebStage(tmp_path)
    await found.start()
    yield found
    await found.close()
    await found.kill()


@pytest.mark.parametrize("kind", KINDS)
class TestHttpEnforcers(EnforcerSuite):
    @pytest.fixture
    def stage(self, web: WebStage, kind: str) -> WebStage:
        web.argument = "ops" if kind in ("argument", "opa") else ""
        web.open(**KINDS[kind])
        return web


async def test_the_form_is_that_of_oslo_policy(web: WebStage) -> None:
    web.open(**KINDS["form"])
    assert await says_yes(web, "alice")
    ((path, content_type, body, authorization),) = web.heard()
    assert (path, content_type) == ("/oslo", "application/x-www-form-urlencoded")
    fields = {name: [json.loads(value) for value in values] for name, values in parse_qs(body).items()}
    asked = question("alice")
    assert fields == {"rule": [asked.permission], "target": [asked.target], "credentials": [asked.credentials]}
    assert authorization == f"Bearer {SECRET}"


async def test_the_document_is_that_of_oslo_policy(web: WebStage) -> None:
    web.open(**KINDS["json"])
    assert await says_yes(web, "alice")
    ((_, content_type, body, _),) = web.heard()
    asked = question("alice")
    assert content_type == "application/json"
    assert json.loads(body) == {"rule": asked.permission, "target": asked.target, "credentials": asked.credentials}


async def test_the_open_policy_agent_is_asked_by_its_data_api(web: WebStage) -> None:
    web.open(**KINDS["opa"])
    assert await says_yes(web, "alice")
    ((path, content_type, body, _),) = web.heard()
    asked = question("alice")
    wanted = {"permission": asked.permission, "caller": asked.credentials, "target": asked.target, "argument": ""}
    assert (path, content_type) == ("/v1/data/rambla/allow", "application/json")
    assert json.loads(body) == {"input": wanted}


async def test_a_rules_url_is_asked_as_it_is(web: WebStage) -> None:
    web.enforcer = open_origin(f"http://{web.host}", timeout_ms=10_000)
    web.opened.append(web.enforcer)
    web.argument = f"http://{web.host}/oslo"
    assert await says_yes(web, "alice")
    assert not await says_yes(web, "bob")
    web.argument = f"http://{web.host}/oslo\nHost: other"
    with pytest.raises(NoAnswer):
        await says_yes(web, "alice")
    assert {(path, authorization) for path, _, _, authorization in web.heard()} == {("/oslo", None)}


async def test_an_argument_cannot_leave_its_place_in_the_url(web: WebStage) -> None:
    web.open(**KINDS["argument"])
    for argument in ("../oslo", "x?y=1", "x#y", "@other/ops", "%2e%2e/ops"):
        web.argument = argument
        assert not await says_yes(web, "alice")
    web.argument = ""
    with pytest.raises(NoAnswer):
        await says_yes(web, "alice")
    assert all(path.startswith("/groups/") and path.count("/") == 2 for path, *_ in web.heard())
    web.open(**KINDS["form"])
    web.argument = "ops"
    with pytest.raises(NoAnswer):
        await says_yes(web, "alice")


@pytest.mark.parametrize("path", ["redirect", "long", "status", "encoded"])
async def test_what_is_no_answer_raises(web: WebStage, path: str) -> None:
    web.open(url=f"http://{{host}}/{path}")
    with pytest.raises(NoAnswer) as raised:
        await says_yes(web, "alice")
    assert not isinstance(raised.value, EnforcerAway)
    assert len(web.heard()) == 1, "no redirect is followed, and nothing is asked twice"


@pytest.mark.parametrize("path", ["lower", "line", "object", "empty"])
async def test_nothing_but_the_text_true_is_a_yes(web: WebStage, path: str) -> None:
    web.open(url=f"http://{{host}}/{path}")
    assert not await says_yes(web, "alice")


async def test_a_service_that_says_it_is_busy_is_away(web: WebStage) -> None:
    web.open(url="http://{host}/busy")
    with pytest.raises(EnforcerAway):
        await says_yes(web, "alice")


@pytest.mark.parametrize("path", ["undefined", "text", "number", "null", "set", "broken", "redirect"])
async def test_a_result_that_is_neither_true_nor_false_is_no_answer(web: WebStage, path: str) -> None:
    web.open(url=f"opa+http://{{host}}/{path}")
    with pytest.raises(NoAnswer) as raised:
        await says_yes(web, "alice")
    assert not isinstance(raised.value, EnforcerAway)


@pytest.mark.parametrize("kind", ["form", "json", "opa"])
async def test_what_is_too_large_or_no_json_is_not_asked(web: WebStage, kind: str) -> None:
    enforcer = web.open(**KINDS[kind])
    for odd in ({"subject": "x" * 2**20}, {"subject": object()}, {"subject": "\ud800"}):
        with pytest.raises(NoAnswer):
            enforcer.wording(Question("named", "x", odd, {}), "")
    assert web.heard() == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://h/x", "colour": "blue"}, "colour"),
        ({"url": "http://h/x", "format": "xml"}, "format"),
        ({"url": "opa+http://h"}, "opa+https://HOST/PATH"),
        ({"url": "http://h/x", "secret_file": "/absent"}, "secret_file"),
        ({"url": "http://h/x", "ca_file": "/absent"}, "ca_file"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(BadSettings) as raised:
        opener("enforcer", given["url"].partition(":")[0])("named", given, timeout_ms=10_000)
    assert "enforcers.named" in str(raised.value)
    assert words in str(raised.value)


async def test_a_certificate_is_verified_against_the_authorities_that_are_named(tmp_path: Path) -> None:
    authority, key = certificate(tmp_path)
    stage = WebStage(tmp_path, str(authority), str(key))
    await stage.start()
    stage.open(url="https://{host}/oslo", ca_file=str(authority))
    assert await says_yes(stage, "alice")
    stage.open(url="https://{host}/oslo")
    with pytest.raises(EnforcerAway):
        await says_yes(stage, "alice")
    await stage.close()
    await stage.kill()
