"""What must an object store be able to do?

`account` is the store's own name for a tenant's space (`AUTH_guest`). ObjectStoreFailed means it did not answer or
refused; the caller may try again, every method is idempotent.
"""

from typing import Protocol

import msgspec


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of a container go to `trigger` (`namespace/name`).

    `events` are S3's names (`s3:ObjectCreated:*`); `target` is the container an action may write to, "" for none.
    """

    trigger: str
    container: str
    events: tuple[str, ...] = ("s3:ObjectCreated:*",)
    prefix: str = ""
    suffix: str = ""
    target: str = ""


class SignedAddress(msgspec.Struct, frozen=True):
    """`path` and `query` of an address honoured until `expires_ms`; with `prefix`, for any object below."""

    method: str
    path: str
    query: str
    expires_ms: int
    prefix: bool = False


class ObjectStore(Protocol):
    kind: str

    async def open_account(self, namespace: str, uuid: str, secret: str) -> None:
        """Make sure that `namespace` has an account, which its key opens as user `namespace:namespace`, and no older
        one does, nor an address that was signed while an older one was in force. Whoever signs for the namespace must
        have opened it since the start. Raises BadRequest for a name that could pass for another's account."""
        ...

    async def close_account(self, namespace: str) -> None:
        """Nothing opens it any more, neither its key nor a signed address; objects stay."""
        ...

    async def subscribe(self, namespace: str, subscription: Subscription) -> None:
        """From now on such events are delivered. Replaces what the same trigger had on that container. Creates the
        container, and the target, if absent. Raises BadRequest for a container that there cannot be."""
        ...

    async def unsubscribe(self, namespace: str, container: str, trigger: str) -> None:
        """None of its events go to `trigger` any more; nothing happens if none did or if there is no container."""
        ...

    def source_of(self, namespace: str, container: str) -> str:
        """The `source` that CloudEvents of that container bear: whoever names another may not fire its triggers."""
        ...

    async def sign(self, namespace: str, method: str, container: str, name: str, *, ttl_ms: int) -> SignedAddress:
        """An address of that one object, also if its name ends with "/": it opens nothing else, by no other method
        but HEAD beside GET. Raises BadRequest if there can be no such object, or for another method than GET, HEAD or
        PUT, and ObjectStoreFailed if the account is not open."""
        ...

    async def sign_below(
        self, namespace: str, method: str, container: str, prefix: str, *, ttl_ms: int
    ) -> SignedAddress:
        """An address to which the rest of a name is added: of every object whose name begins with `prefix`, and if
        that is empty, of every object in the container. Raises as `sign` does."""
        ...

    async def health(self) -> dict[str, str]:
        """Of each part whether it works, and if not, why: for people."""
        ...

    async def close(self) -> None: ...
