"""Which endpoints are there?

One literal table. The routes, the list of methods in a 405, the matrix of the unauthorised test and the OpenAPI
description all come from it.
"""

from collections.abc import Iterator

from starlette.responses import HTMLResponse, RedirectResponse, Response

from rambla.http import (
    about,
    accounts,
    activations,
    bundles,
    checking,
    comparing,
    entities,
    gateway,
    gives,
    sessions,
    syncing,
    tending,
    users,
    web,
)
from rambla.http.bodies import (
    ActionBody,
    NamespaceLimitsBody,
    PackageBody,
    PolicyBody,
    ReplayBody,
    RuleBody,
    ShadowBody,
    StatusBody,
    TriggerBody,
)
from rambla.http.body import MB, OPAQUE, PAYLOAD, Body
from rambla.http.call import Call, answer
from rambla.http.docs_page import page
from rambla.http.endpoint import PUBLIC, Endpoint
from rambla.http.identity_bodies import (
    BODY_BYTES_MAX,
    LoginBody,
    PasswordBody,
    PersonBody,
    ProgramBody,
    TokenBody,
    UserBody,
)
from rambla.http.openapi import describe
from rambla.http.web_request import METHODS

_API = "/api/v1"
_NS = f"{_API}/namespaces/{{namespace}}"
_ACTION = f"{_NS}/actions/{{name}}"
_PACKAGED = f"{_NS}/actions/{{package}}/{{name}}"
_CONTENTS = f"{_NS}/actions/{{package}}/"
_PACKAGE = f"{_NS}/packages/{{name}}"
_TRIGGER = f"{_NS}/triggers/{{name}}"
_RULE = f"{_NS}/rules/{{name}}"
_ACTIVATION = f"{_NS}/activations/{{activation_id}}"
_WEB = f"{_API}/web/{{namespace}}/{{package}}/{{name}}"
_GATEWAY = "/api/{gateway}/{rest}"
_PLATFORM = "/platform/v1"
_BUNDLES = f"{_PLATFORM}/policy/bundles"
_SHADOW = f"{_PLATFORM}/policy/shadow"
_JOURNAL = f"{_PLATFORM}/policy/journal"
_KEYS = f"{_PLATFORM}/policy/keys"
_POLICY_API = "/policy/v1"
_IDENTITY = "/identity/v1"
_TOKENS = f"{_IDENTITY}/tokens"
_ACCOUNT = f"{_IDENTITY}/accounts/{{source}}/{{user}}"
_FLEET = f"{_POLICY_API}/fleet"
_USERS = f"{_IDENTITY}/users/{{source}}"
_USER = f"{_USERS}/{{user}}"
_TENDED = f"{_PLATFORM}/namespaces/{{namespace}}"

