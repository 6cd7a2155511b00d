"""What is written to the journal is read back as it was."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.activation import Activation, LogLine
from rambla.domain.names import FullName
from rambla.domain.records import (
    Intent,
    ObjectAccess,
    Outcome,
    Started,
    Work,
    decode_record,
    encode_record,
)

text = st.text(max_size=20)
int64 = st.integers(-(2**63), 2**63 - 1)
lines = st.builds(LogLine, at_ms=st.integers(0, 2**50), stream=st.sampled_from(["stdout", "stderr"]), text=text)
activations = st.builds(
    Activation,
    id=text,
    namespace=text,
    name=text,
    version=text,
    subject=text,
    start_ms=st.integers(0, 2**50),
    end_ms=st.integers(0, 2**50),
    status=st.sampled_from(["success", "whisk internal error"]),
    result=st.binary(max_size=50),
    logs=st.tuples(lines),
    annotations=st.dictionaries(
        text,
        st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | int64 | text, st.lists, max_leaves=5),
    ),
)
names = st.builds(FullName, text, text, text)
works = st.builds(
    Work,
    activation_id=text,
    action=names,
    replay=st.sampled_from(["never", "always"]),
    namespace=text,
    payload=st.binary(max_size=50),
    access=st.none() | st.builds(ObjectAccess, text, text, text, text),
)
intents = st.builds(
    Intent,
    id=text,
    at_ms=st.integers(0, 2**50),
    subject=text,
    source=text,
    permission=text,
    namespace=text,
    target=text,
    allowed=st.booleans(),
    rule=text,
    activation_id=st.none() | text,
    event_id=st.none() | text,
    work=st.none() | works,
)
outcomes = st.builds(
    Outcome, intent_id=text, at_ms=st.integers(0, 2**50), status=text, activation=st.none() | activations
)
records = intents | outcomes | st.builds(Started, activation_id=text, at_ms=st.integers(0, 2**50))


@given(records)
def test_what_was_written_is_read_back_equal(record: Intent | Outcome | Started) -> None:
    assert decode_record(encode_record(record)) == record


@given(st.binary(max_size=200))
def test_bytes_that_no_rambla_wrote_raise_and_never_become_a_record_by_chance(junk: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_record(junk)
