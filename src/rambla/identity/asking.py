"""How is one source of identities asked?

The same proof by many is put once. A source that does not answer in time is away: nobody asks it again until a pause is
over, so that it slows nobody down, and those who are known elsewhere do not notice. Wrong passwords for one name are
counted, and after too many nobody is asked about it for a while, whether there is such a user or not.
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import Annotated

import anyio
import msgspec
from msgspec import Meta
from msgspec.structs import replace

from rambla.domain.access import HIGHEST_TRUST, USUAL_TRUST, Caller
from rambla.domain.errors import BadCredentials, RamblaError, SourceAway, SourceKnowsOthers
from rambla.domain.proofs import Password, Proof
from rambla.identity.attempts import Attempts
from rambla.identity.mapping import Ceiling, Translation
from rambla.identity.ports import Account, Keeper, Public, Source
from rambla.kit.breaker import Breaker
from rambla.kit.clock import Clock
from rambla.kit.flights import Flights
from rambla.kit.tasks import Tasks

_log = logging.getLogger(__name__)
SECOND_FACTORS = ("+totp", "+code")
"""How the method ends of who showed a code besides."""
_MS = Annotated[int, Meta(ge=1, le=3_600_000)]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How far a source is trusted, what it may give, how long it may take, how long what it said is remembered. `kind`
    says which driver asks it; `trust_totp` is the trust in who showed a second factor too, if it is another.

    `attempts_max` wrong passwords for one name within `attempts_ms` lock that name for `lock_ms`. At most `asked_max`
    proofs are put to it at once.
    """

    kind: str = ""
    trust: Annotated[int, Meta(ge=0, le=HIGHEST_TRUST)] = USUAL_TRUST
    trust_totp: Annotated[int, Meta(ge=0, le=HIGHEST_TRUST)] | None = None
    roles: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    mapping: str = ""
    timeout_ms: Annotated[int, Meta(ge=1, le=60_000)] = 3_000
    cache_ms: Annotated[int, Meta(ge=0, le=600_000)] = 30_000
    pause_ms: _MS = 5_000
    attempts_max: Annotated[int, Meta(ge=1, le=1000)] = 5
    attempts_ms: _MS = 300_000
    lock_ms: _MS = 300_000
    asked_max: Annotated[int, Meta(ge=1, le=10_000)] = 100

    @property
    def ceiling(self) -> Ceiling:
        return Ceiling(self.roles, self.namespaces)

    def trust_in(self, method: str) -> int:
        return self.trust if self.trust_totp is None or not method.endswith(SECOND_FACTORS) else self.trust_totp


class Asking:
    """`asked` counts the proofs that were put to the source, `refused` those that proved nobody, and `failed` those it
    could not say anything of."""

    def __init__(
        self, name: str, source: Source, terms: Terms, translation: Translation, clock: Clock, tasks: Tasks
    ) -> None:
        self.name = name
        self.terms = terms
        self.translation = translation
        self.asked = self.refused = self.failed = 0
        self._source = source
        self._clock = clock
        self._breaker = Breaker(pause_ms=terms.pause_ms, probe_ms=terms.timeout_ms)
        self._attempts = Attempts(terms.attempts_max, within_ms=terms.attempts_ms, lock_ms=terms.lock_ms)
        self._flights: Flights[Account] = Flights(f"question to the identity source {name}", tasks)

    @property
    def public(self) -> Mapping[str, object]:
        """What whoever logs in must know of it."""
        return self._source.public if isinstance(self._source, Public) else {}

    @property
    def keeper(self) -> Keeper | None:
        """Where its people are kept, if it keeps them itself."""
        return self._source if isinstance(self._source, Keeper) else None

    def takes(self, proof: Proof) -> bool:
        return self._source.takes(proof)

    async def prove(self, proof: Proof) -> Account:
        """Raises BadCredentials, TooManyAttempts or SourceAway."""

        async def ask() -> Account:
            return await (self._ask_counted(proof) if isinstance(proof, Password) else self._ask(proof))

        # A code is good once: of two who bring the same one, one brings it too late.
        alone = isinstance(proof, Password) and proof.code
        return await self._flights.share(object() if alone else _digest(proof), ask, _anew)

    def bounded(self, caller: Caller) -> Caller:
        """One whom this source knew before, as far as it may let them go now."""
        roles = tuple(filter(self.terms.ceiling.role, caller.roles))
        return replace(caller, roles=roles, trust=min(caller.trust, self.terms.trust_in(caller.method)))

    def lock_ms(self, user: str) -> int:
        """For how long the name is locked from now on, 0 if it is not."""
        return self.terms.lock_ms if self._attempts.is_locked(user, self._clock.monotonic_ns()) else 0

    def unlock(self, user: str) -> None:
        self._attempts.clear(user)

    def health(self) -> dict[str, object]:
        state = {"state": "away", "reason": self._breaker.reason} if self._breaker.reason else {"state": "answers"}
        if not self.asked:
            state = {"state": "not asked yet"}
        counts = {"asked": self.asked, "refused": self.refused, "failed": self.failed}
        return {**state, "trust": self.terms.trust, **counts}

    async def close(self) -> None:
        await self._source.close()

    async def _ask_counted(self, proof: Password) -> Account:
        self._attempts.admit(proof.user, self._clock.monotonic_ns())
        try:
            found = await self._ask(proof)
        except BadCredentials:
            self._note_wrong(proof.user)
            raise
        except SourceAway:
            self._attempts.unknown(proof.user)
            raise
        self._attempts.clear(proof.user)
        return found

    async def _ask(self, proof: Proof) -> Account:
        if len(self._flights) > self.terms.asked_max:
            raise SourceAway(source=self.name, detail=f"{self.terms.asked_max} others wait for it already")
        if not self._breaker.may_ask(self._clock.monotonic_ns()):
            raise SourceAway(source=self.name, detail=f"{self._breaker.reason}; it is asked again in a moment")
        self.asked += 1
        try:
            with anyio.fail_after(self.terms.timeout_ms / 1000):
                found = await self._source.prove(proof)
        except BadCredentials:
            self.refused += 1
            self._answered()
            raise
        except SourceKnowsOthers:  # whoever sends nonsense must not keep those away of whom it can say something
            self.failed += 1
            raise
        except Exception as error:
            raise self._away(error) from None  # what a driver did not foresee may hold a secret
        self._answered()
        return found

    def _away(self, error: Exception) -> SourceAway:
        match error:
            case TimeoutError():
                reason = f"it did not answer within {self.terms.timeout_ms} ms"
            case SourceAway(facts=facts):
                reason = str(facts["detail"])
            case _:
                _log.error("identity source %s failed: %s", self.name, type(error).__name__)
                reason = "its driver failed"
        self.failed += 1
        if self._breaker.failed(reason, self._clock.monotonic_ns()):
            _log.warning("identity source %s is away: %s", self.name, reason)
        return SourceAway(source=self.name, detail=reason)

    def _answered(self) -> None:
        if self._breaker.answered():
            _log.info("identity source %s answers again", self.name)

    def _note_wrong(self, user: str) -> None:
        if self._attempts.wrong(user, self._clock.monotonic_ns()):
            shown = user[:100].encode("ascii", "backslashreplace").decode()
            _log.warning("identity source %s: too many wrong passwords for %r, locked", self.name, shown)


def _digest(proof: Proof) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(proof)).digest()


def _anew(error: Exception) -> Exception:
    return type(error)(**error.facts) if isinstance(error, RamblaError) else RuntimeError(type(error).__name__)
