"""The header's field of the reference: read, or refused as damage."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcodec
from tokcodec import errors
from tokcodec.reference.field import Field, regions
from tokcodec.registry import DEFAULT, PYRAMIDS
from tokcodec.stream import header as headers
from tokcodec.stream.header import REFERENCE


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=30))
def test_any_field_is_read_or_refused(data):
    try:
        field = Field.parse(data, 70, 90)
    except errors.DamagedHeaderError:
        return
    assert field.weights.shape == regions(70, 90, field.log_side)
    assert Field.parse(field.data(), 70, 90).data() == field.data()


def test_two_fields_are_refused(change, key):
    header, length = headers.parse(change)
    twice = headers.Header(
        header.model, header.width, header.height, extension=header.extension * 2
    )
    data = headers.write(twice, tokcodec.load().model.sha256) + change[length:]
    with pytest.raises(errors.DamagedHeaderError, match="two"):
        tokcodec.decode(data, reference=key)


@pytest.mark.parametrize("field", [b"", b"hash"])
def test_a_field_without_hash_and_side_is_damage(scene, field: bytes):
    header = headers.Header(PYRAMIDS[DEFAULT], 128, 96, extension=((REFERENCE, field),))
    data = headers.write(header, tokcodec.load().model.sha256)
    with pytest.raises(errors.DamagedHeaderError, match="reference"):
        tokcodec.info(data)


def test_a_field_of_too_many_regions_takes_no_memory():
    tracemalloc.start()
    try:
        with pytest.raises(errors.DamagedHeaderError):
            Field.parse(b"hash\3", 65_536, 65_536)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
