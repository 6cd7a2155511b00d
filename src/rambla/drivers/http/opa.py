"""What does an Open Policy Agent say?

Its data API: `POST /v1/data/PATH` with `{"input": ...}` is answered by `{"result": true}` or false, and without a
result where its policy is undefined, which is no answer. The input has `permission`, `caller`, `target`, `argument`.
"""

from collections.abc import Hashable, Mapping
from typing import Any, cast

import msgspec

from rambla.domain.access import Question
from rambla.domain.errors import BadSettings, NoAnswer
from rambla.drivers.http.client import Poster
from rambla.drivers.http.enforcer import JSON
from rambla.drivers.settings import read_secret, read_settings


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url` is `opa+https://HOST/PATH`, the path being that of the rule: `rambla/allow`; `secret_file` holds a bearer
    token."""

    url: str
    ca_file: str = ""
    secret_file: str = ""


class _Answer(msgspec.Struct, frozen=True):
    result: bool


class OpaEnforcer:
    def __init__(self, name: str, url: str, poster: Poster) -> None:
        self._name = name
        self._url = url
        self._poster = poster

    def wording(self, question: Question, argument: str) -> Hashable:
        """The body, as it is posted."""
        asked = {
            "permission": question.permission,
            "caller": question.credentials,
            "target": question.target,
            "argument": argument,
        }
        try:
            body = msgspec.json.encode({"input": asked})
        except (TypeError, ValueError):
            raise NoAnswer(enforcer=self._name, detail="the question is none that JSON can hold") from None
        self._poster.bounded(self._url, body)
        return body

    async def says_yes(self, wording: Hashable) -> bool:
        received = await self._poster.post(self._url, cast("bytes", wording), JSON)
        try:
            return msgspec.json.decode(received, type=_Answer).result
        except msgspec.DecodeError:
            raise self._poster.malformed() from None

    async def close(self) -> None:
        await self._poster.close()


def open_enforcer(name: str, given: Mapping[str, Any], *, timeout_ms: int) -> OpaEnforcer:
    """Raises BadSettings."""
    settings = read_settings(f"enforcers.{name}", Settings, given)
    scheme, _, rest = settings.url.removeprefix("opa+").partition("://")
    host, _, path = rest.partition("/")
    if not host or not path.strip("/"):
        raise BadSettings(name=f"enforcers.{name}", detail="its url is opa+https://HOST/PATH of the rule")
    token = read_secret(f"enforcers.{name}", settings.secret_file)
    poster = Poster(name, timeout_ms=timeout_ms, ca_file=settings.ca_file, token=token)
    return OpaEnforcer(name, f"{scheme}://{host}/v1/data/{path.strip('/')}", poster)
