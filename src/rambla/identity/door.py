"""Who comes in?

Asks whoever can know: first the platform's own keys and tokens, then each source of identities in the order of the
settings. What was found is remembered for a short time, and forgotten at once when anybody is revoked; that somebody
proved nothing never is. No error and no log holds what was shown.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import sha256

from msgspec.structs import replace

from rambla.domain.access import PLATFORMS_OWN, PROGRAMS
from rambla.domain.errors import BadCredentials, NotAuthenticated, NotFound, SourceAway, TooManyAttempts
from rambla.domain.proofs import Certificate, KeystoneToken, Password, Proof, Shown, Token
from rambla.identity import tokens
from rambla.identity.asking import Asking
from rambla.identity.attempts import folded
from rambla.identity.identities import Identity, Proven, identity_of
from rambla.identity.keys import BYTES_MAX, KeyRing, parse_basic
from rambla.identity.mapping import meaning
from rambla.identity.ports import Account, AccountStore, LockStore, Project
from rambla.identity.tokens import Tokens
from rambla.kit.clock import Clock

REMEMBERED_MAX = 10_000
KEY_MS = 1000
BESIDE = "/"
"""Between the name of a source and that of a user."""

FindProject = Callable[[Proven, Project], Awaitable[str | None]]
"""The namespace of a project, None if it has none and may get none."""


class Door:
    def __init__(
        self,
        keys: KeyRing,
        sources: Iterable[Asking],
        accounts: AccountStore,
        tokens: Tokens,
        locks: LockStore,
        clock: Clock,
    ) -> None:
        self.keys = keys
        self.sources: Mapping[str, Asking] = {source.name: source for source in sources}
        self._accounts = accounts
        self.tokens = tokens
        self._locks = locks
        self._kept: dict[tuple[str, str], int] = {}
        """Locks that this node has put into the store, and until when they hold."""
        self._clock = clock
        self._ended = 0
        self._known: dict[bytes, tuple[Identity, int, int]] = {}
        """By what was shown: who that is, until when, and what number of changes to keys that was found at."""

    def recall(self, shown: Shown) -> Identity | None:
        """Whoever showed the same a moment ago."""
        known = self._known.get(_digest(shown))
        if known is None or known[2] != self.keys.changes or known[1] <= self._clock.now_ms():
            return None
        return known[0]

    async def identify(self, shown: Shown, find_project: FindProject) -> Identity:
        """Raises NotAuthenticated if nothing is shown, BadCredentials if it proves nobody, TooManyAttempts, SourceAway
        if one who could know does not answer, StorageFailed."""
        changes, ended = self.keys.changes, self._ended
        identity, for_ms = await self._find(shown, find_project)
        # Else it was true when it was asked, and perhaps no more.
        if changes == self.keys.changes and (ended == self._ended or not identity.token):
            self.remember(shown, identity, for_ms)
        return identity

    def remember(self, shown: Shown, identity: Identity, for_ms: int) -> None:
        """No longer than what was shown can be good."""
        now_ms = self._clock.now_ms()
        until_ms = min(now_ms + for_ms, identity.valid_ms or now_ms + for_ms)
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[_digest(shown)] = (identity, until_ms, self.keys.changes)

    async def log_in(self, source: str, proof: Proof, find_project: FindProject) -> Identity:
        """As `identify`, of one source ("" for all in their order), for what is no header of a request."""
        asked = [self.sources[source]] if source in self.sources else [] if source else [*self.sources.values()]
        return (await self._of_sources(asked, proof, find_project))[0]

    async def unlock(self, source: str, user: str) -> None:
        """After too many wrong passwords they may try again. Raises NotFound if there is no such source."""
        if source not in self.sources:
            raise NotFound()
        await self._locks.unlock(source, folded(user))
        self._kept.pop((source, folded(user)), None)
        self.sources[source].unlock(user)

    async def expire(self) -> None:
        """Forget tokens and locks that are over."""
        now_ms = self._clock.now_ms()
        await self.tokens.expire()
        await self._locks.expire(now_ms)
        self._kept = {name: until_ms for name, until_ms in self._kept.items() if until_ms > now_ms}

    def forget(self) -> None:
        """Ask again from now on, whoever comes: something was revoked."""
        self.keys.forget()
        self._known.clear()

    def forget_token(self, token_id: str) -> None:
        """Ask again from now on, whoever comes with it: it was ended or is another."""
        self._ended += 1
        for digest, (identity, _, _) in [*self._known.items()]:
            if identity.token and identity.token.id == token_id:
                del self._known[digest]

    def health(self) -> dict[str, object]:
        return {name: source.health() for name, source in self.sources.items()}

    async def close(self) -> None:
        for source in self.sources.values():
            await source.close()

    async def _find(self, shown: Shown, find_project: FindProject) -> tuple[Identity, int]:
        """Who that is, and for how long that may be remembered."""
        if max(map(len, (shown.authorization, shown.token, shown.certificate))) > BYTES_MAX:
            raise BadCredentials()
        if shown.authorization:
            scheme, _, value = shown.authorization.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                return await self._of_bearer(value.strip(), find_project)
            if scheme.lower() == "basic":
                return await self._of_basic(value, find_project)
            raise BadCredentials()
        if not shown.token and not shown.certificate:
            raise NotAuthenticated()
        if not shown.token:
            proof = Certificate(der=shown.certificate)
            return await self._of_sources(self.sources.values(), proof, find_project)
        asked, token = self._named(shown.token.decode("latin-1"))
        return await self._of_sources(asked, KeystoneToken(token=token), find_project)

    async def _of_bearer(self, token: str, find_project: FindProject) -> tuple[Identity, int]:
        if caller := self.keys.of_token(token):
            return Identity(caller), KEY_MS
        if tokens.is_ours(token):
            return await self._of_token(token), KEY_MS
        return await self._of_sources(self.sources.values(), Token(token=token), find_project)

    async def _of_basic(self, value: str, find_project: FindProject) -> tuple[Identity, int]:
        """A namespace's key, a user's password, or a token where a program knows no other way to send one."""
        user, secret = parse_basic(value)
        if tokens.is_ours(secret):
            return await self._of_token(secret), KEY_MS
        asked, name = self._named(user)
        if name != user:
            return await self._of_sources(asked, Password(user=name, password=secret), find_project)
        try:
            # OpenWhisk's clients may append a third part to a key; it means nothing.
            return Identity(await self.keys.of_key(user, secret.partition(":")[0])), KEY_MS
        except BadCredentials:
            return await self._of_sources(asked, Password(user=user, password=secret), find_project)

    def _named(self, text: str) -> tuple[Iterable[Asking], str]:
        """`SOURCE/REST` is for that source alone, and shown to no other."""
        source, _, rest = text.partition(BESIDE)
        return ([self.sources[source]], rest) if source in self.sources and rest else (self.sources.values(), text)

    async def _of_token(self, text: str) -> Identity:
        """Whom it makes, as far as the source that knew them may still say so: it may have been taken out of the
        settings since, or may give less."""
        identity = await self.tokens.prove(text)
        source = identity.caller.source
        if source in PLATFORMS_OWN or source == PROGRAMS:
            return identity
        if source not in self.sources:
            raise BadCredentials()
        bounded = self.sources[source].bounded
        elsewhere = {name: bounded(caller) for name, caller in identity.elsewhere.items()}
        return replace(identity, caller=bounded(identity.caller), elsewhere=elsewhere)

    async def _of_sources(
        self, sources: Iterable[Asking], proof: Proof, find_project: FindProject
    ) -> tuple[Identity, int]:
        """The first that knows it. Whoever cannot say is passed over, and told of if nobody else knows it."""
        unsaid: SourceAway | TooManyAttempts | None = None
        for source in sources:
            if not source.takes(proof):
                continue
            try:
                account = await self._prove(source, proof)
            except BadCredentials:
                continue
            except (SourceAway, TooManyAttempts) as error:
                unsaid = unsaid or error
                continue
            found = meaning(source.translation, source.terms.ceiling, account)
            proven = Proven(source.name, source.terms.trust_in(account.method), account, found)
            return await self._identity(proven, find_project), source.terms.cache_ms
        raise unsaid or BadCredentials()

    async def _prove(self, source: Asking, proof: Proof) -> Account:
        """As `Asking.prove`. A lock is kept before anybody hears of the wrong password that led to it; so it holds on
        all nodes, and after a restart."""
        if not isinstance(proof, Password):
            return await source.prove(proof)
        name = source.name, folded(proof.user)
        was_kept = name in self._kept
        left_ms = await self._locks.locked_until_ms(*name) - self._clock.now_ms()
        if left_ms > 0:
            raise TooManyAttempts(retry_after_s=-(-left_ms // 1000))
        if was_kept and self._kept.pop(name, 0):  # somebody opened it, perhaps on another node
            source.unlock(proof.user)
        try:
            return await source.prove(proof)
        except BadCredentials:
            if name not in self._kept and (lock_ms := source.lock_ms(proof.user)):
                until_ms = self._clock.now_ms() + lock_ms
                await self._locks.lock(*name, until_ms)
                self._kept[name] = until_ms
            raise

    async def _identity(self, proven: Proven, find_project: FindProject) -> Identity:
        if proven.account.expires_ms is not None and proven.account.expires_ms <= self._clock.now_ms():
            raise BadCredentials()
        standing = await self._accounts.get(proven.subject)
        namespace = await find_project(proven, proven.project) if proven.project else None
        return identity_of(proven, standing, namespace)


def _digest(shown: Shown) -> bytes:
    """Each kind for itself, so that one's token is never taken for another's."""
    if shown.authorization:
        return sha256(shown.authorization).digest()
    if shown.token:
        return sha256(b"token " + shown.token).digest()
    return b"certificate " + (shown.fingerprint or sha256(shown.certificate).digest())
