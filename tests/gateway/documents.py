"""Documents that tests of the gateway begin with."""

from typing import Any

from rambla.domain.names import FullName
from rambla.gateway.edit import OperationWish, new_document, with_operation

BACKEND = "http://rambla:3233"


def wish(path: str = "/path", method: str = "GET", action: str = "a", **more: Any) -> OperationWish:
    package, _, name = action.rpartition("/")
    return OperationWish(method=method, path=path, action=FullName("guest", package, name), backend=BACKEND, **more)


def document(*wishes: OperationWish, base_path: str = "/base", **more: Any) -> dict[str, Any]:
    made = new_document(base_path, "")
    for one in wishes or (wish(),):
        made = with_operation(made, one)
    return made | more


def simple(paths: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """As somebody writes one by hand."""
    operation = {"x-openwhisk": {"namespace": "_", "action": "a"}}
    return {
        "swagger": "2.0",
        "basePath": "/base",
        "info": {"title": "Simple"},
        "paths": {"/path": {"get": operation}} if paths is None else paths,
    } | more
