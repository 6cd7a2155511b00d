"""Upstream's `BasicAuthenticateTests`: whose key is this?"""

import uuid

import pytest

from compat.openwhisk.asking import User

REALM = {"www-authenticate": 'Basic realm="OpenWhisk secure realm"'}
SECRET = "x" * 64


def refuses(user: User, *auth: str) -> None:
    text = "The supplied authentication is invalid"
    user.send("GET", "/namespaces", auth=auth).refuses(401, text, REALM)


class TestBasicAuthenticate:
    def test_authorize_a_known_user_using_different_namespaces_and_cache_key_and_reject_invalid_secret(
        self, user: User, other: User
    ) -> None:
        for _ in range(2):
            user.get("/namespaces").gives([user.namespace])
            other.get("/namespaces").gives([other.namespace])
        name, _, secret = user.key.partition(":")
        for wrong in (secret[1:], secret[:-1], f"{secret}x", other.key.partition(":")[2], ""):
            refuses(user, name, wrong)

    def test_not_log_key_during_validation(self, user: User) -> None:
        refuses(user, str(uuid.uuid4()), SECRET)
        assert not any(SECRET in line for line in user.server.stderr)
        written = [path.read_bytes() for path in user.server.data.rglob("*") if path.is_file()]
        assert not any(SECRET.encode() in content for content in written)

    def test_not_authorize_an_unknown_user(self, user: User) -> None:
        refuses(user, str(uuid.uuid4()), SECRET)

    def test_not_authorize_when_no_user_creds_are_provided(self, user: User) -> None:
        text = "The resource requires authentication, which was not supplied with the request"
        user.send("GET", "/namespaces", auth=None).refuses(401, text, REALM)

    def test_not_authorize_when_malformed_user_is_provided(self, user: User) -> None:
        refuses(user, "x", SECRET)

    def test_not_authorize_when_malformed_secret_is_provided(self, user: User) -> None:
        refuses(user, user.key.partition(":")[0], "x")

    @pytest.mark.parametrize("header", ["Basic eDp5", "Basic eA==", "Basic !", "Basic", "Bearer x", "Other x", "x"])
    def test_not_authorize_when_malformed_creds_are_provided(self, user: User, header: str) -> None:
        answer = user.send("GET", "/namespaces", auth=None, headers={"authorization": header})
        answer.refuses(401, "The supplied authentication is invalid", REALM)
