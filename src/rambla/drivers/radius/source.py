"""Whose password is that, by the word of a RADIUS server?

The server is asked once, and again with the code of a second factor if it challenges for one. A server knows no other
name for somebody than what was written, so by default only one spelling of a name is taken for it: what many servers
hold for the same would be several accounts here, and revoking one would leave the others. (port:
rambla.identity.ports.Source)
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from rambla.domain.errors import BadCredentials, BadSettings, SourceAway
from rambla.domain.proofs import Password, Proof
from rambla.drivers.radius import packets
from rambla.drivers.radius.exchange import Server, Servers, Unreachable
from rambla.drivers.radius.packets import PASSWORD_BYTES_MAX, VALUE_BYTES_MAX, Answer
from rambla.drivers.settings import read_secret, read_settings
from rambla.identity.ports import Account
from rambla.kit.clock import Clock

PORT = 1812
_USER = re.compile(r"[^\0-\x1f\x7f\ud800-\udfff]+")
_PLAIN = re.compile(r"[\w.+$-]+")
_WORD = re.compile(r"[^\0\ud800-\udfff]+")
_TOLD = {"Class": packets.CLASS, "Filter-Id": packets.FILTER_ID, "Reply-Message": packets.REPLY_MESSAGE}
_TEXT = Annotated[str, Meta(max_length=100)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`servers` are asked in their order, all with the secret in `secret_file`; each request is sent `tries` times,
    `try_ms` apart.

    What somebody is called is written between `prefix` and `suffix`. `plain_names` are in small letters, without realms
    and spaces. `code` says where the code of a second factor belongs: in the answer to a challenge, or behind the
    password. `groups` names the attribute with somebody's groups.
    """

    servers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=10)]
    secret_file: str
    nas_identifier: Annotated[str, Meta(min_length=1)] = "rambla"
    tries: Annotated[int, Meta(ge=1, le=10)] = 2
    try_ms: Annotated[int, Meta(ge=10, le=60_000)] = 1_000
    prefix: _TEXT = ""
    suffix: _TEXT = ""
    plain_names: bool = True
    code: Literal["challenge", "append"] = "challenge"
    groups: Literal["", "Class", "Filter-Id"] = ""


class RadiusSource:
    def __init__(self, name: str, servers: Servers, settings: Settings, clock: Clock) -> None:
        self._name = name
        self._servers = servers
        self._settings = settings
        self._clock = clock

    def takes(self, proof: Proof) -> bool:
        return isinstance(proof, Password) and not (proof.domain or proof.project)

    async def prove(self, proof: Proof) -> Account:
        if not isinstance(proof, Password):
            raise BadCredentials()
        user = self._user(proof.user)
        try:
            answer = await self._ask(user, proof)
        except Unreachable as error:
            raise SourceAway(source=self._name, detail=str(error)) from error
        if answer.code != packets.ACCESS_ACCEPT:
            raise BadCredentials()
        return self._account(proof, answer)

    async def close(self) -> None:
        pass

    async def _ask(self, user: bytes, proof: Password) -> Answer:
        """The last answer. A code that nobody asked for is a wrong one."""
        appended = self._settings.code == "append"
        password, code = _word(proof.password + proof.code if appended else proof.password), b""
        if proof.code and not appended:
            code = _word(proof.code)
        attributes = [(packets.USER_NAME, user), (packets.NAS_IDENTIFIER, self._settings.nas_identifier.encode())]
        server, answer = await self._servers.ask(password, attributes)
        if answer.code != packets.ACCESS_CHALLENGE:
            if code:
                raise BadCredentials()
            return answer
        state = answer.values(packets.STATE)
        if not code or len(state) > 1:
            raise BadCredentials()
        return await server.ask(code, [*attributes, *((packets.STATE, each) for each in state)])

    def _user(self, name: str) -> bytes:
        """As it is sent. Raises BadCredentials if nobody is called so."""
        plain = _PLAIN.fullmatch(name) and unicodedata.normalize("NFKC", name).casefold() == name
        if not (plain if self._settings.plain_names else _USER.fullmatch(name)):
            raise BadCredentials()
        sent = f"{self._settings.prefix}{name}{self._settings.suffix}".encode()
        if len(sent) > VALUE_BYTES_MAX:
            raise BadCredentials()
        return sent

    def _account(self, proof: Password, answer: Answer) -> Account:
        attributes = {name: _texts(answer.values(kind)) for name, kind in _TOLD.items()}
        return Account(
            user=proof.user,
            method="password+code" if proof.code else "password",
            groups=attributes.get(self._settings.groups, ()),
            attributes=attributes,
            expires_ms=self._expires_ms(answer),
        )

    def _expires_ms(self, answer: Answer) -> int | None:
        """Session-Timeout is in seconds."""
        spans = [int.from_bytes(value, "big") for value in answer.values(packets.SESSION_TIMEOUT) if len(value) == 4]
        return self._clock.now_ms() + min(spans) * 1000 if spans else None


def open_source(name: str, given: Mapping[str, Any], catalog: Any, clock: Clock) -> RadiusSource:
    """Raises BadSettings."""
    table = f"identity.{name}"
    settings = read_settings(table, Settings, given)
    secret = read_secret(table, settings.secret_file).encode()
    if not secret:
        raise BadSettings(name=table, detail="it needs a secret_file")
    if len(settings.nas_identifier.encode()) > VALUE_BYTES_MAX:
        raise BadSettings(name=table, detail=f"nas_identifier has more than {VALUE_BYTES_MAX} bytes")
    servers = [Server(*_address(table, each), secret, settings.tries, settings.try_ms) for each in settings.servers]
    return RadiusSource(name, Servers(servers, clock), settings, clock)


def _address(table: str, server: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{server}")
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host, port = None, 0
    if not host or parts.netloc != server or parts.username is not None:
        raise BadSettings(name=table, detail=f"'{server}' is no HOST or HOST:PORT")
    return host, port


def _word(text: str) -> bytes:
    """A password or a code. Servers forget NULs at its end, so there is none. Raises BadCredentials."""
    if not _WORD.fullmatch(text) or len(text.encode()) > PASSWORD_BYTES_MAX:
        raise BadCredentials()
    return text.encode()


def _texts(values: tuple[bytes, ...]) -> tuple[str, ...]:
    texts = []
    for value in values:
        try:
            texts.append(value.decode())
        except UnicodeDecodeError:
            continue
    return tuple(texts)
