"""How does a client of OpenWhisk ask, and what must be true of every answer?

A case is a method named after upstream's behaviour, in a class named after upstream's suite (`TestActions`). What is
deliberately different is marked `@differs("why")` and shows what happens instead. `scripts/compatibility.py` makes a
page of the cases.
"""

import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec

from system.running import TLS, Running

C = TypeVar("C", bound=Callable[..., None])
API = "/api/v1"
MB = 2**20
MISSING = "The requested resource does not exist."
WRONG_COLLECTION = "Resource by this name exists but is not in this collection."
ECHO = "def main(args):\n    return args\n"
NODE_ECHO = "function main(args) { return args }"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent",
    "access-control-allow-methods": "GET, DELETE, POST, PUT, HEAD",
}
ENDED_WITHIN_S = 60


def differs(why: str) -> Callable[[C], C]:
    """The case shows what we do instead of what its name says, because of `why`."""

    def marked(case: C) -> C:
        return case

    assert why
    return marked


class Like:
    """Equals whatever is as described: for the parts of an answer that nobody can know before."""

    def __init__(self, description: str, fits: Callable[[Any], bool]) -> None:
        self._description = description
        self._fits = fits

    def __eq__(self, other: object) -> bool:
        return self._fits(other)

    def __hash__(self) -> int:
        raise TypeError("what nobody can know before is no key")

    def __repr__(self) -> str:
        return f"<{self._description}>"


ID = Like("32 hexadecimal digits", lambda it: isinstance(it, str) and bool(re.fullmatch("[0-9a-f]{32}", it)))
MS = Like("a time of ours, in ms", lambda it: isinstance(it, int) and 1.7e12 < it < 4e12)
COUNT = Like("a whole number", lambda it: type(it) is int and it >= 0)
TEXT = Like("a text", lambda it: isinstance(it, str) and it != "")


def matching(pattern: str) -> Like:
    return Like(pattern, lambda it: isinstance(it, str) and bool(re.fullmatch(pattern, it, re.DOTALL)))


class Pairs(list[dict[str, Any]]):
    """An array of key and value; OpenWhisk promises no order in these."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list) and len(other) == len(self) and all(each in other for each in list(self))

    __hash__ = None


def pairs(values: Mapping[str, Any] | None = None, /, **more: Any) -> Pairs:
    return Pairs({"key": key, "value": value} for key, value in {**(values or {}), **more}.items())


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Answer:
    """What came back. `gives` and `refuses` say all that was expected: status, body and headers."""

    status: int
    headers: httpx.Headers
    content: bytes
    is_rest: bool

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.content)

    def gives(self, body: Any, status: int = 200, headers: Mapping[str, object] | None = None) -> Any:
        """`body` as JSON, whole. Gives what came, for the next question."""
        assert self.status == status, self.content
        assert self.headers["content-type"] == "application/json"
        self._check_headers(headers or {})
        assert self.json == body
        return self.json

    def is_empty(self, status: int, headers: Mapping[str, object] | None = None) -> None:
        assert (self.status, self.content) == (status, b"")
        self._check_headers(headers or {})

    def is_text(self, text: str, content_type: str, status: int = 200) -> None:
        assert (self.status, self.headers["content-type"], self.content.decode()) == (status, content_type, text)
        self._check_headers({})

    def refuses(self, status: int, text: object, headers: Mapping[str, object] | None = None) -> None:
        """OpenWhisk's body of an error, with `text`, and the id of the request as its code."""
        assert self.status == status, self.content
        assert self.headers["content-type"] == "application/json"
        self._check_headers(headers or {})
        told = self.json
        assert told["error"] == text
        assert told["code"] == self.headers["x-request-id"]
        assert set(told) == {"error", "code"} or (status == 403 and set(told) == {"error", "code", *_WHY})

    def _check_headers(self, expected: Mapping[str, object]) -> None:
        assert self.headers["x-request-id"]
        for name, value in {**(CORS if self.is_rest else {}), **expected}.items():
            assert self.headers.get(name) == value, name


_WHY = ("rule", "layer", "line")  # of our own: which rule refused


