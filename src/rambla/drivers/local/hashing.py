"""Is this the password whose hash is kept?

By argon2id (RFC 9106), in threads, as it takes tens of milliseconds and MiB of memory on purpose; few at once. Where
nothing is kept the same work is done for nothing, so that its time does not tell who is somebody.
"""

import secrets
import unicodedata

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE_MAX = 2


class Hasher:
    def __init__(self, *, memory_kib: int, passes: int, lanes: int) -> None:
        self._argon = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._nobodys = self._argon.hash(secrets.token_hex())
        self._limiter = anyio.CapacityLimiter(AT_ONCE_MAX)

    async def hash(self, password: str) -> str:
        """What to keep of it: its hash, with parameters and salt."""
        return await anyio.to_thread.run_sync(self._argon.hash, _bytes(password), limiter=self._limiter)

    async def matches(self, kept: str | None, password: str) -> bool:
        """False if nothing is kept, after the same work."""
        right = await anyio.to_thread.run_sync(
            self._verify, kept or self._nobodys, _bytes(password), limiter=self._limiter
        )
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than we have now."""
        return self._argon.check_needs_rehash(kept)

    def _verify(self, kept: str, password: bytes) -> bool:
        try:
            return self._argon.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    """The same for the same password, however a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
