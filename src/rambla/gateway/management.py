"""By which actions are APIs managed, and what do they say?

OpenWhisk's clients know three web actions of the package `apimgmt` in the system's namespace, which is not shared: they
are reached by the web only. `app` brings them along; what they do is in `flow/apis.py`. Pure.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from rambla.domain.names import SYSTEM_NAMESPACE
from rambla.gateway.api import Api, gateway_id
from rambla.gateway.values import Document, text

CREATE, GET, DELETE = (f"apimgmt/{name}" for name in ("createApi", "getApi", "deleteApi"))
"""Package and name of each, which is the builtin's key too."""
_NOT_USED = "Not Used"
_JSON = {"Content-Type": "application/json"}


def author_of(arguments: Mapping[str, Any], namespace: str, source: str) -> str:
    """The namespace whose APIs are meant; "" for nobody. `namespace` and `source` are those of whoever runs the action.

    The web's argument `__ow_user`, which no visitor can set, counts where the system itself runs the action for one:
    anybody else acts in their own namespace, whatever they say.
    """
    if (namespace, source) == (SYSTEM_NAMESPACE, "web"):
        return text(arguments.get("__ow_user"))
    return namespace


def as_answer(arguments: Mapping[str, Any], result: Document) -> Document:
    """`result` as OpenWhisk's actions give it: to the web with a status, else as it is."""
    return {"statusCode": 200, "headers": _JSON, "body": result} if _is_web(arguments) else result


def as_failure(arguments: Mapping[str, Any], error: str) -> Document:
    body = {"error": error}
    return {"error": {"statusCode": 502, "headers": _JSON, "body": body}} if _is_web(arguments) else body


def shown(api: Api, address: str) -> Document:
    """An API as clients expect it; `address` is the gateway's, as they reach it."""
    base = "" if api.base_path == "/" else api.base_path
    return {
        "namespace": _NOT_USED,
        "gwApiUrl": f"{address}/api/{gateway_id(api.namespace)}{base}",
        "gwApiActivated": True,
        "tenantId": _NOT_USED,
        "apidoc": msgspec.Raw(api.document),
    }


def listed(api: Api, address: str) -> Document:
    return {"id": _NOT_USED, "key": _NOT_USED, "value": shown(api, address)}


def _is_web(arguments: Mapping[str, Any]) -> bool:
    return "__ow_method" in arguments