class User:
    """Somebody with a namespace of their own and its key. Paths are below that namespace, unless they begin with `/`:
    then they are below `/api/v1`, or the whole path if they name another root."""

    def __init__(self, server: Running, namespace: str, key: str) -> None:
        self.server = server
        self.namespace = namespace
        self.key = key
        self.client = server.client(key)

    def send(self, method: str, path: str, **options: Any) -> Answer:
        """`options` are httpx's: `content`, `headers`, `json`, `params`, `auth`."""
        whole = _whole(path)
        answer = self.client.request(method, whole, **options)
        is_rest = whole.startswith(API) and not whole.startswith(f"{API}/web/")
        return Answer(answer.status_code, answer.headers, answer.content, is_rest)

    def get(self, path: str, /, **query: Any) -> Answer:
        return self.send("GET", path, params=_texts(query))

    def put(self, path: str, body: Any, /, **query: Any) -> Answer:
        return self.send("PUT", path, json=body, params=_texts(query))

    def post(self, path: str, body: Any = None, /, **query: Any) -> Answer:
        return self.send("POST", path, json={} if body is None else body, params=_texts(query))

    def delete(self, path: str, /, **query: Any) -> Answer:
        return self.send("DELETE", path, params=_texts(query))

    def visit(self, path: str, method: str = "GET", **options: Any) -> Answer:
        """A web action of this user's, by a stranger; `path` is `package/name[.ext][/rest][?query]`."""
        answer = httpx.request(
            method,
            f"{self.server.url}{API}/web/{self.namespace}/{path}",
            timeout=90,
            trust_env=False,
            verify=TLS,
            **options,
        )
        return Answer(answer.status_code, answer.headers, answer.content, is_rest=False)

    # --- what most cases need before they begin ---

    def make_action(self, name: str, code: str = ECHO, /, *, kind: str = "python:3", **fields: Any) -> dict[str, Any]:
        """Created or replaced; `fields` as in the body of a PUT. `web=True` exports it."""
        if fields.pop("web", False):
            fields["annotations"] = [*pairs({"web-export": True}), *fields.get("annotations", [])]
        body = {"exec": {"kind": kind, "code": code}, **fields}
        return self._made(self.put(f"actions/{name}", body, overwrite=True))

    def make_sequence(self, name: str, components: Sequence[str], /, **fields: Any) -> dict[str, Any]:
        """`components` are names as in `/_/a`."""
        body = {"exec": {"kind": "sequence", "components": components}, **fields}
        return self._made(self.put(f"actions/{name}", body, overwrite=True))

    def make_package(self, name: str, /, **fields: Any) -> dict[str, Any]:
        return self._made(self.put(f"packages/{name}", fields, overwrite=True))

    def make_binding(self, name: str, namespace: str, package: str, /, **fields: Any) -> dict[str, Any]:
        return self.make_package(name, binding={"namespace": namespace, "name": package}, **fields)

    def make_trigger(self, name: str, /, **fields: Any) -> dict[str, Any]:
        return self._made(self.put(f"triggers/{name}", fields, overwrite=True))

    def make_rule(self, name: str, trigger: str, action: str, /) -> dict[str, Any]:
        body = {"trigger": f"/_/{trigger}", "action": f"/_/{action}"}
        return self._made(self.put(f"rules/{name}", body, overwrite=True))

    def invoke(self, name: str, payload: Any = None, /, **query: Any) -> dict[str, Any]:
        """The record of a blocking call, however it ended."""
        answer = self.post(f"actions/{name}", payload, blocking=True, **query)
        assert answer.status in (200, 502), answer.content
        record: dict[str, Any] = answer.json
        return record

    def result(self, name: str, payload: Any = None, /) -> Any:
        """What a blocking call gives that is to succeed."""
        answer = self.post(f"actions/{name}", payload, blocking=True, result=True)
        assert answer.status == 200, answer.content
        return answer.json

    def ended(self, activation_id: str) -> dict[str, Any]:
        """The record of an activation, as soon as there is one."""
        record: dict[str, Any] = self.until(lambda: self._record(activation_id))
        return record

    def activations(self, at_least: int, /, **query: Any) -> list[dict[str, Any]]:
        """Whole records, newest first, as soon as there are so many."""

        def enough() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = self.get("activations", docs=True, **query).json
            return found if len(found) >= at_least else None

        records: list[dict[str, Any]] = self.until(enough)
        return records

    @staticmethod
    def until(check: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + ENDED_WITHIN_S
        while time.monotonic() < deadline:
            if found := check():
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {ENDED_WITHIN_S} s")

    def _record(self, activation_id: str) -> dict[str, Any] | None:
        answer = self.get(f"activations/{activation_id}")
        return answer.json if answer.status == 200 else None

    @staticmethod
    def _made(answer: Answer) -> dict[str, Any]:
        assert answer.status == 200, answer.content
        made: dict[str, Any] = answer.json
        return made


# --- entities as they are shown, whole ---


def an_action(user: User, name: str, /, **changed: Any) -> dict[str, Any]:
    """As `make_action(name)` answers; `package/name` lies in the package. `code=None` is how it is shown without."""
    package, _, simple = name.rpartition("/")
    code = changed.pop("code", ECHO)
    kind = changed.pop("kind", "python:3")
    executed = {"kind": kind, "binary": changed.pop("binary", False), **({} if code is None else {"code": code})}
    return {
        "namespace": f"{user.namespace}/{package}" if package else user.namespace,
        "name": simple,
        "version": "0.0.1",
        "publish": False,
        "annotations": pairs({"provide-api-key": False, "exec": kind}),
        "updated": MS,
        "exec": executed,
        "parameters": [],
        "limits": {"timeout": 60000, "memory": 256, "logs": 10, "concurrency": 1},
        **changed,
    }


def an_entity(user: User, name: str, /, **changed: Any) -> dict[str, Any]:
    """What packages, triggers and rules have in common."""
    shown = {"namespace": user.namespace, "name": name, "version": "0.0.1", "publish": False, "annotations": []}
    return {**shown, "updated": MS, **changed}


def a_package(user: User, name: str, /, **changed: Any) -> dict[str, Any]:
    """A binding has the annotation by which lists tell it from a package."""
    shown = an_entity(user, name, **{"parameters": [], "binding": {}, **changed})
    bound = pairs(binding=shown["binding"]) if shown["binding"] else Pairs()
    others = [one for one in shown["annotations"] if one["key"] != "binding"]
    return {**shown, "annotations": Pairs([*others, *bound])}


def a_trigger(user: User, name: str, /, **changed: Any) -> dict[str, Any]:
    return an_entity(user, name, **{"parameters": [], "limits": {}, **changed})


def a_rule(user: User, name: str, trigger: str, action: str, /, **changed: Any) -> dict[str, Any]:
    package, _, simple = action.rpartition("/")
    path = f"{user.namespace}/{package}" if package else user.namespace
    linked = {"trigger": {"path": user.namespace, "name": trigger}, "action": {"path": path, "name": simple}}
    return an_entity(user, name, **{**linked, "status": "active", **changed})


def _whole(path: str) -> str:
    if not path.startswith("/"):
        return f"{API}/namespaces/_/{path}"
    return path if path.startswith(("/api/", "/platform/")) or path in ("/", "/ping", "/api") else f"{API}{path}"


def _texts(query: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in query.items()}
