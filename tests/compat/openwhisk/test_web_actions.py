"""Upstream's `WebActionsApiTests`, first part: which action a path means, and who may visit it. Bindings too."""

from pathlib import Path

import pytest

from compat.openwhisk.asking import User, pairs
from compat.openwhisk.visiting import (
    ACTIVATED,
    CORS,
    DEFAULTS,
    METHODS,
    NO_CORS,
    NO_ROUTE,
    NOT_ALLOWED,
    NOT_FOUND,
    PROXY,
    Visitor,
    make_proxy,
    make_web,
)
from system.running import serving

UNAUTHORIZED = {"www-authenticate": 'Basic realm="OpenWhisk secure realm"', **CORS}
NO_KEY = "The resource requires authentication, which was not supplied with the request"
SECRET = "example-web-action-api-key"


def make_shared(owner: User, parameters: dict[str, object] | None = None) -> None:
    """A package for everybody, with an exported action."""
    owner.make_package("shared", publish=True, parameters=pairs(parameters or {}))
    make_web(owner, "shared/export_c", parameters=DEFAULTS, web_custom_options=True)


class TestWebActions:
    def test_split_action_name_and_extension(self, visitor: Visitor) -> None:
        for name in ("t", "t.wxyz"):
            make_web(visitor.owner, name, "def main(args):\n    return {'body': '<svg/>'}\n")
            content_types = {"": "text/html; charset=UTF-8", ".http": "text/html; charset=UTF-8"}
            content_types |= {".html": "text/html; charset=UTF-8", ".text": "text/plain; charset=UTF-8"}
            content_types |= {".svg": "image/svg+xml"}
            for extension, content_type in content_types.items():
                visitor.get(f"default/{name}{extension}").is_text("<svg/>", content_type)
            visitor.get(f"default/{name}.json").gives({"body": "<svg/>"})

    def test_match_version_of_properties(self, visitor: Visitor) -> None:
        make_proxy(visitor.owner)
        seen = visitor.seen("POST", "text/plain", "/rest", __ow_query="q=1", __ow_body="text", **PROXY)
        options = {"content": b"text", "headers": {"content-type": "text/plain"}}
        visitor.post("proxy/raw_export_c.json/rest?q=1", **options).gives(seen)

    @pytest.mark.parametrize("path", ["a", "a/b", "//a", "{}/c", "{}/export_c"])
    def test_not_match_invalid_routes(self, visitor: Visitor, path: str) -> None:
        make_proxy(visitor.owner)
        for method in METHODS:
            visitor.send(method, f"/{path.format(visitor.owner.namespace)}").refuses(404, NO_ROUTE, CORS)
        visitor.send("HEAD", f"/{path.format(visitor.owner.namespace)}").is_empty(404, CORS)

    def test_reject_requests_when_identity_package_or_action_lookup_fail_or_missing_annotation(
        self, visitor: Visitor
    ) -> None:
        make_proxy(visitor.owner)
        own = f"/{visitor.owner.namespace}"
        paths = ("/nobody/proxy/c", f"{own}/doesnotexist/c", f"{own}/default/c", f"{own}/proxy/export_fail")
        for path in (*paths, f"{own}/proxy/c"):
            for method in METHODS:
                visitor.send(method, f"{path}.json").refuses(404, NOT_FOUND, CORS)
                visitor.send(method, path).refuses(404, NOT_FOUND, CORS)
            visitor.send("HEAD", path).is_empty(404, CORS)

    def test_reject_requests_when_whisk_authentication_is_required_but_none_given(self, visitor: Visitor) -> None:
        visitor.owner.make_package("proxy", parameters=pairs(x="X", z="z"))
        make_web(visitor.owner, "proxy/export", parameters=DEFAULTS, require_whisk_auth=True)
        for method in METHODS:
            answer = visitor.send(method, "proxy/export.json")
            if method == "OPTIONS":
                answer.is_empty(200, CORS)
            elif visitor.known:
                answer.gives(visitor.seen(method, **PROXY), headers={**ACTIVATED, **CORS})
            else:
                answer.refuses(401, NO_KEY, UNAUTHORIZED)

    def test_reject_requests_when_x_authentication_is_required_but_none_given(self, visitor: Visitor) -> None:
        visitor.owner.make_package("proxy", parameters=pairs(x="X", z="z"))
        make_web(visitor.owner, "proxy/export", parameters=DEFAULTS, require_whisk_auth=SECRET)
        for method in METHODS:
            bad, absent, good = (
                visitor.send(method, "proxy/export.json", headers=headers)
                for headers in ({"X-Require-Whisk-Auth": f"{SECRET}-bad"}, {}, {"X-Require-Whisk-Auth": SECRET})
            )
            if method == "OPTIONS":
                for answer in (bad, absent, good):
                    answer.is_empty(200, CORS)
            else:
                bad.refuses(401, NO_KEY, UNAUTHORIZED)
                absent.refuses(401, NO_KEY, UNAUTHORIZED)
                told = good.gives(visitor.seen(method, **PROXY), headers={**ACTIVATED, **CORS})
                assert told["__ow_headers"]["x-require-whisk-auth"] == SECRET

    def test_reject_unknown_extensions(self, visitor: Visitor) -> None:
        make_proxy(visitor.owner)
        for ending in ("xyz", "xyz/", "xyz/content", "xyzz", "xyzz/", "xyzz/content"):
            for method in METHODS:
                visitor.send(method, f"proxy/export_c.{ending}").refuses(404, NOT_FOUND, CORS)

    def test_invoke_action_in_default_package(self, visitor: Visitor) -> None:
        make_proxy(visitor.owner)
        for method in METHODS:
            answer = visitor.send(method, "default/export_c.json")
            answer.gives(visitor.seen(method, **DEFAULTS), headers={**ACTIVATED, **NO_CORS})

    def test_invoke_action_in_a_binding_of_private_package(self, visitor: Visitor) -> None:
        owner = visitor.owner
        make_proxy(owner)
        owner.make_binding("reference", owner.namespace, "proxy")
        for method in METHODS:
            visitor.send(method, "reference/export_c.json").gives(visitor.seen(method, **PROXY))

    def test_invoke_action_in_a_binding_of_public_package(self, visitor: Visitor, other: User) -> None:
        make_shared(other, {"x": "X"})
        visitor.owner.make_binding("reference", other.namespace, "shared")
        for method in METHODS:
            visitor.send(method, "reference/export_c.json").gives(visitor.seen(method, x="X", **DEFAULTS))

    def test_invoke_action_relative_to_a_binding_where_the_action_doesnt_exist(
        self, visitor: Visitor, other: User
    ) -> None:
        make_shared(other)
        visitor.owner.make_binding("reference", other.namespace, "shared")
        for method in METHODS:
            visitor.send(method, "reference/absent.json").refuses(404, NOT_FOUND, CORS)

    def test_invoke_action_in_non_existing_binding(self, visitor: Visitor, other: User) -> None:
        make_shared(other)
        for method in METHODS:
            visitor.send(method, "reference/export_c.json").refuses(404, NOT_FOUND, CORS)

    def test_not_inherit_annotations_of_package_binding(self, visitor: Visitor, other: User) -> None:
        make_shared(other)
        refusing = pairs({"web-export": False})
        visitor.owner.make_binding("reference", other.namespace, "shared", annotations=refusing)
        for method in METHODS:
            visitor.send(method, "reference/export_c.json").gives(visitor.seen(method, **DEFAULTS))

    def test_reject_request_that_tries_to_override_final_parameters_of_action_in_package_binding(
        self, visitor: Visitor, other: User
    ) -> None:
        make_shared(other)
        visitor.owner.make_binding("reference", other.namespace, "shared", parameters=pairs(x="X", z="z"))
        path = "reference/export_c.json"
        for method in METHODS:
            visitor.send(method, f"{path}?x=overridden").refuses(400, NOT_ALLOWED)
            visitor.send(method, f"{path}?y=overridden").refuses(400, NOT_ALLOWED)
            visitor.send(method, path, json={"x": "overridden"}).refuses(400, NOT_ALLOWED)
            visitor.send(method, path, json={"z": "overridden"}).refuses(400, NOT_ALLOWED)
            seen = visitor.seen(method, **{**PROXY, "empty": "overridden"})
            visitor.send(method, f"{path}?empty=overridden").gives(seen)

    def test_match_precedence_order_for_merging_parameters(self, visitor: Visitor, other: User) -> None:
        make_shared(other, {"a": "A", "b": "b", "y": "package's"})
        bound = pairs(a="a", c="c", z="binding's")
        visitor.owner.make_binding("reference", other.namespace, "shared", parameters=bound)
        for method in METHODS:
            seen = visitor.seen(method, a="a", b="b", c="c", **DEFAULTS)
            visitor.send(method, "reference/export_c.json").gives(seen)

    def test_throttle_subject_owning_namespace_for_web_action(self, tmp_path: Path) -> None:
        settings = tmp_path / "rambla.toml"
        settings.write_text("invocations_per_minute = 0\n")
        with serving(tmp_path / "data", "--object-store", "none", "--config", str(settings)) as running:
            owner = User(running, "guest", running.key)
            make_proxy(owner)
            for visitor in (Visitor(owner, None), Visitor(owner, owner)):
                for method in METHODS:
                    text = "Too many requests in the last minute (count: 1, allowed: 0)."
                    visitor.send(method, "proxy/export_c.text/content/z").refuses(429, text)
                visitor.client.close()
            owner.client.close()

    def test_reject_invocation_of_web_action_which_has_no_entitlement(self, visitor: Visitor, other: User) -> None:
        make_shared(other)
        visitor.owner.make_binding("reference", other.namespace, "shared")
        other.make_package("shared", publish=False)
        text = f"The supplied authentication is not authorized to access '{other.namespace}/shared/export_c'."
        visitor.get("reference/export_c.http").refuses(403, text)
