"""Does a driver keep what rambla.activations.ports.Index promises?

A test class inherits `IndexSuite` and provides the fixture `index`: an empty one for each test.
"""

from typing import Any

import anyio

from rambla.activations.paging import PAGE_BYTES_MAX
from rambla.activations.ports import AuditEntry, Batch, Index, Query, UsageRow
from rambla.activations.sums import HOUR_MS
from rambla.domain.activation import Activation, LogLine

NOON_MS = 472_222 * HOUR_MS


def activation(number: int, **fields: Any) -> Activation:
    """A run of `guest/resize` that began `number` ms after noon, took 10 ms and held 256 MiB."""
    facts: dict[str, Any] = {
        "id": f"{number:032x}",
        "namespace": "guest",
        "name": "resize",
        "version": "0.0.1",
        "subject": "guest",
        "start_ms": NOON_MS + number,
        "end_ms": fields.get("start_ms", NOON_MS + number) + 10,
        "status": "success",
        "billed_mb_ms": 2560,
    }
    return Activation(**{**facts, **fields})


def audit(number: int, **fields: Any) -> AuditEntry:
    facts: dict[str, Any] = {
        "intent_id": f"{number:032x}",
        "at_ms": NOON_MS + number,
        "subject": "guest",
        "source": "key",
        "permission": "action:invoke",
        "namespace": "guest",
        "target": "guest/resize",
        "rule": "owner",
        "status": "",
    }
    return AuditEntry(**{**facts, **fields})


def row(runs: int, **fields: Any) -> UsageRow:
    """The usage of `runs` activations as `activation` makes them."""
    facts: dict[str, Any] = {"namespace": "guest", "action": "resize", "hour_ms": NOON_MS}
    sums: dict[str, Any] = {"activations": runs, "duration_ms": 10 * runs, "gb_ms": 2.5 * runs}
    return UsageRow(**{**facts, **sums, **fields})


async def ids(index: Index, **query: Any) -> list[int]:
    return [int(each.id, 16) for each in await index.find(Query(**{"namespace": "guest", **query}))]


