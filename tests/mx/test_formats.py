"""Elements of every MX format, against torch and vectors by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.errors import ArgumentError
from tokcodec.mx.formats import FORMATS, Format, find

pytest.importorskip("ml_dtypes")

EACH = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


def magnitudes(form: Format) -> tuple[np.ndarray, np.ndarray]:
    """What can be written, from 0 up, and the codes: those of positive numbers ascend."""
    values = form.values()[: 1 << (form.bits - 1)]
    return values[np.isfinite(values)], np.flatnonzero(np.isfinite(values))


@EACH
def test_all_finite_values_come_back(form: Format) -> None:
    codes = np.arange(1 << form.bits, dtype=np.uint8)
    values = form.values()
    written = np.isfinite(values) & (np.abs(values) <= form.largest)
    assert written.sum() >= (1 << form.bits) - 8
    assert np.array_equal(form.encode(values[written]), codes[written])


@EACH
def test_limits_are_those_of_the_specification(form: Format) -> None:
    values, _ = magnitudes(form)
    largest = {"INT8": 127 / 64, "E4M3": 448, "E5M2": 57344, "E2M3": 7.5, "E3M2": 28, "E2M1": 6}
    least = {"INT8": 1 / 64, "E4M3": 2**-9, "E5M2": 2**-16, "E2M3": 1 / 8, "E3M2": 1 / 16,
             "E2M1": 0.5}  # fmt: skip
    assert values.max() == largest[form.element] == form.largest
    assert values[1] == least[form.element]
    assert 2.0**form.emax <= form.largest < 2.0 ** (form.emax + 1)


@EACH
def test_halves_go_to_the_even_neighbour(form: Format) -> None:
    values, codes = magnitudes(form)
    middles = (values[:-1] + values[1:]) / 2
    even = np.where(codes[:-1] % 2 == 0, values[:-1], values[1:])
    table = form.values()
    for sign in (1, -1):
        assert np.array_equal(table[form.encode(sign * middles)], sign * even)
        above = np.nextafter(middles, np.float32(np.inf))
        below = np.nextafter(middles, np.float32(0))
        assert np.array_equal(table[form.encode(sign * above)], sign * values[1:])
        assert np.array_equal(table[form.encode(sign * below)], sign * values[:-1])


@EACH
def test_beyond_the_largest_is_the_largest(form: Format) -> None:
    far = np.array([1.001, 1.1, 2.0, 1e30, np.inf], np.float32) * np.float32(form.largest)
    assert (form.values()[form.encode(far)] == form.largest).all()
    assert (form.values()[form.encode(-far)] == -form.largest).all()


def test_four_bits_by_hand() -> None:
    form = find("mxfp4")
    assert form.values().tolist()[:8] == [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    x = np.array([0.25, 0.26, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 5.01, -5.01], np.float32)
    assert form.encode(x).tolist() == [0, 1, 2, 2, 4, 4, 6, 6, 7, 15]


def test_integers_by_hand() -> None:
    form = find("mxint8")
    x = np.array([1, -1, 1 / 128, 3 / 128, -3 / 128, 1.99, -2], np.float32)
    assert form.encode(x).view(np.int8).tolist() == [64, -64, 0, 2, -2, 127, -127]
    assert form.values()[0x80] == -2


@pytest.mark.parametrize(
    ("name", "kind"), [("mxfp8", "float8_e4m3fn"), ("mxfp8-e5m2", "float8_e5m2")]
)
def test_bytes_as_torch_writes_them(name: str, kind: str) -> None:
    torch = pytest.importorskip("torch")
    form, kind = find(name), getattr(torch, kind)
    x = np.random.default_rng(0).normal(0, 1, 20000).astype(np.float32)
    x *= np.exp2(np.random.default_rng(1).uniform(-20, form.emax - 2, x.size)).astype(np.float32)
    x = x[np.abs(x) <= form.largest]
    written = torch.from_numpy(x).to(kind).view(torch.uint8).numpy()
    assert np.array_equal(form.encode(x), written)
    codes = torch.arange(256, dtype=torch.uint8)
    assert np.array_equal(codes.view(kind).float().numpy(), form.values(), equal_nan=True)


def test_four_bits_as_torch_packs_them() -> None:
    torch = pytest.importorskip("torch")
    kind = getattr(torch, "float4_e2m1fn_x2", None)
    if kind is None:
        pytest.skip("this torch has no type of four bits")
    try:
        pairs = torch.arange(256, dtype=torch.uint8).view(kind).to(torch.float32).numpy()
    except (RuntimeError, NotImplementedError):
        pytest.skip("this torch does not convert its type of four bits")
    table = find("mxfp4").values()
    low, high = np.arange(256) & 15, np.arange(256) >> 4
    assert np.array_equal(pairs.reshape(256, 2), np.stack([table[low], table[high]], -1))


@pytest.mark.parametrize("name", ["", "fp8", "MXFP8", "mxfp5"])
def test_other_formats_are_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match=r"no MX format.*mxfp6"):
        find(name)