# JSON escapes make code longer on the way than it is; what it is when decoded is checked by `catalog`.
_CODE = Body(ActionBody, lambda limits: limits.code_bytes_max * 4 // 3 + 3 * MB)
_LIMITS = Body(NamespaceLimitsBody)
_POLICY = Body(PolicyBody, lambda _: bundles.BODY_BYTES_MAX)
_SHADOWING = Body(ShadowBody, lambda _: bundles.BODY_BYTES_MAX)
_REPLAY = Body(ReplayBody, lambda _: bundles.BODY_BYTES_MAX)
_CHECK = Body(checking.CheckBody, lambda _: checking.BODY_BYTES_MAX, once=True)
_CHECKS = Body(checking.ChecksBody, once=True)
_LOGIN = Body(LoginBody, lambda _: BODY_BYTES_MAX, once=True)
_TOKEN = Body(TokenBody, lambda _: BODY_BYTES_MAX, once=True)
_PROGRAM = Body(ProgramBody, lambda _: BODY_BYTES_MAX, once=True)
_NEW_USER = Body(UserBody, lambda _: BODY_BYTES_MAX, once=True)
_PASSWORD = Body(PasswordBody, lambda _: BODY_BYTES_MAX, once=True)
_PERSON = Body(PersonBody, lambda _: BODY_BYTES_MAX, once=True)
_REPORT = Body(syncing.ReportBody, lambda _: syncing.REPORT_BYTES_MAX)
_HTTP_CHECK = Body(bytearray, lambda _: checking.BODY_BYTES_MAX)


def _web(path: str) -> Iterator[Endpoint]:
    for method in METHODS:
        yield Endpoint(method, path, "action:web", web.visit_action, gives.VISITED, OPAQUE, anonymous=True)


def _gateway() -> Iterator[Endpoint]:
    for method in METHODS:
        yield Endpoint(method, _GATEWAY, "action:web", gateway.visit, gives.VISITED, OPAQUE, anonymous=True)


async def api_docs(call: Call[None]) -> Response:
    return answer(describe(ENDPOINTS))


async def docs(call: Call[None]) -> Response:
    return RedirectResponse(f"{_API}/docs/index.html", 308)


async def docs_page(call: Call[None]) -> Response:
    return HTMLResponse(page(ENDPOINTS))


# fmt: off
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/", PUBLIC, about.root, gives.ABOUT),
    Endpoint("GET", "/ping", PUBLIC, about.ping, gives.PONG),
    Endpoint("GET", _API, PUBLIC, about.api, gives.VERSION),
    Endpoint("GET", f"{_API}/", PUBLIC, about.api, gives.VERSION),
    Endpoint("GET", f"{_API}/api-docs", PUBLIC, api_docs, gives.DESCRIPTION),
    Endpoint("GET", f"{_API}/docs", PUBLIC, docs, gives.TO_PAGE),
    Endpoint("GET", f"{_API}/docs/index.html", PUBLIC, docs_page, gives.PAGE),

    Endpoint("GET", f"{_API}/namespaces", "namespace:read", about.namespaces, gives.NAMESPACES),
    Endpoint("GET", f"{_API}/namespaces/", "namespace:read", about.namespaces, gives.NAMESPACES),
    Endpoint("GET", f"{_NS}/limits", "namespace:read", about.limits, gives.LIMITS),

    Endpoint("GET", f"{_NS}/actions", "action:list", entities.listing("actions"), gives.ACTIONS),
    Endpoint("GET", f"{_NS}/actions/", "action:list", entities.listing("actions"), gives.ACTIONS),
    Endpoint("GET", _CONTENTS, "action:list", entities.listing("actions"), gives.CONTENTS),
    Endpoint("GET", _ACTION, "action:read", entities.get_action, gives.ACTION),
    Endpoint("PUT", _ACTION, "action:write", entities.put_action, gives.ACTION_WRITTEN, _CODE),
    Endpoint("DELETE", _ACTION, "action:delete", entities.delete_action, gives.ACTION_DELETED),
    Endpoint("POST", _ACTION, "action:invoke", entities.invoke_action, gives.INVOKED, PAYLOAD),
    Endpoint("GET", _PACKAGED, "action:read", entities.get_action, gives.ACTION),
    Endpoint("PUT", _PACKAGED, "action:write", entities.put_action, gives.ACTION_WRITTEN, _CODE),
    Endpoint("DELETE", _PACKAGED, "action:delete", entities.delete_action, gives.ACTION_DELETED),
    Endpoint("POST", _PACKAGED, "action:invoke", entities.invoke_action, gives.INVOKED, PAYLOAD),

    Endpoint("GET", f"{_NS}/packages", "package:list", entities.listing("packages"), gives.PACKAGES),
    Endpoint("GET", f"{_NS}/packages/", "package:list", entities.listing("packages"), gives.PACKAGES),
    Endpoint("GET", _PACKAGE, "package:read", entities.get_package, gives.PACKAGE),
    Endpoint("PUT", _PACKAGE, "package:write", entities.put_package, gives.PACKAGE_WRITTEN, Body(PackageBody)),
    Endpoint("DELETE", _PACKAGE, "package:delete", entities.delete_package, gives.PACKAGE_DELETED),

    Endpoint("GET", f"{_NS}/triggers", "trigger:list", entities.listing("triggers"), gives.TRIGGERS),
    Endpoint("GET", f"{_NS}/triggers/", "trigger:list", entities.listing("triggers"), gives.TRIGGERS),
    Endpoint("GET", _TRIGGER, "trigger:read", entities.get_trigger, gives.TRIGGER),
    Endpoint("PUT", _TRIGGER, "trigger:write", entities.put_trigger, gives.TRIGGER_WRITTEN, Body(TriggerBody)),
    Endpoint("DELETE", _TRIGGER, "trigger:delete", entities.delete_trigger, gives.TRIGGER_DELETED),
    Endpoint("POST", _TRIGGER, "trigger:fire", entities.fire_trigger, gives.FIRED, PAYLOAD),

    Endpoint("GET", f"{_NS}/rules", "rule:list", entities.listing("rules"), gives.RULES),
    Endpoint("GET", f"{_NS}/rules/", "rule:list", entities.listing("rules"), gives.RULES),
    Endpoint("GET", _RULE, "rule:read", entities.get_rule, gives.RULE),
    Endpoint("PUT", _RULE, "rule:write", entities.put_rule, gives.RULE_WRITTEN, Body(RuleBody)),
    Endpoint("DELETE", _RULE, "rule:delete", entities.delete_rule, gives.RULE_DELETED),
    Endpoint("POST", _RULE, "rule:write", entities.set_rule_status, gives.RULE_SET, Body(StatusBody)),

    Endpoint("GET", f"{_NS}/activations", "activation:list", activations.list_activations, gives.ACTIVATIONS),
    Endpoint("GET", f"{_NS}/activations/", "activation:list", activations.list_activations, gives.ACTIVATIONS),
    Endpoint("GET", _ACTIVATION, "activation:read", activations.get_activation, gives.ACTIVATION),
    Endpoint("GET", f"{_ACTIVATION}/logs", "activation:read", activations.get_logs, gives.LOGS),
    Endpoint("GET", f"{_ACTIVATION}/result", "activation:read", activations.get_result, gives.RESULT),

    *_web(_WEB),
    *_web(f"{_WEB}/{{rest}}"),
    *_gateway(),

    Endpoint("GET", f"{_PLATFORM}/status", "platform:status", tending.status, gives.STATUS),
    Endpoint("GET", f"{_PLATFORM}/metrics", "platform:status", tending.metrics, gives.METRICS),
    Endpoint("GET", f"{_PLATFORM}/namespaces", "namespace:list", tending.list_namespaces, gives.TENDED),
    Endpoint("PUT", _TENDED, "namespace:create", tending.create_namespace, gives.CREATED),
    Endpoint("DELETE", _TENDED, "namespace:delete", tending.delete_namespace, gives.DELETED),
    Endpoint("GET", f"{_TENDED}/key", "namespace:key", tending.namespace_key, gives.KEY),
    Endpoint("PUT", f"{_TENDED}/key", "namespace:key", tending.rotate_key, gives.NEW_KEY),
    Endpoint("GET", f"{_TENDED}/limits", "namespace:limits", tending.get_limits, gives.LIMITS),
    Endpoint("PUT", f"{_TENDED}/limits", "namespace:limits", tending.set_limits, gives.LIMITS, _LIMITS),
    Endpoint("DELETE", f"{_TENDED}/limits", "namespace:limits", tending.reset_limits, gives.DELETED),
    Endpoint("GET", f"{_TENDED}/audit", "audit:read", tending.audit, gives.AUDIT),
    Endpoint("GET", f"{_TENDED}/usage", "usage:read", tending.usage, gives.USAGE),

    Endpoint("GET", _BUNDLES, "policy:read", bundles.history, gives.BUNDLES),
    Endpoint("POST", _BUNDLES, "policy:publish", bundles.publish, gives.PUBLISHED, _POLICY),
    Endpoint("GET", f"{_BUNDLES}/{{number}}", "policy:read", bundles.show, gives.BUNDLE),
    Endpoint("POST", f"{_BUNDLES}/{{number}}/rollback", "policy:rollback", bundles.rollback, gives.ROLLED_BACK),
    Endpoint("GET", _KEYS, "policy:read", bundles.keys, gives.POLICY_KEYS),
    Endpoint("POST", _KEYS, "policy:key", bundles.rotate_key, gives.POLICY_KEYS),
    Endpoint("PUT", f"{_KEYS}/{{key}}", "policy:key", bundles.trust_key, gives.POLICY_KEYS),
    Endpoint("PUT", _SHADOW, "policy:compare", comparing.start, gives.COMPARED, _SHADOWING),
    Endpoint("GET", _SHADOW, "policy:read", comparing.status, gives.COMPARED),
    Endpoint("DELETE", _SHADOW, "policy:compare", comparing.stop, gives.COMPARED),
    Endpoint("POST", _JOURNAL, "policy:compare", comparing.replay, gives.COMPARED, _REPLAY),

    Endpoint("POST", f"{_POLICY_API}/check", "policy:check", checking.check_one, gives.CHECKED, _CHECK),
    Endpoint("POST", f"{_POLICY_API}/checks", "policy:check", checking.check_many, gives.CHECKS, _CHECKS),
    Endpoint("POST", f"{_POLICY_API}/openstack/{{service}}", "policy:check", checking.http_check, gives.HTTP_CHECKED,
             _HTTP_CHECK),
    Endpoint("GET", f"{_POLICY_API}/newest", "policy:sync", syncing.newest, gives.NEWEST),
    Endpoint("GET", f"{_POLICY_API}/bundles/{{number}}", "policy:sync", syncing.bundle, gives.SIGNED_BUNDLE),

    Endpoint("GET", f"{_IDENTITY}/sources", PUBLIC, sessions.list_sources, gives.SOURCES),
    Endpoint("POST", f"{_IDENTITY}/login", PUBLIC, sessions.log_in, gives.LOGGED_IN, _LOGIN),
    Endpoint("POST", f"{_IDENTITY}/logout", "identity:self", sessions.log_out, gives.LOGGED_OUT),
    Endpoint("GET", f"{_IDENTITY}/whoami", "identity:self", sessions.whoami, gives.WHOAMI),
    Endpoint("GET", f"{_TOKENS}/all", "identity:tokens-of-others", sessions.list_all_tokens, gives.ALL_TOKENS),
    Endpoint("DELETE", f"{_TOKENS}/all/{{token}}", "identity:tokens-of-others", sessions.end_anybodys_token,
             gives.DELETED),
    Endpoint("GET", _TOKENS, "identity:token", sessions.list_tokens, gives.TOKENS),
    Endpoint("POST", _TOKENS, "identity:token", sessions.make_token, gives.TOKEN, _TOKEN),
    Endpoint("DELETE", f"{_TOKENS}/{{token}}", "identity:token", sessions.end_token, gives.DELETED),
    Endpoint("POST", f"{_TOKENS}/{{token}}/rotate", "identity:token", sessions.renew_token, gives.TOKEN),
    Endpoint("POST", f"{_IDENTITY}/programs", "platform:program", sessions.make_program, gives.TOKEN, _PROGRAM),
    Endpoint("GET", f"{_IDENTITY}/accounts", "identity:read", accounts.list_accounts, gives.ACCOUNTS),
    Endpoint("POST", f"{_ACCOUNT}/revoke", "identity:revoke", accounts.revoke, gives.ACCOUNT),
    Endpoint("POST", f"{_ACCOUNT}/block", "identity:block", accounts.block, gives.ACCOUNT),
    Endpoint("POST", f"{_ACCOUNT}/unblock", "identity:block", accounts.unblock, gives.ACCOUNT),
    Endpoint("POST", f"{_ACCOUNT}/unlock", "identity:block", accounts.unlock, gives.DELETED),
    Endpoint("PUT", f"{_ACCOUNT}/person", "identity:alias", accounts.join, gives.ACCOUNT, _PERSON),
    Endpoint("DELETE", f"{_ACCOUNT}/person", "identity:alias", accounts.part, gives.ACCOUNT),
    Endpoint("POST", _FLEET, "policy:sync", syncing.report, gives.REPORTED, _REPORT),
    Endpoint("GET", _FLEET, "policy:read", syncing.daemons, gives.FLEET),
    Endpoint("DELETE", f"{_FLEET}/{{host}}", "policy:fleet", syncing.forget, gives.DELETED),
    Endpoint("GET", _USERS, "identity:user", users.list_users, gives.USERS),
    Endpoint("POST", _USERS, "identity:user", users.create, gives.USER, _NEW_USER),
    Endpoint("POST", f"{_USER}/enable", "identity:user", users.enable, gives.USER),
    Endpoint("POST", f"{_USER}/disable", "identity:user", users.disable, gives.USER),
    Endpoint("PUT", f"{_USER}/password", "identity:user", users.set_password, gives.USER, _PASSWORD),
    Endpoint("POST", f"{_USER}/totp", "identity:user", users.enrol, gives.SECOND_FACTOR),
    Endpoint("DELETE", f"{_USER}/totp", "identity:user", users.release, gives.DELETED),
    Endpoint("DELETE", _USER, "identity:user", users.delete, gives.DELETED),
)
