"""Is the caller in a group of the directory, directly or by groups in groups?

The caller's entry is found by its login, then the groups that name it. Names are compared exactly, also where the
directory would take two for the same. Whatever would leave the search unfinished (two entries of one login, too many
groups, groups nested too deep) is no answer: a no might be what a rule needs to allow.
"""

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any, cast

from rambla.domain.access import Question
from rambla.domain.errors import EnforcerAway, NoAnswer
from rambla.drivers.ldap.connection import Connection, Unfinished, Unreachable
from rambla.drivers.ldap.groups import Groups
from rambla.drivers.ldap.messages import Entry, Query
from rambla.drivers.ldap.pool import Pool
from rambla.drivers.ldap.server import Server, ServerSettings, check_attributes, server_of
from rambla.drivers.settings import read_settings
from rambla.enforcers.words import word


class Settings(ServerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`base` is where people are, `groups_base` where groups are, if elsewhere; `login`, `member` and `group_name` are
    the attributes with a person's login, a group's members and its name. `group` is the one that is meant if a rule
    names none."""

    base: str
    groups_base: str = ""
    group: str = ""
    login: str = "uid"
    member: str = "member"
    group_name: str = "cn"
    nesting_max: int = 5


class LdapEnforcer:
    def __init__(self, name: str, server: Server, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._pool = Pool(server)
        base = settings.groups_base or settings.base
        self._groups = Groups(base, settings.member, settings.group_name, settings.nesting_max)

    def wording(self, question: Question, argument: str) -> Hashable:
        """The caller's login and the group."""
        group = argument or self._settings.group
        return word(self._name, question, group, "subject"), word(self._name, question, group, "argument")

    async def says_yes(self, wording: Hashable) -> bool:
        login, group = cast("tuple[str, str]", wording)
        try:
            return await self._pool.ask(partial(self._is_in, login, group))
        except Unreachable as error:
            raise EnforcerAway(enforcer=self._name, detail=str(error)) from error
        except Unfinished as error:
            raise NoAnswer(enforcer=self._name, detail=str(error)) from error

    async def close(self) -> None:
        await self._pool.close()

    async def _is_in(self, login: str, group: str, connection: Connection) -> bool:
        settings = self._settings
        query = Query(settings.base, [[(settings.login, login)]], [settings.login], 2)
        found = await connection.search(query)
        names = [entry.dn for entry in found if login in entry.values(settings.login)]
        if len(names) > 1:
            raise Unfinished("the directory has two entries of this login")

        def is_meant(entry: Entry) -> bool:
            return group in entry.values(settings.group_name) or group == entry.dn

        return any(map(is_meant, await self._groups.of(connection, names, is_meant)))


def open_enforcer(name: str, given: Mapping[str, Any], *, timeout_ms: int) -> LdapEnforcer:
    """Raises BadSettings."""
    table = f"enforcers.{name}"
    settings = read_settings(table, Settings, given)
    check_attributes(table, settings.login, settings.member, settings.group_name)
    return LdapEnforcer(name, server_of(table, settings), settings)
