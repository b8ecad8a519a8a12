"""What decoders are handed instead of a stream: bombs, bundles, views, any bytes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tokcodec
from tokcodec import errors
from tokcodec.stream import framing


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_bytes_give_a_picture_or_a_tokcodec_error(astronaut, data):
    good = tokcodec.encode(astronaut, max_bytes=120)
    kind = data.draw(st.sampled_from(["random", "flip", "tail", "splice"]))
    if kind == "random":
        bad = data.draw(st.binary(max_size=60))
    elif kind == "flip":
        bits = data.draw(st.lists(st.integers(0, 8 * len(good) - 1), min_size=1, max_size=4))
        number = int.from_bytes(good, "big")
        for bit in bits:
            number ^= 1 << bit
        bad = number.to_bytes(len(good), "big")
    elif kind == "tail":
        bad = good[: data.draw(st.integers(0, 60))] + data.draw(st.binary(max_size=40))
    else:
        bad = good[:8] + data.draw(st.sampled_from([b"\0", b"\xff", b"\xaa"])) * data.draw(
            st.integers(0, 300)
        )
    try:
        image = tokcodec.decode(bad, max_pixels=1 << 20)
    except tokcodec.TokCodecError:
        return
    assert image.mode == "RGB"
    assert tokcodec.info(bad).digits is not None


def test_bombs_are_refused_before_anything_large_is_made(astronaut):
    head = framing.head(tokcodec.load("pyramid").model, (40000, 40000), grey=True)
    with pytest.raises(errors.ImageTooLargeError, match="max_pixels"):
        tokcodec.decode(head)
    with pytest.raises(errors.ImageTooLargeError):
        tokcodec.decode(head, size=(10, 10))
    with pytest.raises(errors.ImageTooLargeError):
        tokcodec.cut(head, budget=10)
    assert tokcodec.cut(head, max_bytes=100) == head  # nothing needs counting
    assert tokcodec.info(head, count=False).width == 40000


def test_views_need_not_lie_in_one_piece(picture):
    data = tokcodec.encode(picture, max_bytes=100)
    spread = memoryview(bytes(v for byte in data for v in (byte, 0)))[::2]
    assert tokcodec.info(spread).bytes == 100
    assert list(tokcodec.progressive([spread], decoder="linear"))
    with pytest.raises(errors.InputError, match="no image format"):
        tokcodec.encode(spread)


def test_a_bundle_is_told_from_a_stream(picture, tmp_path):
    tokcodec.Bundle.write(tmp_path / "b", [tokcodec.encode(picture, budget=3)])
    with pytest.raises(errors.BadMagicError, match="bundle"):
        tokcodec.decode((tmp_path / "b").read_bytes())