class IndexSuite:
    async def test_an_empty_index_begins_at_zero_and_knows_nothing(self, index: Index) -> None:
        assert await index.cursor() == 0
        assert await index.get("0" * 32) is None
        assert await ids(index) == []
        assert await index.audits("guest", since_ms=0, limit=9) == []
        assert await index.usage("guest", since_ms=0) == []

    async def test_what_is_not_kept_is_charged_once_and_in_no_list(self, index: Index) -> None:
        batch = Batch(cursor=2, activations=[activation(1), activation(2, kept=False)])
        await index.apply(batch)
        await index.apply(batch)
        assert await ids(index) == [1]
        assert await index.count(Query(namespace="guest")) == 1
        assert await index.usage("guest", since_ms=0) == [row(2)]

    async def test_an_activation_comes_back_with_every_field(self, index: Index) -> None:
        whole = activation(
            1,
            package="tools",
            status="application error",
            result=b'{"error":"\\u0000 \xc3\xa9"}',
            logs=(LogLine(5, "stderr", "oh\0 é"),),
            raw_logs=("a line",),
            annotations={"limits": {"memory": 256}, "x": [None, True]},
            cause="ab" * 16,
        )
        await index.apply(Batch(cursor=7, activations=[whole]))
        assert await index.get(whole.id) == whole
        assert await index.cursor() == 7

    async def test_a_result_that_no_parser_would_take_is_kept_as_it_is(self, index: Index) -> None:
        strange = [activation(n, result=text) for n, text in enumerate([b"[" * 1_000_000, b"", b"\xff{"])]
        await index.apply(Batch(cursor=1, activations=strange))
        assert await index.whole([each.id for each in strange]) == strange

    async def test_the_cursor_is_what_the_last_batch_says(self, index: Index) -> None:
        for cursor in (5, 9, 3):
            await index.apply(Batch(cursor=cursor))
            assert await index.cursor() == cursor

    async def test_a_listing_is_newest_start_first_filtered_paged_and_counted(self, index: Index) -> None:
        many = [activation(n) for n in range(5)]
        same_start = activation(9, start_ms=NOON_MS + 2)
        others = [activation(20, namespace="other"), activation(21, package="p"), activation(22, name="resiz")]
        await index.apply(Batch(cursor=1, activations=[*many, same_start, *others]))
        assert await ids(index) == [22, 21, 4, 3, 9, 2, 1, 0]
        assert await ids(index, name="resize") == [4, 3, 9, 2, 1, 0]
        assert await ids(index, name="p/resize") == [21]
        assert await ids(index, namespace="absent") == []
        assert await ids(index, since_ms=NOON_MS + 3, upto_ms=NOON_MS + 21) == [21, 4, 3]
        assert await ids(index, name="resize", since_ms=NOON_MS + 1, upto_ms=NOON_MS + 2) == [9, 2, 1]
        assert await ids(index, skip=3, limit=2) == [3, 9]
        assert await ids(index, limit=0) == []
        assert await ids(index, skip=2**70, limit=2**70, since_ms=-(2**70), upto_ms=2**70) == []
        assert await index.count(Query(namespace="guest", name="resize", skip=2, limit=1)) == 4
        assert await index.count(Query(namespace="guest", skip=100)) == 0

    async def test_a_listing_is_of_summaries_without_result_and_logs(self, index: Index) -> None:
        large = activation(1, result=b'{"a":1}', logs=(LogLine(5, "stdout", "x"),), raw_logs=("y",), cause="ab" * 16)
        await index.apply(Batch(cursor=1, activations=[large]))
        (found,) = await index.find(Query(namespace="guest"))
        assert found == large.summary()
        assert (found.result, found.logs, found.raw_logs, found.cause) == (b"{}", (), (), "ab" * 16)

    async def test_whole_records_come_in_the_order_asked_for(self, index: Index) -> None:
        many = [activation(n, logs=(LogLine(n, "stdout", f"line {n}"),)) for n in range(700)]
        await index.apply(Batch(cursor=1, activations=many))
        backwards = many[::-1]
        assert await index.whole(["0" * 31 + "z", *(each.id for each in backwards), "\0"]) == backwards
        assert await index.whole([]) == []

    async def test_whole_records_end_with_the_last_that_fits_into_a_page(self, index: Index) -> None:
        def sized(number: int, size: int) -> Activation:
            return activation(number, result=b"x" * size)

        third = PAGE_BYTES_MAX // 3
        many = [sized(0, third), sized(1, third), sized(2, third), sized(3, 2), sized(4, 0)]
        await index.apply(Batch(cursor=1, activations=[*many, sized(5, PAGE_BYTES_MAX + 1)]))
        assert await index.whole([each.id for each in many]) == many[:3]
        found = await index.whole([sized(5, 0).id, many[4].id])
        assert [len(each.result) for each in found] == [PAGE_BYTES_MAX + 1]

    async def test_usage_is_summed_by_namespace_action_and_hour(self, index: Index) -> None:
        next_hour = activation(3, start_ms=NOON_MS + HOUR_MS)
        last_of_hour = activation(4, start_ms=NOON_MS + HOUR_MS - 1)
        await index.apply(Batch(cursor=1, activations=[activation(1), activation(2), next_hour]))
        await index.apply(
            Batch(cursor=2, activations=[last_of_hour, activation(5, package="p"), activation(6, namespace="x")])
        )
        expected = [row(1, action="p/resize"), row(3), row(1, hour_ms=NOON_MS + HOUR_MS)]
        assert await index.usage("guest", since_ms=0) == expected
        assert await index.usage("guest", since_ms=NOON_MS + HOUR_MS - 1) == expected
        assert await index.usage("guest", since_ms=NOON_MS + HOUR_MS) == expected[2:]
        assert await index.usage("x", since_ms=0) == [row(1, namespace="x")]

    async def test_what_is_applied_again_counts_once(self, index: Index) -> None:
        batch = Batch(cursor=2, activations=[activation(1), activation(2)], audits=[audit(1)])
        await index.apply(batch)
        await index.apply(batch)
        await index.apply(Batch(cursor=3, activations=[activation(2), activation(3), activation(3)]))
        assert await ids(index) == [3, 2, 1]
        assert await index.usage("guest", since_ms=0) == [row(3)]
        assert len(await index.audits("guest", since_ms=0, limit=9)) == 1

    async def test_a_trigger_is_listed_and_costs_nothing(self, index: Index) -> None:
        await index.apply(Batch(cursor=1, activations=[activation(1, is_trigger=True)]))
        assert await ids(index) == [1]
        assert await index.usage("guest", since_ms=0) == []

    async def test_audit_entries_come_newest_first(self, index: Index) -> None:
        await index.apply(Batch(cursor=1, audits=[audit(n) for n in range(4)] + [audit(9, namespace="other")]))
        found = await index.audits("guest", since_ms=NOON_MS + 1, limit=2)
        assert found == [audit(3), audit(2)]
        assert await index.audits("guest", since_ms=0, limit=0) == []

    async def test_an_outcome_sets_the_status_of_an_earlier_intent(self, index: Index) -> None:
        await index.apply(Batch(cursor=1, audits=[audit(1), audit(2), audit(3, status="refused")]))
        outcomes = [(f"{n:032x}", "ok") for n in (1, 3, 4, 77)]
        await index.apply(Batch(cursor=2, audits=[audit(4)], outcomes=outcomes))
        found = await index.audits("guest", since_ms=0, limit=9)
        assert [(int(each.intent_id, 16), each.status) for each in found] == [
            (4, "ok"),
            (3, "refused"),
            (2, ""),
            (1, "ok"),
        ]

    async def test_of_several_outcomes_the_first_stays(self, index: Index) -> None:
        intent = f"{1:032x}"
        await index.apply(Batch(cursor=1, audits=[audit(1)], outcomes=[(intent, "engine_failed"), (intent, "ok")]))
        await index.apply(Batch(cursor=2, audits=[audit(1)], outcomes=[(intent, "late")]))
        assert [each.status for each in await index.audits("guest", since_ms=0, limit=9)] == ["engine_failed"]

    async def test_clear_forgets_everything(self, index: Index) -> None:
        await index.apply(Batch(cursor=1, activations=[activation(1)], audits=[audit(1)]))
        await index.clear()
        await self.test_an_empty_index_begins_at_zero_and_knows_nothing(index)

    async def test_hostile_words_harm_nothing(self, index: Index) -> None:
        for number, text in enumerate(["\0", "x" * 100_000, "'; DROP TABLE usage; --", "é\U0001f600" * 1000]):
            fields = {"namespace": text, "target": text, "subject": text, "rule": text}
            await index.apply(Batch(cursor=number, audits=[audit(number, **fields)], outcomes=[(text, text)]))
            assert await index.audits(text, since_ms=0, limit=9) == [audit(number, **fields)]
            assert await index.get(text) is None
            assert await index.count(Query(namespace=text, name=text)) == 0

    async def test_many_may_read_while_a_batch_is_applied(self, index: Index) -> None:
        seen: list[tuple[int, int]] = []

        async def look() -> None:
            listed = await index.count(Query(namespace="guest"))
            billed = sum(each.activations for each in await index.usage("guest", since_ms=0))
            seen.append((listed, billed))

        async with anyio.create_task_group() as group:
            for batch in range(5):
                group.start_soon(look)
                await index.apply(Batch(cursor=batch, activations=[activation(100 * batch + n) for n in range(100)]))
                group.start_soon(look)
        assert all(listed % 100 == 0 and billed % 100 == 0 and listed <= billed for listed, billed in seen)
        assert await index.usage("guest", since_ms=0) == [row(500)]
