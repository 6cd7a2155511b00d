"""Rate limits and API keys that a document asks for, and security that it asks for in vain."""

import hashlib
import json
from typing import Any

import pytest

from gateway.documents import simple
from rambla.domain.errors import BadRequest
from rambla.gateway.api import Api, KeyCheck, RateLimit
from rambla.gateway.document import imported
from rambla.gateway.keys import matching
from rambla.gateway.routes import api_of

KEY = "k" * 16
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
CHECK = KeyCheck("x-api-key", (DIGEST,))
OPERATION = {"x-openwhisk": {"action": "a"}}
KEYS = {"x-rambla": {"apiKey": {"keys": [KEY]}}}
OAUTH = {"type": "oauth2", "flow": "implicit"}


def meant(**fields: Any) -> Api:
    return api_of(imported(simple(**fields)), "guest", 0)


def paths(**operations: Any) -> dict[str, Any]:
    return {f"/{name}": {"get": OPERATION | own} for name, own in operations.items()}


@pytest.mark.parametrize(
    ("wish", "limit"),
    [
        ({"requests": 5}, RateLimit(5, 60_000)),
        ({"requests": 1, "unit": "second"}, RateLimit(1, 1_000)),
        ({"requests": 10, "unit": "hour"}, RateLimit(10, 3_600_000)),
        ({"requests": 10, "unit": "day"}, RateLimit(10, 86_400_000)),
    ],
)
def test_a_rate_limit_is_of_the_document_or_of_an_operation(wish: dict[str, Any], limit: RateLimit) -> None:
    api = meant(**{"x-rambla": {"rateLimit": wish}})
    assert (api.rate_limit, api.routes[0].rate_limit) == (limit, None)
    api = meant(paths=paths(a={"x-rambla": {"rateLimit": wish}}, b={}))
    assert (api.rate_limit, [route.rate_limit for route in api.routes]) == (None, [limit, None])


@pytest.mark.parametrize("name", ["x-ibm-rate-limit", "x-gateway-rate-limit"])
def test_openwhisks_rate_limit_is_of_all_routes_together(name: str) -> None:
    limit = [{"unit": "minute", "units": 3, "rate": 100}]
    assert meant(**{name: limit}).rate_limit == RateLimit(100, 180_000, whole_api=True)
    assert meant(**{name: []}).rate_limit is None
    both = {name: limit, "x-rambla": {"rateLimit": {"requests": 1}}}
    assert meant(**both).rate_limit == RateLimit(1, 60_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"x-rambla": 3},
        {"x-rambla": {"rateLimits": {}}},
        {"x-rambla": {"rateLimit": {"requests": 0}}},
        {"x-rambla": {"rateLimit": {"requests": 10**7}}},
        {"x-rambla": {"rateLimit": {"requests": 1, "unit": "year"}}},
        {"x-rambla": {"apiKey": {}}},
        {"x-rambla": {"apiKey": {"keys": []}}},
        {"x-rambla": {"apiKey": {"keys": ["short"]}}},
        {"x-rambla": {"apiKey": {"keys": [KEY] * 101}}},
        {"x-rambla": {"apiKey": {"keys": ["k" * 15 + "\n"]}}},
        {"x-rambla": {"apiKey": {"keys": [KEY], "header": "a b"}}},
        {"x-rambla": {"apiKey": {"keys": [KEY], "header": "Authorization"}}},
        {"x-ibm-rate-limit": [{"rate": 0}]},
        {"x-ibm-rate-limit": [3]},
    ],
)
def test_what_is_misspelt_is_refused_and_never_left_out(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as error:
        meant(**fields)
    assert str(error.value).startswith(next(iter(fields)))
    assert KEY not in str(error.value)


def test_keys_are_of_the_document_or_of_an_operation() -> None:
    api = meant(**KEYS)
    assert (api.keys, api.routes[0].keys) == (CHECK, None)
    api = meant(paths=paths(a=KEYS, b={}))
    assert (api.keys, [route.keys for route in api.routes]) == (None, [CHECK, None])


def test_a_key_is_kept_as_its_digest_only() -> None:
    for api in (meant(**KEYS), meant(paths=paths(a=KEYS))):
        assert KEY.encode() not in api.document
        assert f"sha256:{DIGEST}".encode() in api.document
        again = api_of(imported(json.loads(api.document)), "guest", 0)
        assert again == api


def test_one_of_the_keys_has_to_be_given() -> None:
    assert matching(CHECK, KEY) == DIGEST
    for wrong in (None, "", KEY + "k", f"sha256:{DIGEST}", DIGEST):
        assert matching(CHECK, wrong) is None


# --- security that cannot be given is never left out ---


@pytest.mark.parametrize(
    "fields",
    [
        {"securityDefinitions": {"login": OAUTH}},
        {"security": [{"login": []}]},
        {"paths": paths(a={}, b={"security": [{"login": []}]})},
        {"security": [{"login": []}], "paths": paths(a={"security": []}, b={})},
    ],
)
def test_security_that_the_gateway_does_not_know_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=r"this gateway knows API keys only.*Fix: state them in x-rambla\.apiKey"):
        meant(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"securityDefinitions": {"key": {"type": "apiKey"}}} | KEYS,
        {"security": [{"key": []}], "paths": paths(a=KEYS)},
        {"security": [{"key": []}], "paths": paths(a={"security": []})},
        {"securityDefinitions": {}, "security": []},
    ],
)
def test_security_is_no_obstacle_where_keys_are_asked_for_or_none_is_wanted(fields: dict[str, Any]) -> None:
    assert meant(**fields).routes


def test_a_tool_that_drops_our_extension_does_not_open_the_api() -> None:
    for api in (meant(**KEYS), meant(paths=paths(a=KEYS, b={}))):
        document = json.loads(api.document)
        assert document["securityDefinitions"]["x-rambla"] == {"type": "apiKey", "in": "header", "name": "X-Api-Key"}
        document.pop("x-rambla", None)
        document["paths"] = paths(a={}, b={})
        with pytest.raises(BadRequest, match="this gateway knows API keys only"):
            api_of(imported(document), "guest", 0)
