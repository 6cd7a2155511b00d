"""Which events go to the platform next, so that no tenant waits for another's?

`Waiting` holds deliveries by account and, within it, by subscription, and takes them in turn. An account in a batch
that was refused is tried by itself, in smaller and smaller batches down to one event, until a full one is taken again;
the others go on together. A subscription to a trigger that the platform does not know is tried with one event, rarely,
and the answer to that one holds for all that wait with it. Nothing is dropped without the platform's word. Pure but
for the time that is passed in. Before: `pending`. After: `shipper` posts.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rambla_openstack.pauses import Pause

READY_MAX = 400
WAITING_MAX = 4000
BATCH_EVENTS_MAX = 200
BATCH_BYTES_MAX = 512 * 1024
UNKNOWN_MAX = 10_000
UNKNOWN_EVERY_S = 1.0
UNKNOWN_LINE_MAX = 32

Key = tuple[str, str]
"""Of a delivery: its trigger and its event's id."""
Subscription = tuple[str, str]
"""The container's path (`source`) and the trigger."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`event` (a CloudEvent) for `trigger`."""

    trigger: str
    event: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def key(self) -> Key:
        return self.trigger, self.id

    @property
    def subscription(self) -> Subscription:
        return str(self.event.get("source", "")), self.trigger

    @property
    def account(self) -> str:
        """`source` is `/v1/ACCOUNT/CONTAINER`."""
        return "/".join(self.subscription[0].split("/")[:3])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the platform said of one delivery: accepted if there is no `reason`; else it will never be taken.

    `is_unknown`: because there is no such trigger for that container, whatever the event.
    """

    reason: str = ""
    is_unknown: bool = False


@dataclass(slots=True)
class Account:
    """One tenant's lines; `batch_max` is less than BATCH_EVENTS_MAX while it is tried by itself."""

    lines: dict[Subscription, deque[Delivery]] = field(default_factory=dict)
    batch_max: int = BATCH_EVENTS_MAX
    pause: Pause = field(default_factory=Pause)

    @property
    def is_suspect(self) -> bool:
        return self.batch_max < BATCH_EVENTS_MAX


