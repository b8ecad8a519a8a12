"""The neural decoder run by ONNX Runtime: the same correction and picture as with torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.decoders.small import (
    SHAPES,
    SIZES,
    fed,
    random_decoder,
    read_back,
    steps_of,
)
from tokcodec.decoders.linear import linear
from tokcodec.decoders.neural import neural
from tokcodec.decoders.received import received_planes
from tokcodec.decoders.shape import Shape
from tokcodec.decoders.steps import stacked
from tokcodec.decoders.strips import correction

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from tokcodec.decoders.onnx_file import to_bytes  # noqa: E402
from tokcodec.decoders.onnx_runtime import OnnxRuntime  # noqa: E402


@pytest.mark.parametrize("shape", SHAPES, ids=["one", "two", "three"])
@pytest.mark.parametrize("realism", [0.0, 0.6])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_correction_is_that_of_torch(
    height: int, width: int, realism: float, shape: Shape, photograph: Callable
) -> None:
    """In strips and whole, and of the exported model by itself."""
    torch = pytest.importorskip("torch")
    from tokcodec.decoders.torch_file import network_of

    kept, known = random_decoder(shape), read_back(photograph("coffee", width, height))
    steps, told = steps_of(known), received_planes(known)
    bands = [torch.from_numpy(stacked(s)) for s in reversed(steps)]
    given = torch.from_numpy(told), torch.full((1,), realism)
    whole = network_of(kept)(bands, *given).numpy()
    assert np.abs(whole).max() > 1
    near = 1e-4 * max(1.0, float(np.abs(whole).max()))
    for rows in (1, 7, 1000):
        strips = correction(OnnxRuntime(kept), steps, told, realism, rows)
        found = np.concatenate([part for _, _, part in strips], -2)
        assert found.shape == whole.shape
        assert np.abs(found - whole).max() < near
    session = ort.InferenceSession(to_bytes(kept), providers=["CPUExecutionProvider"])
    (alone,) = session.run(["correction"], fed(steps, told, realism, len(shape.widths)))
    assert alone.shape == whole.shape
    assert np.abs(alone - whole).max() < near


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("height", "width"), [*SIZES, (300, 410)])
def test_the_picture_is_that_of_torch(
    height: int, width: int, grey: bool, photograph: Callable
) -> None:
    pytest.importorskip("torch")
    from tokcodec.decoders.torch_file import network_of
    from tokcodec.decoders.torch_runtime import TorchRuntime

    picture, kept = photograph("astronaut", width, height), random_decoder()
    budget = min(150, picture.size // 20)  # never nearly all
    known = read_back(picture[..., 1:2].repeat(3, -1) if grey else picture, budget)
    one = neural(known, (width, height), OnnxRuntime(kept), 0.5, strip=50 * width)
    two = neural(known, (width, height), TorchRuntime(network_of(kept)), 0.5)
    if width * height > 100:  # smaller ones leave the network little freedom
        assert (one != linear(known, (width, height))).any()
    difference = np.abs(one.astype(int) - two)
    assert difference.max() <= 1  # where a value lies halfway between two
    assert (difference > 0).mean() < 2e-3


def test_a_model_works_on_many_pictures_at_once(photograph: Callable) -> None:
    session = ort.InferenceSession(to_bytes(random_decoder()), providers=["CPUExecutionProvider"])
    given, alone = [], []
    for i, name in enumerate(("chelsea", "coffee", "rocket")):
        known = read_back(photograph(name, 41, 30))
        given.append(fed(steps_of(known), received_planes(known), i / 2, 3))
        alone.append(session.run(None, given[-1])[0])
    together = {name: np.concatenate([g[name] for g in given]) for name in given[0]}
    assert np.allclose(session.run(None, together)[0], np.concatenate(alone), atol=1e-3)
