"""In which groups of a directory is somebody, directly or by groups in groups?

First the groups that name them, then those that name these. Whatever would leave that unfinished raises Unfinished.
"""

from collections.abc import Callable

import msgspec

from rambla.drivers.ldap.connection import Connection, TooMuch
from rambla.drivers.ldap.messages import Entry, Query

GROUPS_MAX = 500


class Groups(msgspec.Struct, frozen=True):
    """Where groups are, and the attributes with their members and their name. Those that groups are in are looked for
    `nesting_max` levels up; not at all if it is None. `elsewhere` is as of Connection.search."""

    base: str
    member: str
    name: str
    nesting_max: int | None
    elsewhere: bool = False

    async def of(
        self, connection: Connection, members: list[str], is_enough: Callable[[Entry], bool] = lambda group: False
    ) -> list[Entry]:
        """All of them, or fewer if one is enough."""
        found: list[Entry] = []
        seen: set[str] = set()
        for _ in range((self.nesting_max or 0) + 1):
            if not members:
                return found
            groups = await connection.search(self._query(members), elsewhere=self.elsewhere)
            found += (group for group in groups if group.dn not in seen)
            if self.nesting_max is None or any(map(is_enough, groups)):
                return found
            members = [group.dn for group in groups if group.dn not in seen]
            seen.update(members)
            if len(seen) > GROUPS_MAX:
                raise TooMuch(f"the caller is in more than {GROUPS_MAX} groups")
        if members:
            raise TooMuch(f"groups are nested deeper than {self.nesting_max} levels")
        return found

    def _query(self, members: list[str]) -> Query:
        return Query(self.base, [[(self.member, each) for each in members]], [self.name], GROUPS_MAX)
