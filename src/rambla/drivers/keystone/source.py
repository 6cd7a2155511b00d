"""Whose token, password or application credential is that, by Keystone's word?

Tokens are validated by the right of a token of the platform's own, which is got when it is first needed and again when
Keystone refuses it. A password and an application credential are exchanged for a token, which is looked at and dropped.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import anyio
import msgspec

from rambla.domain.errors import BadCredentials, BadSettings
from rambla.domain.proofs import ApplicationCredential, KeystoneToken, Password, Proof
from rambla.drivers.keystone.answers import account
from rambla.drivers.keystone.bodies import Body, by_application_credential, by_password
from rambla.drivers.keystone.client import Client, Reply
from rambla.drivers.settings import read_secret, read_settings
from rambla.identity.ports import Account
from rambla.kit.clock import Clock

REFUSED_MS = 500
_TOKEN = re.compile(r"[A-Za-z0-9_.=-]{1,4096}")  # Fernet and JSON web tokens, and those of 32 digits
_NAME = re.compile(r"[^\0-\x1f\x7f\ud800-\udfff]{1,255}")
_MAYBE = re.compile(rf"(?:{_NAME.pattern})?")
_SECRET = re.compile(r"[^\0\ud800-\udfff]{1,4096}")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`secret_file` holds the password of `user`, or the secret of the application credential with that id: the
    platform's own, which may validate tokens. `domain` is the domain of users who name none, and whose names are told
    to the mapping. Users, projects and domains are given by name.
    """

    url: str
    secret_file: str
    user: str = ""
    user_domain: str = "Default"
    project: str = "service"
    project_domain: str = "Default"
    application_credential: str = ""
    domain: str = "Default"
    ca_file: str = ""


class KeystoneSource:
    def __init__(self, client: Client, own: Body, domain: str, clock: Clock) -> None:
        """`own` is how the platform gets its token."""
        self._client = client
        self._own = _OwnToken(client, own)
        self._domain = domain
        self._clock = clock

    def takes(self, proof: Proof) -> bool:
        match proof:
            case KeystoneToken(token=token):
                return bool(_TOKEN.fullmatch(token))
            case Password(user=user, password=password, code=code, domain=domain, project=project):
                named = _NAME.fullmatch(user) and _SECRET.fullmatch(password)
                return bool(named) and all(_MAYBE.fullmatch(each) for each in (code, domain, project))
            case ApplicationCredential(id=id_, secret=secret):
                return bool(_NAME.fullmatch(id_) and _SECRET.fullmatch(secret))
            case _:
                return False

    async def prove(self, proof: Proof) -> Account:
        match proof:
            case KeystoneToken(token=token):
                return self._account(await self._validated(token), issued=True)
            case Password():
                return self._account(await self._checked(by_password(proof, self._domain)))
            case ApplicationCredential():
                return self._account(await self._client.issue(by_application_credential(proof)))
            case _:
                raise BadCredentials()

    async def close(self) -> None:
        await self._client.close()

    async def _checked(self, password: Body) -> Reply:
        """Held back if it is refused: Keystone says sooner that there is no such user than that a password is wrong."""
        until_ns = self._clock.monotonic_ns() + REFUSED_MS * 1_000_000
        reply = await self._client.issue(password)
        if reply.status != 201:
            await anyio.sleep(max(0, until_ns - self._clock.monotonic_ns()) / 1_000_000_000)
        return reply

    async def _validated(self, token: str) -> Reply:
        own = await self._own.get()
        reply = await self._client.validate(token, own)
        if reply.status == 401:  # it is our token that is meant: of another's, Keystone says 404
            reply = await self._client.validate(token, await self._own.get(refused=own))
        if reply.status == 403:
            raise self._client.away("it does not let the platform validate tokens")
        return reply

    def _account(self, reply: Reply, *, issued: bool = False) -> Account:
        """Of a token that was `issued` before, or just now."""
        if reply.status >= 400:
            raise BadCredentials()
        try:
            return account(reply.body, own_domain=self._domain, issued=issued)
        except ValueError:
            raise self._client.away("its answer is malformed") from None


class _OwnToken:
    def __init__(self, client: Client, body: Body) -> None:
        self._client = client
        self._body = body
        self._token = ""
        self._getting = anyio.Lock()

    async def get(self, *, refused: str = "") -> str:
        """A token other than the one that was refused. Raises SourceAway."""
        async with self._getting:
            if self._token == refused:
                self._token = await self._get()
            return self._token

    async def _get(self) -> str:
        reply = await self._client.issue(self._body)
        if reply.status != 201:
            raise self._client.away("it refuses the platform's own credentials")
        if not _TOKEN.fullmatch(reply.token):
            raise self._client.away("its answer is malformed")
        return reply.token


def open_source(name: str, given: Mapping[str, Any], catalog: object, clock: Clock) -> KeystoneSource:
    """Raises BadSettings. Nobody is kept in the catalogue."""
    table = f"identity.{name}"
    settings = read_settings(table, Settings, given)
    secret = read_secret(table, settings.secret_file)
    if not secret or bool(settings.user) == bool(settings.application_credential):
        raise BadSettings(name=table, detail="it needs a secret_file, and either a user or an application_credential")
    client = Client(name, _versioned(table, settings.url), ca_file=settings.ca_file)
    return KeystoneSource(client, _own_body(settings, secret), settings.domain, clock)


def _own_body(settings: Settings, secret: str) -> Body:
    if settings.application_credential:
        return by_application_credential(ApplicationCredential(id=settings.application_credential, secret=secret))
    proof = Password(user=settings.user, password=secret, domain=settings.user_domain, project=settings.project)
    return by_password(proof, settings.domain, project_domain=settings.project_domain)


def _versioned(table: str, url: str) -> str:
    """The address of the Identity API v3, whether or not it says so. Secrets go there, so it is encrypted."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # which raises if it is no number
    except ValueError:
        host = ""
    if not host or parts.query or parts.fragment or parts.username is not None:
        raise BadSettings(name=table, detail="its url is https://HOST, and perhaps a port and a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise BadSettings(name=table, detail="its url is none of https, and passwords would cross the network in clear")
    url = url.rstrip("/")
    return url if url.endswith("/v3") else f"{url}/v3"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
