"""What is written to the journal is read back as it was."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rambla.domain.activation import Activation, LogLine
from rambla.domain.names import FullName
from rambla.domain.records import Intent, ObjectAccess, Outcome, Record, Started, Work, decode_record, encode_record


def activation(result: bytes) -> Activation:
    return Activation(
        id="a",
        namespace="n",
        name="x",
        version="0.0.1",
        subject="s",
        start_ms=1,
        end_ms=2,
        status="success",
        result=result,
        logs=(LogLine(1, "stdout", "é\0"),),
        annotations={"a": [None, 1.5, {"b": True}]},
    )


@given(st.binary())
def test_a_result_comes_back_byte_for_byte_whatever_it_is(result: bytes) -> None:
    record = Outcome(intent_id="i", at_ms=1, status="ok", activation=activation(result))
    found = decode_record(encode_record(record))
    assert found == record
    assert isinstance(found, Outcome)
    assert found.activation is not None
    assert found.activation.result == result


def test_every_kind_of_record_comes_back_as_it_was() -> None:
    access = ObjectAccess("n", "photos", "a.jpg", "small")
    name = FullName("n", "p", "x")
    work = Work(activation_id="a", action=name, replay="always", namespace="n", payload=b'{"a":1}', access=access)
    intent = Intent(
        id="i",
        at_ms=1,
        subject="s",
        source="key",
        permission="action:invoke",
        namespace="n",
        target="n/x",
        allowed=True,
        rule="owner",
        activation_id="a",
        event_id="e",
        work=work,
    )
    records: list[Record] = [intent, Started(activation_id="a", at_ms=1), Outcome(intent_id="i", at_ms=1, status="ok")]
    for record in records:
        assert decode_record(encode_record(record)) == record


@given(st.binary(max_size=100))
def test_foreign_bytes_are_a_decode_error(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_record(payload)
