"""How do OpenWhisk's clients manage APIs, and what do they find?

The three web actions of `/whisk.system/apimgmt`, asked as `wsk api` asks them.
"""

from typing import Any

import httpx

from compat.openwhisk.asking import Answer, Like, User, matching
from compat.openwhisk.visiting import ACTIVATED, CORS

MANAGEMENT = "/web/whisk.system/apimgmt"
GATEWAY_PATH = r"/api/[0-9a-f]{32}"


class Apis:
    """Those of `user`, who has proven nothing if not `with_key`."""

    def __init__(self, user: User, *, with_key: bool = True) -> None:
        self.user = user
        self.auth: dict[str, Any] = {} if with_key else {"auth": ("bad-auth-key", "")}

    def add(self, base_path: str, path: str = "/path", verb: str = "get", action: str = "echo", **more: Any) -> Answer:
        """`wsk api create BASE PATH VERB ACTION`; `api_name` is for `-n`, `responsetype` for `--response-type`,
        `secure_key` what the action asks for."""
        responsetype = more.pop("responsetype", "json")
        named = {"apiName": more.pop("api_name")} if "api_name" in more else {}
        place = {"gatewayBasePath": base_path, "gatewayPath": path, "gatewayMethod": verb, **named}
        about = {
            "name": action,
            "namespace": self.user.namespace,
            "backendMethod": verb,
            "backendUrl": backend(self.user, action, responsetype),
            "authkey": self.user.key,
            **({"secureKey": more.pop("secure_key")} if "secure_key" in more else {}),
        }
        identifier = f"API:{self.user.namespace}:{base_path}"
        return self.create({"namespace": "_", "id": identifier, **place, "action": about, **more}, responsetype)

    def create(self, apidoc: dict[str, Any], responsetype: str = "json") -> Answer:
        query = {"accesstoken": "SOME TOKEN", "responsetype": responsetype, "spaceguid": self._uuid}
        return self._send("POST", "createApi", query, json={"apidoc": apidoc})

    def load(self, swagger: Any) -> Answer:
        """`wsk api create --config-file`."""
        return self.create({"namespace": "_", "swagger": swagger})

    def get(self, name: str = "", **more: str) -> Answer:
        """By base path or by name."""
        asked = {"basepath": name} if name else {}
        return self._send("GET", "getApi", {"accesstoken": "SOME TOKEN", "spaceguid": self._uuid, **asked, **more})

    def delete(self, name: str, **more: str) -> Answer:
        query = {"accesstoken": "SOME TOKEN", "basepath": name, "spaceguid": self._uuid, **more}
        return self._send("DELETE", "deleteApi", query)

    def shown(self, document: Any) -> dict[str, Any]:
        """An API as it is shown whose document is that."""
        base = "" if document["basePath"] == "/" else document["basePath"]
        url = matching(f"{self.user.server.url}{GATEWAY_PATH}{base}")
        unused = {"namespace": "Not Used", "tenantId": "Not Used"}
        return {**unused, "gwApiUrl": url, "gwApiActivated": True, "apidoc": document}

    def listed(self, *documents: Any) -> dict[str, Any]:
        each = [{"id": "Not Used", "key": "Not Used", "value": self.shown(document)} for document in documents]
        return {"apis": each}

    @property
    def _uuid(self) -> str:
        return self.user.key.partition(":")[0]

    def _send(self, method: str, name: str, query: dict[str, str], **options: Any) -> Answer:
        return self.user.send(method, f"{MANAGEMENT}/{name}.http", params=query, **self.auth, **options)


def fails(answer: Answer, error: str) -> None:
    """A 502 with `error` and nothing else, which `wsk` takes for an error of the action's and shows."""
    answer.gives({"error": error}, 502, {**ACTIVATED, **CORS})


def backend(user: User, action: str, extension: str) -> str:
    whole = action if "/" in action else f"default/{action}"
    return f"{user.server.url}/api/v1/web/{user.namespace}/{whole}.{extension}"


def operation(user: User, identifier: str, action: str = "echo", extension: str = "json") -> dict[str, Any]:
    """As the management writes it."""
    url = backend(user, action, extension)
    target = {"url": url, "namespace": user.namespace, "package": "", "action": action}
    return {
        "operationId": identifier,
        "x-openwhisk": target,
        "responses": {"default": {"description": "Default response"}},
    }


def document(base_path: str, title: str, paths: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """As the management writes it, with a case for each operation in the order in which they came."""
    operations = [one for item in paths.values() for one in item.values()]
    cases = [{"operations": [one["operationId"]], "execute": [_invocation(one)]} for one in operations]
    return {
        "swagger": "2.0",
        "info": {"title": title, "version": "1.0.0"},
        "basePath": base_path,
        "paths": paths,
        "x-ibm-configuration": {
            "assembly": {"execute": [{"operation-switch": {"case": cases}}]},
            "cors": {"enabled": True},
        },
    }


def visit(url: str, method: str = "GET", **options: Any) -> Answer:
    """By a stranger."""
    answer = httpx.request(method, url, timeout=30, trust_env=False, **options)
    return Answer(answer.status_code, answer.headers, answer.content, is_rest=False)


def headers_through_gateway(url: str) -> Like:
    def fits(headers: Any) -> bool:
        return headers.get("x-forwarded-url") == url and "authorization" not in headers

    return Like(f"headers of a visit to {url}", fits)


def _invocation(one: dict[str, Any]) -> dict[str, Any]:
    url = one["x-openwhisk"]["url"]
    return {"invoke": {"target-url": f"{url}$(request.path)" if url.endswith(".http") else url, "verb": "keep"}}
