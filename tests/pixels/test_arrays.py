"""Arrays as pictures, and things that are none."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tests.pixels.pictures import assert_near, laid, photo, see_through
from tokcodec.errors import InputError
from tokcodec.pixels.image import is_grey, to_rgb


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1)])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "bool", "float16", "float32", "float64"])
def test_grey_arrays(kind: str, shape: tuple[int, ...]) -> None:
    white = {"uint8": 255, "uint16": 65535}.get(kind, 1)
    array = np.zeros(shape, kind)
    array[1:3] = white
    found = to_rgb(array)
    assert found.shape == (6, 9, 3)
    assert is_grey(found)
    assert (found[1:3] == 255).all()
    assert found.sum() == 2 * 9 * 3 * 255


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "float64"])
def test_colour_arrays(kind: str) -> None:
    pixels = np.asarray(photo())
    array = {
        "uint8": pixels,
        "uint16": pixels.astype(np.uint16) * 257,
        "float32": pixels.astype(np.float32) / 255,
        "float64": pixels / 255,
    }[kind]
    assert np.array_equal(to_rgb(array), pixels)


def test_uint16_arrays_are_rounded() -> None:
    array = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(to_rgb(array)[..., 0], np.rint(array / 257).astype(np.uint8))


def test_arrays_of_the_other_byte_order() -> None:
    pixels = np.asarray(photo())
    assert np.array_equal(to_rgb((pixels.astype(">u2") * 257).astype(">u2")), pixels)
    assert np.array_equal(to_rgb((pixels / 255).astype(">f4")), pixels)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_arrays_with_alpha(kind: str) -> None:
    image = see_through()
    pixels = np.asarray(image)
    array = {
        "uint8": pixels,
        "uint16": pixels.astype(np.uint16) * 257,
        "float32": pixels.astype(np.float32) / 255,
    }[kind]
    assert_near(to_rgb(array), laid(image), 0.51)
    assert_near(to_rgb(array, (10, 200, 30)), laid(image, (10, 200, 30)), 0.51)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1, ::2],
        lambda a: a.transpose(1, 0, 2),
        lambda a: np.asfortranarray(a),
        lambda a: a[..., ::-1],
        lambda a: np.broadcast_to(a[:1], a.shape),
    ],
    ids=["strided", "transposed", "fortran", "bgr", "broadcast"],
)
def test_arrays_that_are_not_contiguous(view) -> None:
    array = view(np.asarray(photo()))
    assert not array.flags.c_contiguous
    assert np.array_equal(to_rgb(array), array)
    assert tokcodec.encode(array, 20) == tokcodec.encode(np.ascontiguousarray(array), 20)


def test_a_read_only_array_is_fine() -> None:
    array = np.array(photo())
    array.flags.writeable = False
    assert tokcodec.encode(array, 20) == tokcodec.encode(photo(), 20)


def test_what_is_handed_in_is_not_changed() -> None:
    array, image = np.array(see_through()), see_through()
    before = array.copy()
    tokcodec.encode(array, 20, background=(0, 0, 0))
    tokcodec.encode(image, 20, background=(0, 0, 0))
    assert np.array_equal(array, before)
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image), before)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), 255.0])
def test_floats_outside_0_to_1_are_refused(value: float) -> None:
    array = np.zeros((4, 4, 3))
    array[2, 2, 1] = value
    with pytest.raises(InputError, match=r"finite|lie in"):
        to_rgb(array)


@pytest.mark.parametrize(
    "shape", [(), (5,), (5, 5, 2), (5, 5, 5), (1, 5, 5, 3), (3, 5, 5), (0, 5), (5, 0, 3), (0, 0)]
)
def test_arrays_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        to_rgb(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "kind", ["int8", "int16", "int64", "uint32", "complex64", "O", "U1", "M8[s]"]
)
def test_arrays_of_other_types_are_refused(kind: str) -> None:
    with pytest.raises(InputError, match="uint8"):
        to_rgb(np.zeros((4, 4), kind))


@pytest.mark.parametrize("thing", [None, 5, [[1, 2], [3, 4]], object(), {"a": 1}])
def test_other_things_are_refused(thing: object) -> None:
    with pytest.raises(InputError, match="path, bytes or an open file"):
        to_rgb(thing)
