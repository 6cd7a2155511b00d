"""What do clients ask of the management of APIs?

The arguments of OpenWhisk's web actions createApi, getApi and deleteApi, checked in the order and with the texts of
routemgmt. A namespace is never taken from them. Pure.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import msgspec

from rambla.domain.errors import BadRequest
from rambla.domain.names import DEFAULT_NAMESPACE, parse_full_name
from rambla.domain.web import Extension
from rambla.gateway.document import imported, opened
from rambla.gateway.edit import OperationWish
from rambla.gateway.routes import backend_of
from rambla.gateway.values import Document, listing, mapping, text

LIMIT_DEFAULT = 30
LIMIT_MAX = 200
_SKIP_MAX = 2**31
_APIDOC = ("gatewayBasePath", "gatewayPath", "gatewayMethod")
_ACTION = ("backendMethod", "backendUrl", "namespace", "name", "authkey")


class CreateApi(NamedTuple):
    """Either a whole `document`, or one `operation` of the API with that base path, or of that name if it has no
    leading slash; `name` is what a new API is called."""

    document: Document | None
    operation: OperationWish | None
    base_path: str
    name: str = ""


class GetApi(NamedTuple):
    """`base_path` is a name if it has no leading slash; "" asks for all."""

    base_path: str
    skip: int
    limit: int


class DeleteApi(NamedTuple):
    """All of the API, or with `path` only that, or with `verb` too only that operation of it."""

    base_path: str
    path: str
    verb: str


def create_api(arguments: Mapping[str, Any], namespace: str) -> CreateApi:
    """Raises BadRequest."""
    if not arguments.get("apidoc"):
        raise BadRequest(detail="apidoc is required.")
    apidoc = opened(arguments["apidoc"], "apidoc")
    if not apidoc.get("namespace"):
        raise BadRequest(detail="apidoc is missing the namespace field")
    if apidoc.get("swagger"):
        if apidoc.get("gatewayBasePath"):
            raise BadRequest(
                detail="swagger and gatewayBasePath are mutually exclusive and cannot be specified together."
            )
        document = imported(apidoc["swagger"])
        return CreateApi(document, None, text(document["basePath"]))
    for field in _APIDOC:
        if not text(apidoc.get(field)):
            raise BadRequest(detail=f"apidoc is missing the {field} field")
    if not apidoc.get("action"):
        raise BadRequest(detail="apidoc is missing the action field.")
    operation = _operation(apidoc, mapping(apidoc["action"]), arguments.get("responsetype"), namespace)
    return CreateApi(None, operation, apidoc["gatewayBasePath"], text(apidoc.get("apiName")))


def get_api(arguments: Mapping[str, Any]) -> GetApi:
    """Raises BadRequest."""
    shape = arguments.get("outputFormat")
    if shape and text(shape).lower() not in ("apigw", "swagger"):
        raise BadRequest(detail="Invalid outputFormat value. Valid values are: apigw, swagger")
    limit = _number(arguments, "limit", LIMIT_DEFAULT, LIMIT_MAX)
    return GetApi(text(arguments.get("basepath")), _number(arguments, "skip", 0, _SKIP_MAX), limit or LIMIT_MAX)


def delete_api(arguments: Mapping[str, Any]) -> DeleteApi:
    """Raises BadRequest."""
    asked = DeleteApi(*(text(arguments.get(name)) for name in ("basepath", "relpath", "operation")))
    if not asked.base_path:
        raise BadRequest(detail="basepath is required.")
    if asked.verb and not asked.path:
        raise BadRequest(detail="When specifying an operation, the path is required.")
    return asked._replace(verb=asked.verb.lower())


def _operation(apidoc: Document, action: Document, extension: Any, namespace: str) -> OperationWish:
    for field in _ACTION:
        if not text(action.get(field)):
            raise BadRequest(detail=f"action is missing the {field} field.")
    if extension and extension not in get_args(Extension):
        kinds = ", ".join(get_args(Extension))
        raise BadRequest(detail=f"Invalid responsetype value. Valid values are: {kinds}")
    try:
        owner = namespace if action["namespace"] == DEFAULT_NAMESPACE else action["namespace"]
        name = msgspec.structs.replace(parse_full_name(action["name"], owner), namespace=owner)
        backend = backend_of(action["backendUrl"])
    except BadRequest as error:
        raise BadRequest(detail=f"API creation failure: API swagger generation error: {error}") from error
    return OperationWish(
        method=apidoc["gatewayMethod"],
        path=apidoc["gatewayPath"],
        action=name,
        backend=backend,
        extension=extension or "json",
        parameters=listing(apidoc.get("pathParameters")) or None,
        secured=bool(action.get("secureKey")),
    )


def _number(arguments: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """From a query, so it may be text."""
    given = arguments.get(name)
    if given is None or given == "":
        return default
    digits = str(given)
    if isinstance(given, bool) or not (digits.isascii() and digits.isdigit()) or int(digits[:12]) > most:
        raise BadRequest(detail=f"The value of {name} is not a number from 0 to {most}.")
    return int(digits)
