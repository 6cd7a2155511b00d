"""Tasks run beside the rest, end with their group, and a crash is never silent."""

import logging
from itertools import islice

import anyio
import pytest

from rambla.kit import tasks as kit_tasks
from rambla.kit.tasks import Tasks, pauses_s


async def test_leaving_the_block_waits_for_every_task() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        await anyio.sleep(0)
        done.append(name)

    async with Tasks() as tasks:
        tasks.start("one", work, "a")
        tasks.start("two", work, "b")
    assert sorted(done) == ["a", "b"]


async def test_stop_cancels_all_of_them() -> None:
    ended: list[bool] = []

    async def forever() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async with Tasks() as tasks:
        tasks.start("one", forever)
        tasks.start("two", forever, restart=True)
        await anyio.sleep(0.01)
        tasks.stop()
    assert ended == [True, True]


async def test_a_crash_is_logged_by_name_and_ends_the_group(caplog: pytest.LogCaptureFixture) -> None:
    async def crash() -> None:
        raise ValueError("boom")

    async def run() -> None:
        async with Tasks() as tasks:
            tasks.start("steady", anyio.sleep_forever)
            tasks.start("fragile", crash)

    with pytest.raises(ExceptionGroup) as caught:
        await run()
    assert caught.group_contains(ValueError, match="boom")
    assert [record.getMessage() for record in caplog.records] == ["task fragile crashed"]


async def test_a_restarted_task_goes_on_after_crashes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_tasks, "PAUSE_FIRST_S", 0.001)
    attempts: list[int] = []

    async def third_time_lucky() -> None:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise ValueError("boom")

    async with Tasks() as tasks:
        tasks.start("lucky", third_time_lucky, restart=True)
    assert attempts == [0, 1, 2]
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_pauses_double_from_a_tenth_of_a_second_to_ten() -> None:
    assert list(islice(pauses_s(), 9)) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
