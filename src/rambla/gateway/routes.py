"""Which routes does a document mean?

An operation leads where the case of its operationId says, else where its `x-openwhisk` says; without either it is in
the document and nowhere else. Of a URL only the action's name and extension count: this platform sends nothing to
another. Pure.
"""

import re
from collections.abc import Iterator
from typing import get_args
from urllib.parse import unquote

import msgspec

from rambla.domain.errors import BadRequest, TooLarge
from rambla.domain.names import DEFAULT_NAMESPACE, DEFAULT_PACKAGE, FullName, check_name
from rambla.domain.web import Extension
from rambla.gateway import assembly, settings
from rambla.gateway.api import DOCUMENT_BYTES_MAX, ROUTES_MAX, VERBS, ActionTarget, Api, Route, normal_path
from rambla.gateway.assembly import Assembly
from rambla.gateway.document import Operation, check, operations, refused
from rambla.gateway.values import Document, mapping, text

URL_CHARS_MAX = 2048
NAME_BYTES_MAX = 256
_URL = re.compile(r"([\w+.-]+://[^?#]*?)/api/v\d/web/([^/?#]+)/([^/?#]+)/([^/?#]+)/?")


def api_of(document: Document, namespace: str, now_ms: int) -> Api:
    """The document as an API of `namespace`, which `_` in it means. Raises BadRequest or TooLarge."""
    check(document)
    common = settings.of_document(document)
    kept = settings.without_keys(assembly.without_secrets(document))
    encoded = msgspec.json.encode(kept)
    if len(encoded) > DOCUMENT_BYTES_MAX:
        raise TooLarge(what="API document", size=len(encoded), limit=DOCUMENT_BYTES_MAX)
    return Api(
        namespace=namespace,
        base_path=normal_path(document["basePath"]),
        name=_name_of(document),
        document=encoded,
        routes=tuple(_routes(document, namespace, keys=common.keys is not None)),
        cors=assembly.read(document).cors,
        rate_limit=common.rate_limit,
        keys=common.keys,
        updated_ms=now_ms,
    )


def backend_of(url: str) -> str:
    """The part of a web action's URL before `/api`: scheme and host. Raises BadRequest."""
    return _parsed(url, "backendUrl")[1]


def _name_of(document: Document) -> str:
    name = text(mapping(document.get("info")).get("title")) or document["basePath"]
    if len(name.encode()) > NAME_BYTES_MAX:
        raise refused(f"the API's name is longer than {NAME_BYTES_MAX} bytes.")
    return name


def _routes(document: Document, namespace: str, *, keys: bool) -> Iterator[Route]:
    configuration, secured = assembly.read(document), settings.security_of(document)
    for number, operation in enumerate(operations(document), 1):
        if number > ROUTES_MAX:
            raise refused(f"an API may have {ROUTES_MAX} operations.")
        own = settings.of_operation(operation.fields)
        if not keys and own.keys is None:
            settings.check_security(operation.fields, secured=secured)
        target = _target(configuration, operation, namespace)
        if target is not None:
            yield Route(
                method=operation.verb.upper(),
                path=operation.path,
                target=target,
                rate_limit=own.rate_limit,
                keys=own.keys,
            )


def _target(configuration: Assembly, operation: Operation, namespace: str) -> ActionTarget | None:
    identifier = text(operation.fields.get("operationId"))
    secured = configuration.all_secured or identifier in configuration.secured
    invoked = configuration.targets.get(identifier) or configuration.everything
    if invoked:
        url, verb = invoked
        if verb and verb not in VERBS:
            raise refused(f"backendMethod '{verb}' not supported.")
        owner, package, last = _parsed(url.removesuffix(assembly.REQUEST_PATH), "target-url").group(2, 3, 4)
        action, extension = _split(unquote(last))
        name = _named(unquote(owner), unquote(package), action, namespace)
        return ActionTarget(name, extension, url.endswith(assembly.REQUEST_PATH), secured, method=verb.upper())
    given = mapping(operation.fields.get("x-openwhisk"))
    if not given.get("action"):
        return None
    name = _named(text(given.get("namespace")), text(given.get("package")), text(given["action"]), namespace)
    _, extension = _split(text(given.get("url")))
    return ActionTarget(name, extension, extension == "http", secured)


def _parsed(url: str, what: str) -> re.Match[str]:
    found = _URL.fullmatch(url) if len(url) <= URL_CHARS_MAX else None
    if found is None:
        raise refused(f"the {what} '{url[:64]}' is not the URL of a web action.")
    return found


def _named(namespace: str, package: str, action: str, own: str) -> FullName:
    try:
        return FullName(
            own if namespace in ("", DEFAULT_NAMESPACE) else check_name(namespace, "namespace"),
            "" if package in ("", DEFAULT_PACKAGE) else check_name(package),
            check_name(action),
        )
    except BadRequest as error:
        raise refused(str(error)) from error


def _split(name: str) -> tuple[str, Extension]:
    for extension in get_args(Extension):
        if name.endswith(f".{extension}"):
            return name.removesuffix(f".{extension}"), extension
    return name, "http"
