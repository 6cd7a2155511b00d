"""Is the caller in a group of the directory, directly or by groups in groups?

The caller's entry is found by its login, then the groups that name it, then those that name these. Names are compared
exactly, also where the directory would take two for the same. Whatever would leave the search unfinished (two entries
of one login, too many groups, groups nested too deep) is no answer: a no might be what a rule needs to allow.
"""

import re
import ssl
from collections import deque
from collections.abc import Hashable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
import msgspec

from rambla.domain.access import Question
from rambla.domain.errors import BadSettings, EnforcerAway, NoAnswer
from rambla.drivers.ldap.connection import Connection, Server, open_connection
from rambla.drivers.ldap.messages import Entry
from rambla.drivers.settings import read_secret, read_settings
from rambla.enforcers.words import word

CONNECTIONS_MAX = 8
GROUPS_MAX = 500
_PORTS = {"ldap": 389, "ldaps": 636}
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*")  # RFC 4512, without options


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`base` is where people are, `groups_base` where groups are, if elsewhere; `login`, `member` and `group_name` are
    the attributes with a person's login, a group's members and its name. `group` is the one that is meant if a rule
    names none."""

    url: str
    base: str
    groups_base: str = ""
    group: str = ""
    login: str = "uid"
    member: str = "member"
    group_name: str = "cn"
    nesting_max: int = 5
    start_tls: bool = True
    ca_file: str = ""
    bind_dn: str = ""
    secret_file: str = ""


class LdapEnforcer:
    """Keeps its connections for the next question; one that turns out to be lost is replaced once."""

    def __init__(self, server: Server, settings: Settings) -> None:
        self._name = server.name
        self._server = server
        self._settings = settings
        self._kept: deque[Connection] = deque()
        self._places = anyio.Semaphore(CONNECTIONS_MAX)

    def wording(self, question: Question, argument: str) -> Hashable:
        """The caller's login and the group."""
        group = argument or self._settings.group
        return word(self._name, question, group, "subject"), word(self._name, question, group, "argument")

    async def says_yes(self, wording: Hashable) -> bool:
        login, group = cast("tuple[str, str]", wording)
        async with self._places:
            if self._kept:
                try:
                    return await self._is_in(login, group, self._kept.pop())
                except EnforcerAway:
                    await self._forget()  # if one was lost while it was idle, so were the others
            return await self._is_in(login, group, await open_connection(self._server))

    async def close(self) -> None:
        await self._forget()

    async def _forget(self) -> None:
        while self._kept:
            await self._kept.pop().close()

    async def _is_in(self, login: str, group: str, connection: Connection) -> bool:
        try:
            answer = await self._find(login, group, connection)
        except BaseException:
            await connection.close()  # something may still come on it
            raise
        self._kept.append(connection)
        return answer

    async def _find(self, login: str, group: str, connection: Connection) -> bool:
        settings = self._settings
        found = await connection.search(settings.base, [(settings.login, login)], settings.login, 2)
        names = [entry.dn for entry in found if login in entry.values]
        if len(names) > 1:
            raise self._no_answer("the directory has two entries of this login")
        seen: set[str] = set()
        for _ in range(settings.nesting_max + 1):
            if not names:
                return False
            groups = await self._groups_of(names, connection)
            if any(group in entry.values or group == entry.dn for entry in groups):
                return True
            names = [entry.dn for entry in groups if entry.dn not in seen]
            seen.update(names)
            if len(seen) > GROUPS_MAX:
                raise self._no_answer(f"the caller is in more than {GROUPS_MAX} groups")
        if names:
            raise self._no_answer(f"groups are nested deeper than {settings.nesting_max} levels")
        return False

    async def _groups_of(self, names: list[str], connection: Connection) -> list[Entry]:
        settings = self._settings
        members = [(settings.member, name) for name in names]
        base = settings.groups_base or settings.base
        return await connection.search(base, members, settings.group_name, GROUPS_MAX)

    def _no_answer(self, detail: str) -> NoAnswer:
        return NoAnswer(enforcer=self._name, detail=detail)


def open_enforcer(name: str, given: Mapping[str, Any], *, timeout_ms: int) -> LdapEnforcer:
    """Raises BadSettings."""
    settings = read_settings(f"enforcers.{name}", Settings, given)
    for attribute in (settings.login, settings.member, settings.group_name):
        if not _ATTRIBUTE.fullmatch(attribute):
            raise BadSettings(name=f"enforcers.{name}", detail=f"'{attribute}' is no attribute")
    return LdapEnforcer(_server(name, settings), settings)


def _server(name: str, settings: Settings) -> Server:
    host, port = _address(name, settings.url)
    tls = settings.url.startswith("ldaps:")
    secret = read_secret(f"enforcers.{name}", settings.secret_file)
    if bool(settings.bind_dn) != bool(secret):
        raise BadSettings(name=f"enforcers.{name}", detail="bind_dn and secret_file belong together")
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        detail = f"ca_file {settings.ca_file} cannot be read: {type(error).__name__}"
        raise BadSettings(name=f"enforcers.{name}", detail=detail) from error
    start_tls = settings.start_tls and not tls
    return Server(name, host, port, tls, start_tls, settings.bind_dn, secret, context)


def _address(name: str, url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        host, port = None, 0
    if not host or parts.path.strip("/") or parts.query:
        raise BadSettings(name=f"enforcers.{name}", detail="its url is ldaps://HOST or ldap://HOST, and perhaps a port")
    return host, port
