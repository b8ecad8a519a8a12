"""Strips: the correction of the whole, in as little memory as they promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tokcodec
from tokcodec.coder import codestring
from tokcodec.decoders.received import received_planes
from tokcodec.decoders.shape import Shape
from tokcodec.decoders.steps import Step, climb, merge, stacked
from tokcodec.decoders.strips import IN_STRIPS, correction, reach
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.order import order_for
from tokcodec.tokens.reconstruction import dequantise

torch = pytest.importorskip("torch")

from tokcodec.decoders.network import Network  # noqa: E402
from tokcodec.decoders.torch_runtime import TorchRuntime  # noqa: E402

SHAPES = {
    "one": Shape((8,), (2,), 8),
    "two": Shape((8, 6), (2, 1), 8, (1, 2)),
    "many": Shape((8, 6, 10, 7, 7), (1, 2, 3, 1, 1), 8, (2, 1, 1, 1, 2)),
}


def random_network(shape: Shape) -> Network:
    torch.manual_seed(0)
    network = Network(shape).eval().requires_grad_(False)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return network


def opened(picture: np.ndarray) -> tuple[list[Step[np.ndarray]], np.ndarray]:
    """The steps up and the condition of a picture that was cut."""
    height, width = picture.shape[:2]
    order = order_for(shipped(DEFAULT), height, width, 3)
    known = codestring.read(order, tokcodec.encode(picture, budget=300, bare=True)).known
    each = len(order.bands) // 3
    bands = [
        np.stack([dequantise(known, c * each + i) for c in range(3)])[None] for i in range(each)
    ]
    return climb(bands, height, width, merge), received_planes(known)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("height", "width"),
    [(4, 5), (5, 4), (9, 40), (3, 200), (200, 3), (64, 64), (97, 131), (255, 33)],
)
def test_strips_are_the_whole(height: int, width: int, shape: str, photograph: Callable) -> None:
    steps, told = opened(photograph("motorcycle_left", width, height))
    network = random_network(SHAPES[shape])
    bands = [torch.from_numpy(stacked(s)) for s in reversed(steps)]
    whole = network(bands, torch.from_numpy(told), torch.ones(1)).numpy()
    assert np.abs(whole).max() > 1
    for rows in (1, 2, 3, 7, 16, whole.shape[-2] - 1, 1000):
        if rows == 0:
            continue
        strips = list(correction(TorchRuntime(network), steps, told, 1.0, rows))
        tops, bottoms = [s[0] for s in strips], [s[1] for s in strips]
        assert tops == list(range(0, whole.shape[-2], rows))
        assert bottoms == [*tops[1:], whole.shape[-2]]
        found = np.concatenate([part for _, _, part in strips], -2)
        assert found.shape == whole.shape
        assert np.abs(found - whole).max() < 1e-4 * np.abs(whole).max()


def test_a_strip_takes_its_rows_and_those_around_it(photograph: Callable) -> None:
    steps, told = opened(photograph("retina", 24, 600))
    network, seen = random_network(SHAPES["many"]), dict[int, int]()

    def note(scale: int) -> Callable:
        def hook(module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            seen[scale] = max(seen.get(scale, 0), args[0].shape[-2])

        return hook

    for i in range(IN_STRIPS):
        network.scales[i].register_forward_pre_hook(note(i))
    list(correction(TorchRuntime(network), steps, told, 0.0, 8))
    most = 8 + 2 * (1 + sum(reach(blocks) for blocks in network.shape.blocks[:IN_STRIPS])) + 1
    assert len(seen) == IN_STRIPS
    assert max(seen.values()) <= most < 40
