"""The wire format: what is read is written again to the last byte, and bytes that are no message are refused."""

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeby.stores.protobuf import BYTES, FIXED32, FIXED64, VARINT, Field, fields_of, message_of

numbers = st.integers(1, (1 << 29) - 1)
fields = st.one_of(
    st.builds(Field, numbers, st.just(VARINT), st.integers(0, (1 << 64) - 1)),
    st.builds(Field, numbers, st.just(BYTES), st.binary(max_size=300)),
    st.builds(Field, numbers, st.just(FIXED32), st.binary(min_size=4, max_size=4)),
    st.builds(Field, numbers, st.just(FIXED64), st.binary(min_size=8, max_size=8)),
)


@given(st.lists(fields, max_size=20))
def test_fields_come_back_as_they_were_written(written):
    message = message_of(written)
    assert list(fields_of(message)) == written
    assert message_of(fields_of(message)) == message


@given(st.binary(max_size=100))
def test_any_bytes_are_either_fields_or_refused(data):
    try:
        read = list(fields_of(data))
    except ValueError:
        return
    assert list(fields_of(message_of(read))) == read


@given(st.lists(fields, min_size=1, max_size=5), st.data())
def test_a_message_that_is_cut_off_loses_whole_fields_or_is_refused(written, data):
    message = message_of(written)
    length = data.draw(st.integers(0, len(message) - 1))
    try:
        read = list(fields_of(message[:length]))
    except ValueError:
        return
    assert read == written[: len(read)] and len(read) < len(written)


def test_a_model_that_the_onnx_library_wrote_comes_back_to_the_last_byte(brightness_bundle):
    data = brightness_bundle.model_path.read_bytes()
    assert message_of(fields_of(data)) == data
    graph = next(field for field in fields_of(data) if field.number == 7)
    assert message_of(fields_of(graph.data)) == onnx.load(brightness_bundle.model_path).graph.SerializeToString()


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",  # a number that never comes
        b"\x08" + b"\xff" * 10 + b"\x01",  # more than 64 bits
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
        b"\x0a\x05abc",  # shorter than it says
        b"\x0d\x00\x00",
        b"\x0b",  # a group
        b"\x00\x00",  # field 0
    ],
)
def test_bytes_that_are_no_message_are_refused(data):
    with pytest.raises(ValueError, match=r"cut off|64 bits|kind|no field"):
        list(fields_of(data))


def test_bytes_are_not_taken_from_a_number():
    with pytest.raises(ValueError, match="number where bytes"):
        _ = Field(1, VARINT, 3).data
