"""Which endpoints are there?

One literal table. The routes, the list of methods in a 405, the matrix of the unauthorised test and the OpenAPI
description all come from it. Next in line: web actions, the API gateway, sequences and bindings.
"""

from starlette.responses import Response

from rambla.http import about, activations, entities, tending
from rambla.http.bodies import ActionBody, PackageBody, RuleBody, StatusBody, TriggerBody
from rambla.http.body import MB, PAYLOAD, Body
from rambla.http.call import Call, answer
from rambla.http.endpoint import PUBLIC, Endpoint
from rambla.http.openapi import describe

_API = "/api/v1"
_NS = f"{_API}/namespaces/{{namespace}}"
_ACTION = f"{_NS}/actions/{{name}}"
_PACKAGED = f"{_NS}/actions/{{package}}/{{name}}"
_CONTENTS = f"{_NS}/actions/{{package}}/"
_PACKAGE = f"{_NS}/packages/{{name}}"
_TRIGGER = f"{_NS}/triggers/{{name}}"
_RULE = f"{_NS}/rules/{{name}}"
_ACTIVATION = f"{_NS}/activations/{{activation_id}}"
_PLATFORM = "/platform/v1"
_TENDED = f"{_PLATFORM}/namespaces/{{namespace}}"

# JSON escapes make code longer on the way than it is; what it is when decoded is checked by `catalog`.
_CODE = Body(ActionBody, lambda limits: limits.code_bytes_max * 4 // 3 + 3 * MB)


async def api_docs(call: Call[None]) -> Response:
    return answer(describe(ENDPOINTS))


# fmt: off
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/", PUBLIC, about.root, "limits and runtimes"),
    Endpoint("GET", "/ping", PUBLIC, about.ping, "pong"),
    Endpoint("GET", _API, PUBLIC, about.api, "the version of the API"),
    Endpoint("GET", f"{_API}/", PUBLIC, about.api, "the version of the API"),
    Endpoint("GET", f"{_API}/api-docs", PUBLIC, api_docs, "this description"),

    Endpoint("GET", f"{_API}/namespaces", "namespace:read", about.namespaces, "the caller's namespace, in a list"),
    Endpoint("GET", f"{_API}/namespaces/", "namespace:read", about.namespaces, "the caller's namespace, in a list"),
    Endpoint("GET", f"{_NS}/limits", "namespace:read", about.limits, "what the namespace may use"),

    Endpoint("GET", f"{_NS}/actions", "action:list", entities.listing("actions"), "summaries, newest first"),
    Endpoint("GET", f"{_NS}/actions/", "action:list", entities.listing("actions"), "summaries, newest first"),
    Endpoint("GET", _CONTENTS, "action:list", entities.listing("actions"), "summaries of a package's actions"),
    Endpoint("GET", _ACTION, "action:read", entities.get_action, "the action"),
    Endpoint("PUT", _ACTION, "action:write", entities.put_action, "the action as written", _CODE),
    Endpoint("DELETE", _ACTION, "action:delete", entities.delete_action, "the action that was"),
    Endpoint("POST", _ACTION, "action:invoke", entities.invoke_action, "the activation, or its id", PAYLOAD),
    Endpoint("GET", _PACKAGED, "action:read", entities.get_action, "the action"),
    Endpoint("PUT", _PACKAGED, "action:write", entities.put_action, "the action as written", _CODE),
    Endpoint("DELETE", _PACKAGED, "action:delete", entities.delete_action, "the action that was"),
    Endpoint("POST", _PACKAGED, "action:invoke", entities.invoke_action, "the activation, or its id", PAYLOAD),

    Endpoint("GET", f"{_NS}/packages", "package:list", entities.listing("packages"), "summaries, newest first"),
    Endpoint("GET", f"{_NS}/packages/", "package:list", entities.listing("packages"), "summaries, newest first"),
    Endpoint("GET", _PACKAGE, "package:read", entities.get_package, "the package and what is in it"),
    Endpoint("PUT", _PACKAGE, "package:write", entities.put_package, "the package as written", Body(PackageBody)),
    Endpoint("DELETE", _PACKAGE, "package:delete", entities.delete_package, "the package that was"),

    Endpoint("GET", f"{_NS}/triggers", "trigger:list", entities.listing("triggers"), "summaries, newest first"),
    Endpoint("GET", f"{_NS}/triggers/", "trigger:list", entities.listing("triggers"), "summaries, newest first"),
    Endpoint("GET", _TRIGGER, "trigger:read", entities.get_trigger, "the trigger and its rules"),
    Endpoint("PUT", _TRIGGER, "trigger:write", entities.put_trigger, "the trigger as written", Body(TriggerBody)),
    Endpoint("DELETE", _TRIGGER, "trigger:delete", entities.delete_trigger, "the trigger that was"),
    Endpoint("POST", _TRIGGER, "trigger:fire", entities.fire_trigger, "the activation's id, if a rule is on", PAYLOAD),

    Endpoint("GET", f"{_NS}/rules", "rule:list", entities.listing("rules"), "rules without status, newest first"),
    Endpoint("GET", f"{_NS}/rules/", "rule:list", entities.listing("rules"), "rules without status, newest first"),
    Endpoint("GET", _RULE, "rule:read", entities.get_rule, "the rule and its status"),
    Endpoint("PUT", _RULE, "rule:write", entities.put_rule, "the rule as written", Body(RuleBody)),
    Endpoint("DELETE", _RULE, "rule:delete", entities.delete_rule, "the rule that was"),
    Endpoint("POST", _RULE, "rule:write", entities.set_rule_status, "nothing", Body(StatusBody)),

    Endpoint("GET", f"{_NS}/activations", "activation:list", activations.list_activations, "summaries or records"),
    Endpoint("GET", f"{_NS}/activations/", "activation:list", activations.list_activations, "summaries or records"),
    Endpoint("GET", _ACTIVATION, "activation:read", activations.get_activation, "the record"),
    Endpoint("GET", f"{_ACTIVATION}/logs", "activation:read", activations.get_logs, "the lines it printed"),
    Endpoint("GET", f"{_ACTIVATION}/result", "activation:read", activations.get_result, "how it ended"),

    Endpoint("GET", f"{_PLATFORM}/status", "platform:status", tending.status, "health of every part"),
    Endpoint("GET", f"{_PLATFORM}/namespaces", "namespace:list", tending.list_namespaces, "names"),
    Endpoint("PUT", _TENDED, "namespace:create", tending.create_namespace, "the namespace and its key"),
    Endpoint("DELETE", _TENDED, "namespace:delete", tending.delete_namespace, "nothing"),
    Endpoint("GET", f"{_TENDED}/key", "namespace:key", tending.namespace_key, "the key"),
    Endpoint("PUT", f"{_TENDED}/key", "namespace:key", tending.rotate_key, "a new key; the old one opens nothing"),
    Endpoint("GET", f"{_TENDED}/audit", "audit:read", tending.audit, "who did what, newest first"),
    Endpoint("GET", f"{_TENDED}/usage", "usage:read", tending.usage, "sums by action and hour"),
)
