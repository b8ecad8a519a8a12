"""Blocks with a shared scale: the specification's rule, by hand and on random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.errors import InputError
from tokcodec.mx.blocks import dequantise, quantise
from tokcodec.mx.formats import FORMATS, Format, find

pytest.importorskip("ml_dtypes")

EACH = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


def there_and_back(x: np.ndarray, form: Format) -> np.ndarray:
    return dequantise(*quantise(x, form), form, x.shape[1])


def test_a_block_by_hand() -> None:
    x = np.zeros((1, 32), np.float32)
    x[0, :6] = [10, 7, -5, 1.5, 0.49, -9]  # the largest power of two is 8, an element holds 4
    scales, elements = quantise(x, find("mxfp4"))
    assert scales.tolist() == [[127 + 1]]
    assert elements[0, 0, :6].tolist() == [6, 6, 8 + 4, 2, 0, 8 + 6]  # in units of 2
    back = dequantise(scales, elements, find("mxfp4"), 32)
    assert back[0, :6].tolist() == [8, 8, -4, 2, 0, -8]


@EACH
def test_the_scale_is_the_specifications(form: Format) -> None:
    x = np.random.default_rng(0).standard_normal((40, 64)).astype(np.float32)
    x *= np.exp2(np.arange(-60, 20, 2, dtype=np.float32))[:, None]
    scales, _ = quantise(x, form)
    largest = np.abs(x).reshape(40, 2, 32).max(-1).astype(np.float64)
    assert np.array_equal(scales, np.floor(np.log2(largest)) - form.emax + 127)


@EACH
def test_scaled_elements_come_back_exactly(form: Format) -> None:
    values = form.values()
    values = values[np.isfinite(values) & (np.abs(values) <= form.largest)]
    rows = np.resize(values, (6, 32 * -(-values.size // 32)))
    rows[:, ::32] = form.largest  # so that every block has this scale
    rows = rows * np.exp2(np.array([-90, -8, -1, 0, 3, 60], np.float32))[:, None]
    assert np.array_equal(there_and_back(rows, form), rows)


@EACH
def test_the_error_is_that_of_the_elements(form: Format) -> None:
    """Half a step below the largest, and what saturates less than an eighth of it more (a quarter
    where elements have but one bit behind the point)."""
    x = np.random.default_rng(0).standard_normal((50, 96)).astype(np.float32)
    error = np.abs(there_and_back(x, form) - x).reshape(50, 3, 32).max(-1)
    top = np.exp2(np.floor(np.log2(np.abs(x).reshape(50, 3, 32).max(-1))))
    values = form.values()[: 1 << (form.bits - 1)]
    values = values[np.isfinite(values)]
    step = np.diff(values).max() / 2.0**form.emax
    missing = 2 - form.largest / 2.0**form.emax
    assert (error <= top * max(step / 2, missing)).all()


@EACH
def test_zeros_stay_zeros(form: Format) -> None:
    x = np.zeros((2, 64), np.float32)
    x[1, 40] = 1
    scales, elements = quantise(x, form)
    assert scales[:, 0].tolist() == [0, 0]
    assert not elements[0].any()
    assert np.array_equal(dequantise(scales, elements, form, 64), x)


@EACH
@pytest.mark.parametrize("n", [1, 31, 33, 75])
def test_rows_that_are_no_multiple_of_32(form: Format, n: int) -> None:
    x = np.random.default_rng(n).standard_normal((3, n)).astype(np.float32)
    scales, elements = quantise(x, form)
    blocks = -(-n // 32)
    assert scales.shape == (3, blocks)
    assert elements.shape == (3, blocks, 32)
    assert not elements[:, -1, n - 32 * (blocks - 1) :].any()
    back = dequantise(scales, elements, form, n)
    assert back.shape == x.shape
    full = there_and_back(np.pad(x, ((0, 0), (0, 32 * blocks - n))), form)
    assert np.array_equal(back, full[:, :n])


@EACH
def test_the_ends_of_the_scales(form: Format) -> None:
    """Numbers whose scale E8M0 does not have: the smallest become coarse, none is lost above."""
    tiny, huge = np.float32(2.0**-149), np.finfo(np.float32).max
    x = np.array([[tiny] * 32, [2.0**-126] * 32, [huge] * 32, [-huge] * 32], np.float32)
    scales, elements = quantise(x, form)
    assert scales.max() <= 254
    assert scales[0, 0] == 0
    back = dequantise(scales, elements, form, 32)
    assert np.isfinite(back).all()
    assert np.array_equal(np.abs(back[2]), np.abs(back[3]))
    assert back[2, 0] == form.largest * 2.0 ** (127 - form.emax)


def test_scales_as_torch_reads_them() -> None:
    torch = pytest.importorskip("torch")
    kind = getattr(torch, "float8_e8m0fnu", None)
    if kind is None:
        pytest.skip("this torch has no type of scales")
    scales = np.arange(256, dtype=np.uint8)[:, None]
    one = np.zeros((256, 1, 32), np.uint8)
    one[..., 0] = 64  # 1 in MXINT8
    found = dequantise(scales, one, find("mxint8"), 1)[:, 0]
    wanted = torch.from_numpy(scales[:, 0]).view(kind).float().numpy()
    assert np.array_equal(found, wanted, equal_nan=True)
    assert np.isnan(found[255])


def test_a_scale_that_is_no_number_takes_its_block_along() -> None:
    scales, elements = quantise(np.ones((1, 64), np.float32), find("mxfp6"))
    scales[0, 1] = 255
    back = dequantise(scales, elements, find("mxfp6"), 64)
    assert (back[0, :32] == 1).all()
    assert np.isnan(back[0, 32:]).all()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(odd: float) -> None:
    x = np.ones((2, 40), np.float32)
    x[1, 39] = odd
    with pytest.raises(InputError, match="not finite"):
        quantise(x, find("mxfp8"))


def test_half_precision_is_taken_too() -> None:
    x = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float16)
    for one, two in zip(
        quantise(x, find("mxfp6")), quantise(x.astype(np.float32), find("mxfp6")), strict=True
    ):
        assert np.array_equal(one, two)
