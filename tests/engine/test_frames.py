"""Frames, results and log lines: the pure parts that judge what hostile code sends."""

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from rambla.drivers.process import frames, verdict
from rambla.drivers.process.frames import Frame, FrameParser, Hostile
from rambla.drivers.process.logs import LogBuffer
from rambla.drivers.process.verdict import V8_GAVE_UP
from rambla.kit.clock import ManualClock


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20), st.integers(0, 60))
def test_frames_come_out_as_they_went_in_however_they_are_cut(bodies: list[bytes], step: int, keep: int) -> None:
    stream = b"".join(frames.encode(frames.RESULT, job, body) for job, body in enumerate(bodies))
    parser = FrameParser(keep)
    seen = [frame for at in range(0, len(stream), step) for frame in parser.feed(stream[at : at + step])]
    assert [(frame.job, frame.size, frame.body) for frame in seen] == [
        (job, len(body), body[:keep]) for job, body in enumerate(bodies)
    ]


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_hostile(data: bytes) -> None:
    with suppress(Hostile):
        list(FrameParser(100).feed(data))


@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from(["init", "run"]))
def test_every_frame_has_a_verdict_of_valid_json_or_is_hostile(body: bytes, kind: int, phase: verdict.Phase) -> None:
    try:
        judged = verdict.of_frame(Frame(kind, 1, 0, len(body), body), phase, 100)
    except Hostile:
        return
    if judged is not None:
        assert isinstance(json.loads(judged[1]), dict | list)


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))), st.integers(1, 9))
def test_lines_come_out_as_they_went_in_however_they_are_cut(lines: list[str], step: int) -> None:
    buffer = LogBuffer(ManualClock())
    buffer.begin(1 << 20)
    data = "".join(line + "\n" for line in lines).encode()
    for at in range(0, len(data), step):
        buffer.feed("stdout", data[at : at + step])
    assert [line.text for line in buffer.take(missing=False)] == lines


def test_a_line_without_end_is_cut_and_not_hoarded() -> None:
    buffer = LogBuffer(ManualClock())
    buffer.begin(1 << 20)
    for _ in range(100):
        buffer.feed("stdout", b"x" * 65536)
    lines = buffer.take(missing=False)
    assert sum(len(line.text) for line in lines) <= (1 << 20) + 200
    assert lines[-1].text.startswith("Logs were truncated")


@given(st.lists(st.binary(max_size=100)), st.integers(0, 500))
def test_what_is_kept_of_any_bytes_is_within_the_limit(pieces: list[bytes], limit_bytes: int) -> None:
    """Counted as it is kept: a byte that is no UTF-8 takes three."""
    buffer = LogBuffer(ManualClock())
    buffer.begin(limit_bytes)
    for piece in pieces:
        buffer.feed("stdout", piece)
    lines = buffer.take(missing=False)
    assert sum(len(line.text.encode()) for line in lines if line.stream == "stdout") <= limit_bytes


def test_the_next_activation_starts_with_its_whole_limit() -> None:
    buffer = LogBuffer(ManualClock())
    for _ in range(3):
        buffer.begin(200)
        buffer.feed("stdout", b"one\ntwo\nthree\nfour\n")
        assert [line.text for line in buffer.take(missing=False)][:2] == ["one", "two"]


def test_v8_is_believed_on_stderr_and_at_the_start_of_a_line_only() -> None:
    line = b"FATAL ERROR: Committing semi space failed. Allocation failed - JavaScript heap out of memory\n"
    for stream, text, told in (("stderr", line, True), ("stdout", line, False), ("stderr", b"said: " + line, False)):
        buffer = LogBuffer(ManualClock())
        buffer.begin(10_000)
        buffer.feed(stream, text)  # type: ignore[arg-type]  # one of its two words
        assert buffer.says(V8_GAVE_UP) == told
        buffer.take(missing=False)
        assert not buffer.says(V8_GAVE_UP)
