"""Tensors as pictures: channels first."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pixels.pictures import assert_near, laid, photo, see_through
from tokcodec.errors import InputError
from tokcodec.pixels.image import to_rgb


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "float64", "bfloat16"])
def test_tensors_have_channels_first(kind: str) -> None:
    torch = pytest.importorskip("torch")
    pixels = np.asarray(photo())
    tensor = torch.from_numpy(pixels.copy()).movedim(-1, 0)
    if kind == "uint16":
        tensor = (tensor.to(torch.int32) * 257).to(torch.uint16)
    elif kind != "uint8":
        tensor = (tensor.double() / 255).to(getattr(torch, kind))
    by = 1 if kind == "bfloat16" else 0  # eight bits of mantissa
    assert_near(to_rgb(tensor), pixels, by)


def test_tensors_of_one_and_four_channels_and_of_none() -> None:
    torch = pytest.importorskip("torch")
    image = see_through()
    rgba = torch.from_numpy(np.array(image)).movedim(-1, 0)
    assert_near(to_rgb(rgba, (0, 0, 0)), laid(image, (0, 0, 0)), 0.51)
    assert np.array_equal(to_rgb(rgba[:1])[..., 1], np.asarray(image)[..., 0])
    assert np.array_equal(to_rgb(rgba[1])[..., 0], np.asarray(image)[..., 1])


def test_a_tensor_with_a_gradient_is_fine() -> None:
    torch = pytest.importorskip("torch")
    assert (to_rgb(torch.ones(3, 5, 4, requires_grad=True)) == 255).all()


@pytest.mark.parametrize("shape", [(2, 5, 5), (1, 3, 5, 5), (5,), (0, 5, 5), (3, 0, 5), (8, 8, 3)])
def test_tensors_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError):
        to_rgb(torch.zeros(shape))


@pytest.mark.parametrize("kind", ["int64", "int8", "complex64"])
def test_tensors_of_other_types_are_refused(kind: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError):
        to_rgb(torch.zeros(3, 4, 4, dtype=getattr(torch, kind)))
