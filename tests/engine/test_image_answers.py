"""Whatever a container sends, it is an answer within its bounds or none, and a verdict that is JSON."""

import asyncio
import socket

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.drivers.podman import answers
from rambla.drivers.podman.http import Answer, BrokenAnswer, post

KEEP_BYTES = 64
PARTS = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 502 X\r\n", b"HTTP/1.0 200\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n",
    b"Content-Length: 2\r\n", b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"{}", b"[1]",
    b"Transfer-Encoding: chunked\r\n", b"2\r\n{}\r\n", b"0\r\n\r\n", b"ffffffff\r\n", b"X: y\r\n", b" folded\r\n",
    b'{"error":', b"\x00", b"\xff" * 80, b"x" * 200,
]  # fmt: skip
SENT = st.binary(max_size=200) | st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join)


def answer_to(sent: bytes) -> Answer | None:
    """What is read from a peer that sends `sent` and hangs up."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        try:
            return asyncio.run(post(ours, "/run", b"{}", KEEP_BYTES))
        except BrokenAnswer:
            return None


@given(SENT)
def test_whatever_is_sent_is_an_answer_within_its_bounds_or_none(sent: bytes) -> None:
    answer = answer_to(sent)
    if answer is not None:
        assert len(answer.body) <= min(KEEP_BYTES, answer.size)


@given(st.sampled_from([200, 204, 302, 400, 502]), st.binary(max_size=80) | st.sampled_from(PARTS), st.integers(0, 99))
def test_every_answer_has_a_verdict_that_is_json(status: int, body: bytes, more: int) -> None:
    answer = Answer(status, len(body) + more, body)
    told, result = answers.judge(answer, "run", KEEP_BYTES) or ("", b"")
    assert isinstance(msgspec.json.decode(result), dict | list)
    assert (told == "success") <= (status == 200)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n", Answer(200, 2, b"{}")),
        (b"HTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 OK\r\n\r\n[1]", Answer(200, 3, b"[1]")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", Answer(200, 2, b"{}")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900, Answer(200, 900, b"x" * KEEP_BYTES)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", None),
        (b"HTTP/1.1 100 X\r\n\r\n" * 8 + b"HTTP/1.1 200 OK\r\n\r\n{}", None),
        (b"", None),
    ],
)
def test_an_answer_is_read_as_http_says(sent: bytes, expected: Answer | None) -> None:
    assert answer_to(sent) == expected


def test_an_error_is_told_as_it_came() -> None:
    answer = Answer(502, 0, b'{"error": {"n": 1234567890123456789012345678901234567890.5}, "more": 1}')
    expected = ("action developer error", b'{"error":{"n": 1234567890123456789012345678901234567890.5}}')
    assert answers.judge(answer, "run", 1000) == answers.judge(answer, "init", 1000) == expected
