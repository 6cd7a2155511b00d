"""The newest activations and all the others are looked up as one."""

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rambla.activations.index import Activations
from rambla.activations.paging import PAGE_BYTES_MAX
from rambla.activations.ports import Batch, Index, Query
from rambla.domain.activation import LogLine
from rambla.drivers.memory.index import MemoryIndex
from rambla.drivers.sql.database import open_database
from rambla.drivers.sql.index import SqlIndex
from rambla.testing.index import activation

SIZED = [b"x" * (PAGE_BYTES_MAX // 8 * n) for n in (0, 1, 3, 9)]  # the last is too large for any page


@pytest.fixture(params=["memory", "sqlite"])
async def index(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "memory":
        yield MemoryIndex()
        return
    database = open_database(f"sqlite:///{tmp_path}/index.sqlite3", "index")
    yield SqlIndex(database)
    await database.close()


async def test_an_activation_is_found_before_and_after_the_index_has_it(index: Index) -> None:
    activations = Activations(index)
    one = activation(1)
    activations.remember(one)
    assert await activations.get("guest", one.id) == one
    await activations.apply(Batch(cursor=1, activations=[one]))
    found = await activations.get("guest", one.id)
    assert found is not None
    assert found.id == one.id


async def test_another_namespaces_activation_is_never_given(index: Index) -> None:
    activations = Activations(index)
    activations.remember(activation(1))
    await activations.apply(Batch(cursor=1, activations=[activation(2)]))
    for number in (1, 2):
        assert await activations.get("other", activation(number).id) is None
    assert await activations.find(Query(namespace="other")) == []
    assert await activations.count(Query(namespace="other")) == 0


async def test_one_remembered_after_the_tailer_saw_it_is_not_listed_twice(index: Index) -> None:
    activations = Activations(index)
    await activations.apply(Batch(cursor=1, activations=[activation(1)]))
    activations.remember(activation(1))
    assert await activations.count(Query(namespace="guest")) == 1
    assert len(await activations.find(Query(namespace="guest"))) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=25, unique_by=lambda pair: pair[0]),
    st.integers(0, 15),
    st.integers(0, 15),
    st.sampled_from([None, "resize"]),
)
def test_paging_over_memory_and_index_is_as_over_one_list(
    made: list[tuple[int, bool]], skip: int, limit: int, name: str | None
) -> None:
    everything = [
        activation(number, name="resize" if number % 3 else "other", result=SIZED[number % 4]) for number, _ in made
    ]
    query = Query(namespace="guest", name=name, skip=skip, limit=limit)

    async def check() -> None:
        activations, reference = Activations(MemoryIndex(), recent_bytes_max=2**40), MemoryIndex()
        await reference.apply(Batch(cursor=1, activations=everything))
        for one, (_, indexed) in zip(everything, made, strict=True):
            activations.remember(one)
            if indexed:
                await activations.apply(Batch(cursor=1, activations=[one]))
        found = await activations.find(query)
        assert found == await reference.find(query)
        assert await activations.find(query, whole=True) == await reference.whole([each.id for each in found])
        assert await activations.count(query) == await reference.count(query)

    anyio.run(check)


async def test_memory_is_bounded_in_number() -> None:
    few = Activations(MemoryIndex(), recent_max=3)
    for number in range(10):
        few.remember(activation(number))
    assert [int(each.id, 16) for each in await few.find(Query(namespace="guest"))] == [9, 8, 7]


@pytest.mark.parametrize(
    "outputs",
    [
        {"result": b"x" * 1000},
        {"logs": (LogLine(1, "stdout", "x" * 800),)},
        {"raw_logs": ("x" * 800,)},
        {"raw_logs": ("é" * 200,)},
        {"logs": tuple(LogLine(1, "stdout", "") for _ in range(6))},
    ],
    ids=["result", "logs", "raw logs", "wide characters", "empty lines"],
)
async def test_memory_is_bounded_whatever_makes_a_record_large(outputs: dict[str, Any]) -> None:
    small = Activations(MemoryIndex(), recent_bytes_max=2000)
    for number in range(10):
        small.remember(activation(number, **outputs))
    assert [int(each.id, 16) for each in await small.find(Query(namespace="guest"))] == [9, 8]


async def test_a_listing_in_memory_is_of_summaries_too(index: Index) -> None:
    activations = Activations(index)
    indexed, recent = (activation(n, logs=(LogLine(1, "stdout", "x"),)) for n in (1, 2))
    await activations.apply(Batch(cursor=1, activations=[indexed]))
    activations.remember(recent)
    query = Query(namespace="guest")
    assert await activations.find(query) == [recent.summary(), indexed.summary()]
    assert await activations.find(query, whole=True) == [recent, indexed]


async def test_looks_while_batches_are_applied_see_each_activation_once(index: Index) -> None:
    activations = Activations(index)
    everything = [activation(number) for number in range(300)]
    for one in everything:
        activations.remember(one)
    counts: list[int] = []

    async def look() -> None:
        while len(counts) < 20:
            counts.append(await activations.count(Query(namespace="guest")))
            found = await activations.find(Query(namespace="guest", limit=sys.maxsize))
            assert len(found) == len({each.id for each in found}) == 300

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        group.start_soon(look)
        for begin in range(0, 300, 20):
            await activations.apply(Batch(cursor=begin, activations=everything[begin : begin + 20]))
            await anyio.sleep(0)
    assert set(counts) == {300}
