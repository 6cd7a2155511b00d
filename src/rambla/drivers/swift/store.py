"""How does Rambla use a Swift: accounts, containers, subscriptions, signed addresses?

`SwiftStore` implements `objects.ports.ObjectStore` over HTTP, as a user who may act in every account. `Login` says how
that user proves it (tempauth's v1 here; Keystone would be another one), `Users` how a namespace's key becomes a user.
Nothing is retried but a request whose token had expired.

An account's signing key is made from the master key and from the namespace's own key, so it falls with that key.
"""

import hmac
import math
import secrets
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import anyio
import httpx
import msgspec

from rambla.domain.errors import BadRequest, ObjectStoreFailed
from rambla.drivers.swift.names import account_of, check_container, check_object, path_of, temp_url
from rambla.kit.clock import Clock
from rambla.kit.files import write_durably
from rambla.objects.ports import SignedAddress, Subscription

TIMEOUT_S = 30.0
# The second of Swift's two keys: the first is the one that owners set for themselves by habit.
TEMP_URL_KEY_HEADER = "X-Account-Meta-Temp-URL-Key-2"
SIGNED_METHODS = ("GET", "HEAD", "PUT")
CLEARED_OWN_KEYS = {"X-Account-Meta-Temp-URL-Key": ""}
CLEARED_ACCOUNT = {**CLEARED_OWN_KEYS, TEMP_URL_KEY_HEADER: "", "X-Account-Access-Control": ""}
# A container has keys of its own, which open it as the account's do.
CLEARED_CONTAINER_KEYS = {
    "X-Container-Meta-Temp-URL-Key": "",
    "X-Container-Meta-Temp-URL-Key-2": "",
    "X-Container-Sync-Key": "",
}
CLEARED_CONTAINER = {**CLEARED_CONTAINER_KEYS, "X-Container-Read": "", "X-Container-Write": ""}


class Users(Protocol):
    """Who opens which account."""

    def put(self, namespace: str, secret: str) -> None:
        """From now on `secret` is the key of `namespace:namespace`, and no other."""
        ...

    def remove(self, namespace: str) -> None: ...


class Login(Protocol):
    async def token(self, client: httpx.AsyncClient) -> str:
        """A fresh token. Raises httpx.HTTPError or ObjectStoreFailed."""
        ...


class TempAuthLogin:
    """Tempauth's and Swift's own v1 authentication."""

    def __init__(self, user: str, key: str) -> None:
        self._headers = {"X-Auth-User": user, "X-Auth-Key": key}

    async def token(self, client: httpx.AsyncClient) -> str:
        answer = await client.get("/auth/v1.0", headers=self._headers)
        if answer.status_code != httpx.codes.OK or "x-auth-token" not in answer.headers:
            raise ObjectStoreFailed(detail=f"the log-in was answered {answer.status_code}")
        return str(answer.headers["x-auth-token"])


