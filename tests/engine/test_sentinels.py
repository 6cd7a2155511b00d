"""Where one activation's output ends: by sentinels where an image prints them, and without where it does not."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from rambla.drivers.podman.logs import SENTINEL, SentinelBuffer
from rambla.drivers.process.logs import Stream
from rambla.kit.clock import SystemClock

pytestmark = pytest.mark.anyio
MARK = SENTINEL + b"\n"
BOTH: tuple[Stream, ...] = ("stdout", "stderr")


@pytest.fixture
async def buffer() -> SentinelBuffer:
    buffer = SentinelBuffer(SystemClock())
    buffer.begin(1 << 20)
    return buffer


def taken(buffer: SentinelBuffer) -> list[str]:
    return [line.text for line in buffer.take(missing=False)]


async def turns_of(wait: Callable[[], Awaitable[None]]) -> int:
    """How often the event loop went round meanwhile: a wait of any time is thousands of turns."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.sleep(0)

    async with anyio.create_task_group() as group:
        group.start_soon(count)
        await wait()
        group.cancel_scope.cancel()
    return turns


@pytest.mark.parametrize("cut", range(0, len(MARK) + 5, 3))
async def test_sentinels_are_no_lines_wherever_they_are_cut(buffer: SentinelBuffer, cut: int) -> None:
    text = b"one\n" + MARK + b"two\n"
    for stream in BOTH:
        buffer.feed(stream, text[:cut])
        buffer.feed(stream, text[cut:])
    assert await turns_of(buffer.marked) < 10
    assert taken(buffer) == ["one", "two", "one", "two"]


@pytest.mark.parametrize("line", [b"a " + SENTINEL, SENTINEL + b" ", SENTINEL[:-1], b""])
async def test_what_only_resembles_a_sentinel_is_a_line(buffer: SentinelBuffer, line: bytes) -> None:
    buffer.feed("stdout", line + b"\n")
    assert taken(buffer) == [line.decode()]


async def test_a_line_without_an_end_is_taken_and_a_long_one_is_not_hoarded(buffer: SentinelBuffer) -> None:
    buffer.feed("stdout", b"x" * 100_000)
    buffer.feed("stderr", b"no end")
    assert [len(text) for text in taken(buffer)] == [65536, 100_000 - 65536, 6]


async def test_an_image_that_prints_none_is_waited_for_once(buffer: SentinelBuffer) -> None:
    assert await turns_of(buffer.marked) > 100
    for _ in range(3):
        buffer.begin(1 << 20)
        assert await turns_of(buffer.marked) < 10


async def test_one_that_prints_them_is_waited_for_each_time(buffer: SentinelBuffer) -> None:
    for stream in BOTH:
        buffer.feed(stream, MARK)
    await buffer.marked()
    for _ in range(2):
        buffer.begin(1 << 20)
        buffer.feed("stdout", MARK)
        assert await turns_of(buffer.marked) > 100  # that of the other stream never comes
