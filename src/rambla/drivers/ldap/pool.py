"""Which connection is a directory asked on?

Some are kept for the next question. Whoever was cancelled or failed on one has closed it, as something may still come
on it; one that turns out to be lost is replaced once.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from rambla.drivers.ldap.connection import Connection, Unreachable, open_connection
from rambla.drivers.ldap.server import Server

CONNECTIONS_MAX = 8
Answer = TypeVar("Answer")


class Pool:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._kept: deque[Connection] = deque()
        self._places = anyio.Semaphore(CONNECTIONS_MAX)

    async def ask(self, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """Raises Unreachable, or Unfinished. The question may be put twice."""
        async with self._places:
            if self._kept:
                try:
                    return await self._ask(question, self._kept.pop())
                except Unreachable:
                    await self.close()  # if one was lost while it was idle, so were the others
            return await self._ask(question, await open_connection(self._server))

    async def close(self) -> None:
        while self._kept:
            await self._kept.pop().close()

    async def _ask(self, question: Callable[[Connection], Awaitable[Answer]], connection: Connection) -> Answer:
        try:
            answer = await question(connection)
        except BaseException:
            await connection.close()
            raise
        self._kept.append(connection)
        return answer
