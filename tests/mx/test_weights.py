"""Weights to rows of blocks: which way they run, and what is not quantised."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.mx.formats import FORMATS, Format, find
from tokcodec.mx.weights import is_weight, pack_weight, packed_sizes, small, unpack_weight

pytest.importorskip("ml_dtypes")

EACH = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


@EACH
@pytest.mark.parametrize("size", [(3, 40), (2, 32), (5, 12, 3, 3), (4, 64, 1, 1), (2, 33, 2)])
def test_weights_come_back(form: Format, size: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    packed, scales = pack_weight(x, form)
    assert (packed.shape, scales.shape) == packed_sizes(size, form)
    assert packed.dtype == scales.dtype == np.uint8
    back = unpack_weight(packed, scales, size, form)
    assert back.shape == size
    assert back.dtype == np.float32
    worst = {"mxint8": 0.008, "mxfp6": 0.0625, "mxfp4": 0.25}.get(form.name, 0.125)
    assert np.abs(back - x).max() <= worst * np.abs(x).max()
    again = pack_weight(back, form)  # nothing more is lost
    assert np.array_equal(unpack_weight(*again, size, form), back)


def test_a_block_holds_32_inputs_of_one_tap() -> None:
    """A convolution with 64 inputs: each tap has two scales of its own."""
    x = np.ones((2, 64, 3, 3), np.float32)
    x[:, :, 1, 2] = 64
    x[1, 32:, 0, 0] = 0.25
    scales = pack_weight(x, find("mxint8"))[1].reshape(2, 3, 3, 2).astype(int) - 127
    assert (scales[:, 1, 2] == 6).all()
    assert scales[1, 0, 0].tolist() == [0, -2]
    scales[:, 1, 2] = scales[1, 0, 0, 1] = 0
    assert not scales.any()


@pytest.mark.parametrize(
    ("size", "weight"),
    [((), False), ((64,), False), ((1, 64), False), ((1, 1, 64), False), ((64, 31), False),
     ((64, 1, 3, 3), False), ((2, 32), True), ((64, 4, 3, 3), True), ((64, 16, 3), True)],
)  # fmt: skip
def test_biases_norms_and_tokens_are_no_weights(size: tuple[int, ...], weight: bool) -> None:
    assert is_weight(size) == weight


@pytest.mark.parametrize(
    ("numbers", "half"),
    [([0, 1, -65504, 2**-14], True), ([0.1, 3.3333], True), ([70000], False), ([1e-8], False),
     ([np.inf], False)],
)  # fmt: skip
def test_what_is_small_is_halved_where_that_loses_nothing(numbers: list, half: bool) -> None:
    x = np.array(numbers, np.float32)
    kept = small(x)
    assert kept.dtype == (np.float16 if half else np.float32)
    assert np.allclose(kept.astype(np.float32), x, rtol=2.0**-11, atol=0)
