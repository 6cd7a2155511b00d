"""How does the shipper talk to the platform and to Swift?

Two small users of `client`: `Intake` posts batches of events, `Swift` asks for one object. Every way in which the other
side can fail becomes `Failed`; nothing is retried here.
"""

import json
import ssl
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

from rambla_openstack.client import Answer, Client, Failed
from rambla_openstack.pending import Found
from rambla_openstack.records import Intent
from rambla_openstack.waiting import Delivery, Key, Verdict

TOO_MUCH_STATUSES = (400, 408, 413, 422, 429, *range(500, 600))
UNKNOWN_CODE = "not_found"
UNKNOWN_REASON = "The requested resource does not exist."
"""What the platform says of that code where it names ids only."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is. `token` opens the platform; `user` and `key` open Swift (tempauth v1).

    `certificate` is a file with the very certificate by which the platform is known, whatever names are in it; "" if it
    is known by the system's authorities.
    """

    intake_url: str
    token: str
    swift_url: str
    user: str
    key: str
    certificate: str = ""

    @classmethod
    def from_document(cls, document: dict[str, Any], token: str) -> Self:
        """Raises ValueError if something is missing or no address."""
        try:
            swift = document["swift"]
            settings = cls(
                intake_url=document["intake_url"],
                token=token,
                swift_url=swift["url"],
                user=swift["user"],
                key=swift["key"],
                certificate=document.get("certificate", ""),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a shipper's configuration: {error!r}") from None
        for url in (settings.intake_url, settings.swift_url):
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise ValueError(f"not an address: {url!r}")
        return settings


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform said of the deliveries that it named. `names_triggers`: of each, and not of events."""

    verdicts: dict[Key, Verdict]
    names_triggers: bool

    @classmethod
    def from_document(cls, document: dict[str, Any], deliveries: list[Delivery]) -> Self:
        """`{"results": [{"trigger", "id", "code"?, "reason"?}, ...]}`, where a code or reason means rejected; or
        `{"accepted": [id, ...], "rejected": [{"id", "reason"}, ...]}`. Raises what a wrong document raises."""
        if "results" in document:
            return cls({(str(item["trigger"]), str(item["id"])): _verdict(item) for item in document["results"]}, True)
        verdicts = {str(identifier): Verdict() for identifier in document["accepted"]}
        verdicts |= {str(item["id"]): _verdict({"reason": item["reason"]}) for item in document["rejected"]}
        count = Counter(item.id for item in deliveries)  # an id that two deliveries share says nothing of either
        found = {item.key: verdicts[item.id] for item in deliveries if item.id in verdicts and count[item.id] == 1}
        return cls(found, False)


def _verdict(item: dict[str, Any]) -> Verdict:
    code, reason = item.get("code"), item.get("reason")
    is_unknown = code == UNKNOWN_CODE or (code is None and reason == UNKNOWN_REASON)
    return Verdict(str(reason or code or ""), is_unknown)


class Intake:
    """The platform's intake of events."""

    def __init__(self, url: str, token: str, certificate: str = "") -> None:
        self._url, self._certificate = url, certificate
        self._client: Client | None = None
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def post(self, deliveries: list[Delivery]) -> Receipt:
        """Raises Failed on any answer but 200 with a receipt."""
        document = {"events": [{"trigger": item.trigger, "event": item.event} for item in deliveries]}
        answer = self._ask(json.dumps(document).encode())
        if answer.status != 200:
            text = answer.body[:200].decode(errors="replace")
            raise Failed(f"the platform answered {answer.status}: {text}", too_much=answer.status in TOO_MUCH_STATUSES)
        try:
            return Receipt.from_document(json.loads(answer.body), deliveries)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Failed(f"the platform's answer makes no sense: {error!r}") from error

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self, body: bytes) -> Answer:
        """After a failure, the certificate is read again: the platform may have another one."""
        try:
            if self._client is None:
                self._client = Client(self._url, known_by(self._certificate) if self._certificate else None)
            return self._client.ask("POST", "/sources/v1/events", self._headers, body)
        except OSError as error:
            raise Failed(f"{self._certificate}: {error}") from error
        except Failed:
            self.close()
            raise


def known_by(certificate: str) -> ssl.SSLContext:
    """Trusts that one alone. Raises OSError."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class Swift:
    """Asks the newest replica for an object, as a user who may read every account."""

    def __init__(self, settings: Settings) -> None:
        self._client = Client(settings.swift_url)
        self._user, self._key = settings.user, settings.key
        self._token = ""

    def find(self, intent: Intent) -> Found | None:
        """The object that `intent` is about, None if Swift has none. Raises Failed if that is not certain."""
        path = f"/v1/{quote(intent.account)}/{quote(intent.container)}/{quote(intent.name)}"
        answer = self._head(path + (f"?{intent.look}" if intent.look else ""))
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Failed(f"Swift answered {answer.status} to HEAD {path}")
        headers = answer.headers
        try:
            size, timestamp = int(headers["content-length"]), headers["x-timestamp"]
            float(timestamp)
        except (KeyError, ValueError) as error:
            raise Failed(f"Swift's answer to HEAD {path} lacks length or timestamp: {error!r}") from error
        return Found(timestamp, size, headers.get("etag", "").strip('"'), headers.get("x-object-version-id", ""))

    def _head(self, path: str) -> Answer:
        """HEAD, logging in first where needed. X-Newest: all replicas are asked."""
        for fresh in (False, True):
            if fresh or not self._token:
                self._token = self._log_in()
            answer = self._client.ask("HEAD", path, {"X-Auth-Token": self._token, "X-Newest": "true"})
            if answer.status != 401:
                break
        return answer

    def _log_in(self) -> str:
        answer = self._client.ask("GET", "/auth/v1.0", {"X-Auth-User": self._user, "X-Auth-Key": self._key})
        token = answer.headers.get("x-auth-token", "")
        if answer.status != 200 or not token:
            raise Failed(f"Swift answered {answer.status} to the shipper's log-in")
        return token

    def close(self) -> None:
        self._client.close()
