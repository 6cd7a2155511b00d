"""What does a handler get to know of its request?

A `Call`: the platform, the op, the decoded body, and the names in the path. What comes before: authentication and the
reading of the body, both in `resource.py`. What comes after: one call into `flow`, and `answer`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from rambla.domain.errors import NotFound
from rambla.domain.names import DEFAULT_NAMESPACE, FullName, check_name
from rambla.flow.platform import Op, Platform

B = TypeVar("B")
_NUMBER = re.compile(r"[0-9]{1,18}")
ACTIVATION_HEADER = "x-openwhisk-activation-id"


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    platform: Platform
    op: Op
    request: Request
    body: B

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def namespace(self) -> str:
        """That of the path; `_` is the caller's own. Raises BadRequest."""
        name = self._part("namespace")
        return self.op.caller.namespace if name == DEFAULT_NAMESPACE else check_name(name, "namespace")

    @property
    def package(self) -> str | None:
        """The package in the path, None if it names none. Raises BadRequest."""
        return check_name(self._part("package")) if "package" in self.request.path_params else None

    @property
    def name(self) -> FullName:
        """The entity in the path. Raises BadRequest."""
        return FullName(self.namespace, self.package or "", check_name(self._part("name")))

    @property
    def activation_id(self) -> str:
        return self._part("activation_id")

    @property
    def number(self) -> int:
        """Raises NotFound for what is none, as nothing has it."""
        text = self._part("number")
        if not _NUMBER.fullmatch(text):
            raise NotFound()
        return int(text)

    @property
    def key(self) -> str:
        return self._part("key")

    @property
    def token_id(self) -> str:
        return self._part("token")

    @property
    def source(self) -> str:
        return self._part("source")

    @property
    def user(self) -> str:
        return self._part("user")

    @property
    def service(self) -> str:
        return self._part("service")

    @property
    def host(self) -> str:
        return self._part("host")

    async def hung_up(self) -> None:
        """Returns as soon as the client is gone; its body must have been read."""
        while (await self.request.receive())["type"] != "http.disconnect":
            pass

    def _part(self, name: str) -> str:
        part: str = self.request.path_params[name]
        return part


def answer(value: Any, status: int = 200, *, activation_id: str | None = None) -> Response:
    """`value` as JSON; an activation's id also goes into the header where clients look for it."""
    headers = {ACTIVATION_HEADER: activation_id} if activation_id else None
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def empty(status: int) -> Response:
    return Response(status_code=status)