class Waiting:
    """`names_triggers`: the platform's answers tell deliveries of one event apart, so that a batch may hold several."""

    def __init__(self) -> None:
        self.names_triggers = False
        self._accounts: dict[str, Account] = {}
        self._unknown: dict[Subscription, float] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Delivery]:
        for account in self._accounts.values():
            for line in account.lines.values():
                yield from line

    def put(self, delivery: Delivery) -> None:
        account = self._accounts.setdefault(delivery.account, Account())
        account.lines.setdefault(delivery.subscription, deque()).append(delivery)
        self._size += 1

    def is_full(self) -> bool:
        """Whether there is enough to do. What is stuck does not count, up to a limit: others must get past it."""
        if self._size < READY_MAX:
            return False
        free = sum(
            len(line)
            for account in self._accounts.values()
            if not account.is_suspect
            for subscription, line in account.lines.items()
            if subscription not in self._unknown
        )
        return free >= READY_MAX or self._size >= WAITING_MAX

    @property
    def is_stuck(self) -> bool:
        """Whether what some account has was refused last, so that somebody should look."""
        return any(account.is_suspect for account in self._accounts.values())

    def batch(self, now: float) -> list[Delivery]:
        """What to post now: of one suspect account if it is its turn, else of all others. Empty if all must wait."""
        rested = [account for account in self._accounts.values() if account.pause.is_over(now)]
        together = [account for account in rested if not account.is_suspect]
        for first in rested:
            if not first.is_suspect and first is not together[0]:
                continue
            group = [first] if first.is_suspect else together
            chosen = self._choose(_in_turn([self._heads(account, now) for account in group]), first.batch_max)
            if chosen:
                return chosen
        return []

    def settle(self, chosen: list[Delivery], verdicts: dict[Key, Verdict], now: float) -> int:
        """The platform answered. What it did not name stays and is sent again; returns how many verdicts there were,
        with those that follow for deliveries that were not in the batch."""
        before = self._size
        named = {item.key for item in chosen if item.key in verdicts}
        for name, items in _by_account(chosen).items():
            account = self._to_the_end(name)
            for subscription in {item.subscription for item in items}:
                self._settle_line(account, subscription, named, verdicts, now)
            if any(item.key in named for item in items):
                account.pause.succeed()
            if all(item.key in named for item in items):
                account.batch_max = min(account.batch_max * 2, BATCH_EVENTS_MAX)
            else:
                account.pause.fail(now)
            if not account.lines:
                del self._accounts[name]
        return before - self._size

    def refuse(self, chosen: list[Delivery], now: float) -> None:
        """The platform takes this batch neither whole nor in part, but perhaps a smaller one, or another account's."""
        accounts = _by_account(chosen)
        for name in accounts:
            account = self._to_the_end(name)
            account.batch_max = max(1, len(chosen) // 2)
            if len(accounts) == 1:
                account.pause.fail(now)
        if len(chosen) == 1:  # to the end of its line, and that to the end of its account
            lines = self._accounts[chosen[0].account].lines
            line = lines[chosen[0].subscription] = lines.pop(chosen[0].subscription)
            line.remove(chosen[0])
            line.append(chosen[0])

    def _heads(self, account: Account, now: float) -> Iterator[Delivery]:
        return _in_turn([self._sendable(*item, now) for item in account.lines.items()])

    def _sendable(self, subscription: Subscription, line: deque[Delivery], now: float) -> Iterable[Delivery]:
        not_before = self._unknown.get(subscription)
        if not_before is None:
            return line
        is_due = now >= not_before or len(line) >= UNKNOWN_LINE_MAX or self._size >= WAITING_MAX // 2
        return [line[0]] if is_due else []

    def _choose(self, deliveries: Iterator[Delivery], count_max: int) -> list[Delivery]:
        """The first within both limits, but at least one."""
        chosen: list[Delivery] = []
        seen: set[object] = set()
        total = 0
        for delivery in deliveries:
            mark = delivery.key if self.names_triggers else delivery.id
            if mark in seen:
                continue
            total += len(json.dumps(delivery.event))
            if chosen and total > BATCH_BYTES_MAX:
                break
            chosen.append(delivery)
            seen.add(mark)
            if len(chosen) == count_max:
                break
        return chosen

    def _settle_line(
        self,
        account: Account,
        subscription: Subscription,
        named: set[Key],
        verdicts: dict[Key, Verdict],
        now: float,
    ) -> None:
        """All that waits in a line was there when the batch was posted: one answer may hold for the whole line."""
        line = account.lines.pop(subscription)
        spoken = [verdicts[item.key] for item in line if item.key in named]
        if spoken and all(verdict.is_unknown for verdict in spoken):
            rest: deque[Delivery] = deque()
            self._unknown.pop(subscription, None)
            self._unknown[subscription] = now + UNKNOWN_EVERY_S
            if len(self._unknown) > UNKNOWN_MAX:
                del self._unknown[next(iter(self._unknown))]
        else:
            rest = deque(item for item in line if item.key not in named)
            if any(not verdict.reason for verdict in spoken):
                self._unknown.pop(subscription, None)
        self._size -= len(line) - len(rest)
        if rest:
            account.lines[subscription] = rest

    def _to_the_end(self, name: str) -> Account:
        account = self._accounts[name] = self._accounts.pop(name)
        return account


def _by_account(deliveries: Iterable[Delivery]) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        found.setdefault(delivery.account, []).append(delivery)
    return found


def _in_turn(sources: Iterable[Iterable[Delivery]]) -> Iterator[Delivery]:
    """One of each, again and again, until all are used up."""
    waiting = deque(iter(source) for source in sources)
    while waiting:
        source = waiting.popleft()
        for delivery in source:
            yield delivery
            waiting.append(source)
            break
