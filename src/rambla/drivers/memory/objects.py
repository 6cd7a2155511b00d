"""An object store in dicts. (port: rambla.objects.ports.ObjectStore)

It honours the addresses that it signed, as Swift would, by `answer`; nothing listens on a port. No events come of what
is written: whoever needs one makes it.
"""

import hmac
import math
import secrets
from urllib.parse import parse_qs, quote, unquote, urlencode

from rambla.domain.errors import BadRequest, ObjectStoreFailed
from rambla.kit.clock import Clock
from rambla.objects.ports import SignedAddress, Subscription

NAME_BYTES_MAX = 1024
CONTAINER_BYTES_MAX = 256
METHODS = ("GET", "HEAD", "PUT")


class MemoryObjects:
    """`keys` are the secrets that open accounts, `objects` contents by path, `subscriptions` by namespace, container
    and trigger. While `away`, the store does not answer."""

    kind = "memory"

    def __init__(self, clock: Clock) -> None:
        self.away = False
        self.keys: dict[str, str] = {}
        self.objects: dict[str, bytes] = {}
        self.containers: set[tuple[str, str]] = set()
        self.subscriptions: dict[tuple[str, str, str], Subscription] = {}
        self._clock = clock
        self._signing: dict[str, bytes] = {}

    async def open_account(self, namespace: str, uuid: str, secret: str) -> None:
        self._check_here()
        if namespace.startswith("AUTH_"):
            raise BadRequest(detail="A namespace with objects may not be named AUTH_...")
        if self.keys.get(namespace) != secret:
            self._signing[namespace] = secrets.token_bytes(32)
        self.keys[namespace] = secret

    async def close_account(self, namespace: str) -> None:
        self._check_here()
        self.keys.pop(namespace, None)
        self._signing.pop(namespace, None)

    async def subscribe(self, namespace: str, subscription: Subscription) -> None:
        self._check_here()
        for container in (subscription.container, *filter(None, [subscription.target])):
            self.containers.add((namespace, _check_container(container)))
        self.subscriptions[namespace, subscription.container, subscription.trigger] = subscription

    async def unsubscribe(self, namespace: str, container: str, trigger: str) -> None:
        self._check_here()
        self.subscriptions.pop((namespace, _check_container(container), trigger), None)

    def source_of(self, namespace: str, container: str) -> str:
        return quote(f"/memory/{namespace}/{container}")

    async def sign(self, namespace: str, method: str, container: str, name: str, *, ttl_ms: int) -> SignedAddress:
        if not name:
            raise BadRequest(detail="An object has a name.")
        return self._sign(method, _path(namespace, container, name), ttl_ms, prefix=False)

    async def sign_below(
        self, namespace: str, method: str, container: str, prefix: str, *, ttl_ms: int
    ) -> SignedAddress:
        return self._sign(method, _path(namespace, container, prefix), ttl_ms, prefix=True)

    async def health(self) -> dict[str, str]:
        return {"memory": "does not answer" if self.away else "ok"}

    async def close(self) -> None:
        """Nothing is held."""

    def answer(self, method: str, path: str, query: str, content: bytes = b"") -> tuple[int, bytes]:
        """The HTTP status and content that a request for a signed address gets."""
        plain = unquote(path)
        if plain.split("/")[2] not in self.keys or not self._is_signed(method, path, query):
            return 401, b""
        if method == "PUT":
            self.objects[plain] = content
            return 201, b""
        if plain not in self.objects:
            return 404, b""
        return 200, b"" if method == "HEAD" else self.objects[plain]

    def _is_signed(self, method: str, path: str, query: str) -> bool:
        given = {key: values[-1] for key, values in parse_qs(query, keep_blank_values=True).items()}
        expires_s, signature = given.get("expires", "0"), given.get("signature", "")
        below = given.get("below")
        signed_path = unquote(path) if below is None else below
        if int(expires_s) * 1000 <= self._clock.now_ms() or not unquote(path).startswith(signed_path):
            return False
        methods = [method, "GET"] if method == "HEAD" else [method]
        wanted = [self._signature(each, signed_path, expires_s, prefix=below is not None) for each in methods]
        return any(hmac.compare_digest(signature, each) for each in wanted)

    def _sign(self, method: str, path: str, ttl_ms: int, *, prefix: bool) -> SignedAddress:
        if method not in METHODS:
            raise BadRequest(detail=f"An address cannot be signed for {method}.")
        expires_s = math.ceil((self._clock.now_ms() + ttl_ms) / 1000)
        query = {"signature": self._signature(method, path, str(expires_s), prefix=prefix), "expires": expires_s}
        query |= {"below": path} if prefix else {}
        return SignedAddress(method, quote(path), urlencode(query), expires_s * 1000, prefix)

    def _signature(self, method: str, path: str, expires_s: str, *, prefix: bool) -> str:
        key = self._signing.get(path.split("/")[2])
        if key is None:
            raise ObjectStoreFailed(detail=f"the account of {path} is not open")
        return hmac.digest(key, f"{method} {expires_s} {prefix} {path}".encode(), "sha256").hex()

    def _check_here(self) -> None:
        if self.away:
            raise ObjectStoreFailed(detail="away")


def _path(namespace: str, container: str, name: str) -> str:
    if _bytes_of(name) > NAME_BYTES_MAX:
        raise BadRequest(detail=f"An object's name has at most {NAME_BYTES_MAX} bytes.")
    return f"/memory/{namespace}/{_check_container(container)}/{name}"


def _check_container(container: str) -> str:
    if not 0 < _bytes_of(container) <= CONTAINER_BYTES_MAX or set("/\0") & set(container) or container in (".", ".."):
        raise BadRequest(detail=f"There cannot be a container {container!r}.")
    return container


def _bytes_of(name: str) -> int:
    """More than any limit for what UTF-8 cannot say."""
    try:
        return len(name.encode())
    except UnicodeEncodeError:
        return NAME_BYTES_MAX + 1