class SwiftStore:
    """`master_key` is what the accounts' signing keys are made from; it is kept as long as signatures are to hold."""

    kind = "swift"

    def __init__(self, url: str, login: Login, users: Users, master_key: bytes, clock: Clock) -> None:
        self._login, self._users, self._clock = login, users, clock
        self._master_key = master_key
        self._keys: dict[str, str] = {}
        self._client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False)
        self._token = ""
        self._changing = anyio.Lock()

    async def open_account(self, namespace: str, uuid: str, secret: str) -> None:
        account = account_of(namespace)
        key = self._key_of(account, uuid, secret)
        self._users.put(namespace, secret)  # first, so that an older key cannot set again what is cleared below
        found = await self._ask("HEAD", path_of(account), absent_ok=True)
        if found.headers.get(TEMP_URL_KEY_HEADER) != key:
            await self._clear_containers(account, CLEARED_CONTAINER_KEYS)
            # Last, because it tells the next call that all of this is done.
            await self._ask("POST", path_of(account), headers={**CLEARED_OWN_KEYS, TEMP_URL_KEY_HEADER: key})
        self._keys[account] = key

    async def close_account(self, namespace: str) -> None:
        account = account_of(namespace)
        self._keys.pop(account, None)
        self._users.remove(namespace)
        await self._clear_containers(account, CLEARED_CONTAINER)
        await self._ask("POST", path_of(account), headers=CLEARED_ACCOUNT)

    async def subscribe(self, namespace: str, subscription: Subscription) -> None:
        account = account_of(namespace)
        await self._ask("PUT", path_of(account, check_container(subscription.container)))
        if subscription.target:
            await self._ask("PUT", path_of(account, check_container(subscription.target)))
        entry = {
            "trigger": subscription.trigger,
            "events": list(subscription.events),
            "prefix": subscription.prefix,
            "suffix": subscription.suffix,
        }
        await self._replace(account, subscription.container, subscription.trigger, [entry])

    async def unsubscribe(self, namespace: str, container: str, trigger: str) -> None:
        await self._replace(account_of(namespace), check_container(container), trigger, [])

    def source_of(self, namespace: str, container: str) -> str:
        return path_of(account_of(namespace), container)

    async def sign(self, namespace: str, method: str, container: str, name: str, *, ttl_ms: int) -> SignedAddress:
        if not name.strip("/"):  # Swift's tempurl takes such a path for a container's
            raise BadRequest(detail=f"Swift opens no address of an object named {name!r}.")
        path = (account_of(namespace), check_container(container), check_object(name))
        return self._sign(method, path, ttl_ms, prefix=False)

    async def sign_below(
        self, namespace: str, method: str, container: str, prefix: str, *, ttl_ms: int
    ) -> SignedAddress:
        path = (account_of(namespace), check_container(container), check_object(prefix) if prefix else "")
        return self._sign(method, path, ttl_ms, prefix=True)

    async def health(self) -> dict[str, str]:
        try:
            answer = await self._client.get("/healthcheck")
        except httpx.HTTPError as error:
            return {"swift": f"does not answer: {error!r}"}
        return {"swift": "ok" if answer.status_code == httpx.codes.OK else f"answers {answer.status_code}"}

    async def close(self) -> None:
        await self._client.aclose()

    def _sign(self, method: str, path: tuple[str, str, str], ttl_ms: int, *, prefix: bool) -> SignedAddress:
        if method not in SIGNED_METHODS:
            raise BadRequest(detail=f"An address cannot be signed for {method}.")
        key = self._keys.get(path[0])
        if key is None:
            raise ObjectStoreFailed(detail=f"the account {path[0]} is not open")
        expires_s = math.ceil((self._clock.now_ms() + ttl_ms) / 1000)
        return temp_url(key, method, path, expires_s, prefix=prefix)

    def _key_of(self, account: str, uuid: str, secret: str) -> str:
        """One for each account and each of its keys: its owner can read it, and it must open nothing else or later."""
        return hmac.digest(self._master_key, msgspec.json.encode([account, uuid, secret]), "sha256").hex()

    async def _clear_containers(self, account: str, headers: dict[str, str]) -> None:
        """Set `headers` on every container of the account."""
        marker = ""
        while True:
            listing = f"{path_of(account)}?{urlencode({'format': 'json', 'marker': marker})}"
            answer = await self._ask("GET", listing, absent_ok=True)
            names = [item["name"] for item in answer.json() if "name" in item] if answer.is_success else []
            for name in names:
                await self._ask("POST", path_of(account, name), absent_ok=True, headers=headers)
            if not names:
                return
            marker = names[-1]

    async def _replace(self, account: str, container: str, trigger: str, entries: list[dict[str, Any]]) -> None:
        """Set what `trigger` has on `container`, and leave what others have. An absent container has nothing."""
        path = path_of(account, container) + "?notification"
        async with self._changing:
            answer = await self._ask("GET", path, absent_ok=True)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return
            document = msgspec.json.decode(answer.content, type=dict[str, list[dict[str, Any]]])
            others = [item for item in document["subscriptions"] if item["trigger"] != trigger]
            if others + entries == document["subscriptions"]:
                return
            body = msgspec.json.encode({"subscriptions": others + entries})
            await self._ask("POST", path, content=body, absent_ok=not entries)

    async def _ask(self, method: str, path: str, *, absent_ok: bool = False, **request: Any) -> httpx.Response:
        """One request as the platform's user. Raises BadRequest with Swift's reason on 400, else ObjectStoreFailed."""
        try:
            answer = await self._send(method, path, **request)
        except httpx.HTTPError as error:
            raise ObjectStoreFailed(detail=f"{method} {path}: {error!r}") from error
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise BadRequest(detail=answer.text.strip())
        if not answer.is_success and not (absent_ok and answer.status_code == httpx.codes.NOT_FOUND):
            raise ObjectStoreFailed(detail=f"{method} {path} was answered {answer.status_code}")
        return answer

    async def _send(self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any) -> httpx.Response:
        for fresh in (False, True):
            if fresh or not self._token:
                self._token = await self._login.token(self._client)
            answer = await self._client.request(
                method, path, headers={**(headers or {}), "X-Auth-Token": self._token}, **rest
            )
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                break
        return answer


def kept_secret(path: Path) -> str:
    """The secret in `path`, made at the first call; readable by the owner only."""
    try:
        return path.read_text()
    except FileNotFoundError:
        write_durably(path, secrets.token_hex(32).encode())
        return path.read_text()
