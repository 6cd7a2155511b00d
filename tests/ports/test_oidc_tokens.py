"""Whatever somebody sends as a token is read within bounds, and proves nobody."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.utils import base64url_encode

from outside_oidc import SigningKey
from rambla.domain.errors import BadCredentials
from rambla.drivers.oidc.keys import choose, read_keys, verify
from rambla.drivers.oidc.tokens import Rules, account, attributes, header_of, issuer_of
from rambla.testing.checks import raises

NOW_MS = 1_700_000_000_000
RULES = Rules("https://accounts.example.org", ("rambla",), leeway_ms=30_000, max_age_ms=0)
GOOD = {"iss": RULES.issuer, "sub": "ada", "aud": "rambla", "iat": NOW_MS // 1000, "exp": NOW_MS // 1000 + 60}
KEY = SigningKey("first")
PUBLIC = read_keys(json.dumps({"keys": [KEY.public]}).encode(), ("RS256",))[0]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
names = st.sampled_from([*GOOD, "nbf", "azp", "auth_time", "events", "alg", "kid", "typ", "crit", "b64"]) | st.text()
objects = st.dictionaries(names, values)
parts = st.binary() | objects.map(lambda value: json.dumps(value).encode())


def joined(parts: tuple[bytes, ...]) -> str:
    return ".".join(base64url_encode(part).decode() for part in parts)


def read(token: str) -> None:
    """As the source does. Raises BadCredentials."""
    issuer_of(token)
    header = header_of(token)
    key = choose((PUBLIC,), header.kid, header.alg)
    if key is None:
        raise BadCredentials
    account(verify(token, key), RULES, NOW_MS)


@given(st.text() | st.tuples(parts, parts, parts).map(joined))
def test_no_text_proves_anybody_or_does_worse(text: str) -> None:
    with raises(BadCredentials):
        read(text)


@given(st.data())
def test_a_good_token_that_was_damaged_anywhere_proves_nobody(data: Any) -> None:
    token = KEY.sign(GOOD)
    read(token)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda each: each != token[at]) | st.just(""))
    with raises(BadCredentials):
        read(token[:at] + other + token[at + 1 :])


@given(objects)
def test_claims_of_other_shapes_prove_nobody_or_what_they_say(more: dict[str, Any]) -> None:
    try:
        found = account(json.dumps({**GOOD, **more}).encode(), RULES, NOW_MS)
    except BadCredentials:
        return
    assert found.user == {**GOOD, **more}["sub"]
    assert all(isinstance(each, str) for values in found.attributes.values() for each in values)


@pytest.mark.parametrize("text", [b"[" * 15_000, b'{"a":' * 3_000, b'{"iss":"\\ud800"}', b"\xff", b"1e999", b""])
def test_depth_and_strange_texts_are_no_claims(text: bytes) -> None:
    with raises(BadCredentials):
        account(text, RULES, NOW_MS)


def test_texts_lists_of_texts_and_truths_are_attributes_also_in_objects() -> None:
    claims = {
        "groups": ["a", 1, None, "b"],
        "name": "Ada",
        "admin": True,
        "level": 3,
        "realm_access": {"roles": ["x"], "deep": {"deeper": {"deepest": "no"}, "list": ["y"]}},
    }
    assert attributes(claims) == {
        "groups": ("a", "b"),
        "name": ("Ada",),
        "admin": ("true",),
        "realm_access.roles": ("x",),
        "realm_access.deep.list": ("y",),
    }
