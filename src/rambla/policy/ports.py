"""Who else is asked, where are policies kept, and who signs them?

The ports for whatever decides outside of the policy's text (a web service that oslo.policy's `http:` names, a
directory, a database), for the store of bundles, and for the keys that bundles are signed and verified with.
"""

from collections.abc import Collection, Iterator
from typing import Protocol

from rambla.domain.access import Question as Question  # what `says_yes` takes
from rambla.policy.bundle import Bundle


class Enforcers(Protocol):
    """Those that may be asked."""

    def says_yes(self, question: Question) -> bool:
        """Whether the one named allows it, within a time that the implementation bounds.

        Any exception, also for one that is not known, makes the whole decision no; Unanswered lets whoever decides ask
        first and decide again. The implementation caches answers and does not retry; it may be called from several
        threads at once.
        """
        ...

    @property
    def names(self) -> Collection[str]:
        """Those that a rule may ask by name."""
        ...


class Nobody:
    """Nobody may be asked: every question fails."""

    names: Collection[str] = ()

    def says_yes(self, question: Question) -> bool:
        raise LookupError(f"there is no enforcer '{question.where}'")


NOBODY = Nobody()


class _Every(Collection[str]):
    """Every name there could be."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Elsewhere(Nobody):
    """Any may be named, as the settings of a platform elsewhere say who there is; here every question fails."""

    names: Collection[str] = _Every()


ELSEWHERE = Elsewhere()


class BundleStore(Protocol):
    """Bundles for ever: none is changed or taken away. Every method may raise StorageFailed."""

    async def newest(self) -> int:
        """The number of the newest bundle, 0 if there is none."""
        ...

    async def append(self, bundle: Bundle) -> None:
        """Keep it: durable on return, and found by every node from then on.

        Raises ConcurrentChange if its number is not that of the newest plus one.
        """
        ...

    async def get(self, number: int) -> Bundle | None:
        """The bundle as it was appended. Raises BrokenPolicy if somebody made something else of it."""
        ...

    async def history(self, *, before: int, limit: int) -> list[Bundle]:
        """Summaries of those with a lower number than `before`, the newest first. Raises as `get` does."""
        ...


class LastBundle(Protocol):
    """The last bundle that this node had in force, in case that the store has it no more.

    May be called from several threads at once.
    """

    def load(self) -> Bundle | None:
        """None if there was none. Raises StorageFailed, or BrokenPolicy if somebody made something else of it."""
        ...

    def save(self, bundle: Bundle) -> None:
        """Durable on return. Raises StorageFailed, and the one before is kept."""
        ...


class Signer(Protocol):
    """One key that signs, and those that are trusted. Never puts a private key into an error or a log."""

    def sign(self, payload: bytes) -> tuple[str, bytes]:
        """The public key in hexadecimal, and the signature. Raises StorageFailed."""
        ...

    def verifies(self, payload: bytes, bundle: Bundle) -> bool:
        """Whether the bundle's signature is that of a key which is trusted for its number."""
        ...

    def keys(self) -> dict[str, int | None]:
        """The public keys that are trusted, with the number of the last bundle that each may have signed, if there is
        one. The key that signs now comes last."""
        ...

    def rotate(self, upto: int) -> str:
        """Sign with a new key from now on; what signed before is trusted for bundles up to that number only.

        The new public key; durable on return. Raises StorageFailed.
        """
        ...

    def trust(self, key: str) -> None:
        """Trust what another node signs. Raises BadRequest if that is no public key, StorageFailed."""
        ...
