"""Upstream's `HeadersTests` and `RespondWithHeadersTests`: what browsers of other origins are told of the API."""

import pytest

from compat.openwhisk.asking import ID, User

PATH = "/namespaces/barfoo"


def answers_options(user: User, path: str) -> None:
    """To somebody without credentials, as a browser asks beforehand; `is_empty` compares the headers."""
    user.send("OPTIONS", path, auth=None).is_empty(200)


class TestHeaders:
    def test_respond_to_options_with_all_headers(self, user: User) -> None:
        answers_options(user, "/api/v1")

    def test_respond_to_options_for_listing_actions(self, user: User) -> None:
        answers_options(user, f"{PATH}/actions")

    def test_respond_to_options_for_actions_path(self, user: User) -> None:
        answers_options(user, f"{PATH}/actions/foobar")

    def test_respond_to_post_action_with_headers(self, user: User) -> None:
        user.make_package("samples", publish=True)
        user.make_action("samples/helloWorld")
        user.send("POST", "actions/samples/helloWorld").gives({"activationId": ID}, 202)

    def test_respond_to_options_for_listing_activations(self, user: User) -> None:
        answers_options(user, f"{PATH}/activations")

    def test_respond_to_options_for_activations_get(self, user: User) -> None:
        answers_options(user, f"{PATH}/activations/foobar")

    def test_respond_to_options_for_activations_logs(self, user: User) -> None:
        answers_options(user, f"{PATH}/activations/foobar/logs")

    def test_respond_to_options_for_activations_results(self, user: User) -> None:
        answers_options(user, f"{PATH}/activations/foobar/result")

    def test_respond_to_get_for_listing_activations_with_headers(self, user: User) -> None:
        user.get("activations").gives([])

    def test_respond_to_options_for_listing_namespaces(self, user: User) -> None:
        answers_options(user, "/namespaces")

    def test_respond_to_options_for_listing_packages(self, user: User) -> None:
        answers_options(user, f"{PATH}/packages")

    def test_respond_to_options_for_packages_path(self, user: User) -> None:
        answers_options(user, f"{PATH}/packages/foobar")

    def test_respond_to_get_for_listing_packages_with_headers(self, user: User) -> None:
        user.get("packages").gives([])

    def test_respond_to_options_for_listing_rules(self, user: User) -> None:
        answers_options(user, f"{PATH}/rules")

    def test_respond_to_options_for_rules_path(self, user: User) -> None:
        answers_options(user, f"{PATH}/rules/foobar")

    def test_respond_to_get_for_listing_rules_with_headers(self, user: User) -> None:
        user.get("rules").gives([])

    def test_respond_to_options_for_listing_triggers(self, user: User) -> None:
        answers_options(user, f"{PATH}/triggers")

    def test_respond_to_options_for_triggers_path(self, user: User) -> None:
        answers_options(user, f"{PATH}/triggers/foobar")

    def test_respond_to_get_for_listing_triggers_with_headers(self, user: User) -> None:
        user.get("triggers").gives([])


class TestRespondWithHeaders:
    def test_respond_to_options(self, user: User) -> None:
        answers_options(user, "/api/v1")

    @pytest.mark.parametrize("path", ["/", "/api-docs", "/namespaces/_/limits"])
    def test_respond_to_options_on_every_route_under_api_v1(self, user: User, path: str) -> None:
        answers_options(user, f"/api/v1{path}")

    def test_respond_to_options_even_on_bogus_routes_under_api_v1(self, user: User) -> None:
        answers_options(user, "/api/v1/bogus")

    @pytest.mark.parametrize("path", ["/api", "/api/v2", "/other"])
    def test_not_respond_to_options_on_routes_before_api_v1(self, user: User, path: str) -> None:
        answer = user.client.options(path, auth=None)
        assert answer.status_code == 404
        assert "access-control-allow-origin" not in answer.headers
        assert answer.json()["error"] == "The requested resource could not be found."
