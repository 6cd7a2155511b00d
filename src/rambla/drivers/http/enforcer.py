"""What does a service say that speaks oslo.policy's wire form?

A form with the fields `rule`, `target` and `credentials`, each JSON text, or one JSON object with these keys; it allows
if and only if the answer is the text True, in quotes or not (oslo_policy/_checks.py, HttpCheck, 6.0.1). Asked under a
name or as a URL in a rule, whose path may be filled from the target.
"""

from collections.abc import Hashable, Mapping
from typing import Any, Literal, cast
from urllib.parse import quote, urlencode

import msgspec

from rambla.domain.access import Question
from rambla.domain.errors import NoAnswer
from rambla.drivers.http.client import Poster
from rambla.drivers.settings import read_secret, read_settings
from rambla.enforcers.words import word

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
_ARGUMENT = "{argument}"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{argument}` in the `url` stands for what a rule writes behind the name; `secret_file` holds a bearer token."""

    url: str
    format: Literal["form", "json"] = "form"
    ca_file: str = ""
    secret_file: str = ""


class HttpEnforcer:
    def __init__(self, name: str, settings: Settings, poster: Poster) -> None:
        self._name = name
        self._settings = settings
        self._poster = poster

    def wording(self, question: Question, argument: str) -> Hashable:
        """The address and the body, as they are posted."""
        url = self._url(question, argument)
        try:
            body = self._body(question)
        except (TypeError, ValueError):
            raise NoAnswer(enforcer=self._name, detail="the question is none that JSON can hold") from None
        self._poster.bounded(url, body)
        return url, body

    async def says_yes(self, wording: Hashable) -> bool:
        url, body = cast("tuple[str, bytes]", wording)
        content_type = FORM if self._settings.format == "form" else JSON
        return (await self._poster.post(url, body, content_type)).strip(b'"') == b"True"

    async def close(self) -> None:
        await self._poster.close()

    def _url(self, question: Question, argument: str) -> str:
        url = self._settings.url
        if _ARGUMENT in url:
            return url.replace(_ARGUMENT, quote(word(self._name, question, argument, "argument"), safe=""))
        if argument:
            raise NoAnswer(enforcer=self._name, detail="it takes no argument")
        return url

    def _body(self, question: Question) -> bytes:
        fields = {"rule": question.permission, "target": question.target, "credentials": question.credentials}
        if self._settings.format == "json":
            return msgspec.json.encode(fields)
        return urlencode({name: msgspec.json.encode(value) for name, value in fields.items()}).encode()


class UrlEnforcer(HttpEnforcer):
    """Asked by what a rule writes as an URL: the argument is the whole of it."""

    def _url(self, question: Question, argument: str) -> str:
        return argument


def open_enforcer(name: str, given: Mapping[str, Any], *, timeout_ms: int) -> HttpEnforcer:
    """Raises BadSettings."""
    settings = read_settings(f"enforcers.{name}", Settings, given)
    token = read_secret(f"enforcers.{name}", settings.secret_file)
    poster = Poster(name, timeout_ms=timeout_ms, ca_file=settings.ca_file, token=token)
    return HttpEnforcer(name, settings, poster)


def open_origin(origin: str, *, timeout_ms: int) -> UrlEnforcer:
    """Whoever answers to the URLs of `origin`, in the form that oslo.policy uses if nobody says otherwise."""
    return UrlEnforcer(origin, Settings(origin), Poster(origin, timeout_ms=timeout_ms))
