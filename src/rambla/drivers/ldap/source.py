"""Whose password is that, by the word of a directory?

Their one entry is searched for, and then the directory is asked, on a connection of its own, whether it lets them in.
For somebody whom nobody knows it is asked of a name that nobody has, so that both take as long. What the directory
says of an account (locked, disabled, its password expired) is never told. References to other directories are not
followed. (port: rambla.identity.ports.Source)
"""

import logging
import re
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

import anyio
from msgspec import Meta

from rambla.domain.errors import BadCredentials, BadSettings, SourceAway
from rambla.domain.proofs import Password, Proof
from rambla.drivers.ldap.connection import TooMuch, Unfinished, Unreachable, open_connection
from rambla.drivers.ldap.groups import Groups
from rambla.drivers.ldap.messages import Entry, Query
from rambla.drivers.ldap.pool import CONNECTIONS_MAX, Pool
from rambla.drivers.ldap.server import Server, ServerSettings, check_attributes, server_of
from rambla.drivers.settings import read_settings
from rambla.identity.ports import Account
from rambla.kit.clock import Clock

ATTRIBUTES_MAX = 50
_USER = re.compile(r"[^\0-\x1f\x7f\ud800-\udfff]{1,255}")
_PASSWORD = re.compile(r"[^\0\ud800-\udfff]{1,1000}")
_log = logging.getLogger(__name__)


class Settings(ServerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`base` is where people are; `user_attribute` holds the name that they log in with, and of `where`, each attribute
    must have one of the values.

    `attributes` are read for the mapping. Groups are those that the attribute `member_of` names, and those below
    `groups_base` whose attribute `member` names the person, by `member_is`; they are called by `group_name`, or by
    their distinguished names if that is "". Groups that groups are in count up to `nesting_max` levels, and none at 0.
    """

    base: str
    user_attribute: str = "uid"
    where: Mapping[str, str | tuple[str, ...]] = {}
    attributes: Annotated[tuple[str, ...], Meta(max_length=ATTRIBUTES_MAX)] = ()
    member_of: str = ""
    groups_base: str = ""
    member: str = "member"
    member_is: Literal["dn", "user"] = "dn"
    group_name: str = ""
    nesting_max: Annotated[int, Meta(ge=0, le=20)] = 5


class LdapSource:
    def __init__(self, name: str, server: Server, settings: Settings) -> None:
        self._name = name
        self._server = server
        self._settings = settings
        self._pool = Pool(server)
        self._binds = anyio.Semaphore(CONNECTIONS_MAX)
        self._nobody = f"cn={secrets.token_hex(16)}{',' if settings.base else ''}{settings.base}"
        nesting_max = settings.nesting_max if settings.nesting_max and settings.member_is == "dn" else None
        name_attribute = settings.group_name or "cn"
        self._groups = Groups(settings.groups_base, settings.member, name_attribute, nesting_max, elsewhere=True)

    def takes(self, proof: Proof) -> bool:
        """A directory knows no second factor, and no projects."""
        return isinstance(proof, Password) and not (proof.code or proof.domain or proof.project)

    async def prove(self, proof: Proof) -> Account:
        if (
            not isinstance(proof, Password)
            or not _USER.fullmatch(proof.user)
            or not _PASSWORD.fullmatch(proof.password)
        ):
            raise BadCredentials()
        try:
            entry = await self._find(proof.user)
            known = await self._binds_as(entry.dn if entry else self._nobody, proof.password)
            if entry is None or not known:
                raise BadCredentials()
            return await self._account(entry)
        except (Unreachable, Unfinished) as error:
            raise SourceAway(source=self._name, detail=str(error)) from error

    async def close(self) -> None:
        await self._pool.close()

    async def _find(self, user: str) -> Entry | None:
        """Their one entry, if its one name is what they wrote, in capitals or not: a directory takes many more for the
        same, and each would be another one of which wrong passwords are counted."""
        settings = self._settings
        where = [[(name, each) for each in _all(values)] for name, values in settings.where.items()]
        attributes = (settings.user_attribute, *settings.attributes, *filter(None, [settings.member_of]))
        query = Query(settings.base, [[(settings.user_attribute, user)], *where], attributes, 2)
        try:
            found = await self._pool.ask(lambda connection: connection.search(query, elsewhere=True))
        except TooMuch as error:
            self._warn(error)
            return None
        if len(found) > 1:
            self._warn("two entries have one name")
            return None
        names = found[0].values(settings.user_attribute) if found else ()
        return found[0] if len(names) == 1 and names[0].casefold() == user.casefold() else None

    async def _binds_as(self, dn: str, password: str) -> bool:
        async with self._binds:
            connection = await open_connection(self._server, bound=False)
            try:
                return await connection.bind(dn, password)
            finally:
                await connection.close()

    async def _account(self, entry: Entry) -> Account:
        settings = self._settings
        user = entry.values(settings.user_attribute)[0]
        groups = entry.values(settings.member_of)
        if settings.groups_base:
            try:
                found = await self._pool.ask(
                    partial(self._groups.of, members=[entry.dn if settings.member_is == "dn" else user])
                )
            except TooMuch as error:
                self._warn(error)
                raise BadCredentials() from error
            groups += tuple(name for group in found for name in self._names_of(group))
        attributes = {name: entry.values(name) for name in (settings.user_attribute, *settings.attributes)}
        return Account(
            user=user,
            method="password",
            groups=tuple(dict.fromkeys(groups)),
            attributes={**attributes, "dn": (entry.dn,)},
        )

    def _names_of(self, group: Entry) -> tuple[str, ...]:
        return group.values(self._settings.group_name) if self._settings.group_name else (group.dn,)

    def _warn(self, why: object) -> None:
        _log.warning("identity source %s lets somebody in nowhere: %s", self._name, why)


def open_source(name: str, given: Mapping[str, Any], catalog: Any, clock: Clock) -> LdapSource:
    """Raises BadSettings."""
    table = f"identity.{name}"
    settings = read_settings(table, Settings, given)
    named = (settings.user_attribute, settings.member, *settings.where, *settings.attributes)
    check_attributes(table, *named, *filter(None, (settings.member_of, settings.group_name)))
    if not all(_all(values) for values in settings.where.values()):
        raise BadSettings(name=table, detail="each attribute of where needs a value")
    return LdapSource(name, server_of(table, settings), settings)


def _all(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values
