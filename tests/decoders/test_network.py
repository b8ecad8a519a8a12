"""The network: no correction at first, any size, and a condition that counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tokcodec.decoders.received import RECEIVED
from tokcodec.decoders.shape import Shape
from tokcodec.pixels import colour
from tokcodec.tokens import wavelet

torch = pytest.importorskip("torch")

from tokcodec.decoders.climb import down, stacked  # noqa: E402
from tokcodec.decoders.network import Network, with_realism  # noqa: E402

SMALL = Shape((8, 6, 10), (1, 2, 1), 16, (1, 1, 2))


def random_network(shape: Shape = SMALL) -> Network:
    torch.manual_seed(0)
    network = Network(shape).eval().requires_grad_(False)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return network


def finest(picture: np.ndarray) -> list[torch.Tensor]:
    """What the network takes in of a picture, finest first."""
    x, found = torch.from_numpy(colour.to_planes(picture, False))[None], []
    for level in wavelet.levels(*picture.shape[:2]):
        step = down(x, level)
        found.append(stacked(step))
        x = step.low
    return found


@pytest.mark.parametrize(("height", "width"), [(5, 5), (1, 9), (3, 200), (64, 64), (97, 131)])
def test_a_fresh_network_corrects_nothing(height: int, width: int, photograph: Callable) -> None:
    found = finest(photograph("astronaut", width, height))
    told, realism = torch.full((1, RECEIVED), 0.3), torch.ones(1)
    for network, corrects in ((Network(), False), (random_network(), True)):
        out = network(found, told, realism)
        assert out.shape == found[0].shape
        assert bool(out.any()) == corrects


def test_realism_and_all_that_was_received_count(astronaut: np.ndarray) -> None:
    found = [b.expand(RECEIVED + 2, -1, -1, -1) for b in finest(astronaut[:33, :40])]
    told, realism = torch.zeros(RECEIVED + 2, RECEIVED), torch.zeros(RECEIVED + 2)
    told[1:-1].fill_diagonal_(1)  # a picture for every column
    realism[-1] = 1
    out = random_network()(found, told, realism)
    same = (out[1:] - out[0]).abs().amax((1, 2, 3)) < 1e-3
    assert not same.any()


def test_pictures_of_a_batch_do_not_see_each_other(photograph: Callable) -> None:
    pictures = [finest(photograph(name, 41, 30)) for name in ("chelsea", "coffee", "rocket")]
    network = random_network()
    told, realism = torch.rand(3, RECEIVED), torch.rand(3)
    batch = network([torch.cat(scale) for scale in zip(*pictures, strict=True)], told, realism)
    for i, found in enumerate(pictures):
        alone = network(found, told[i : i + 1], realism[i : i + 1])
        assert (batch[i] - alone[0]).abs().max() < 1e-4 * batch.abs().max()


@pytest.mark.parametrize(
    "shape", [SMALL, Shape(), Shape((8,), (2,), 8), Shape(realism=(1, 1, 2, 2, 1))]
)
def test_weights_are_as_large_as_the_shape_says(shape: Shape) -> None:
    found = {name: tuple(w.shape) for name, w in Network(shape).state_dict().items()}
    assert found == shape.parameters()


def test_blocks_of_realism_leave_realism_0_alone_and_begin_with_nothing(
    astronaut: np.ndarray,
) -> None:
    found, told = finest(astronaut[:33, :40]), torch.rand(1, RECEIVED)
    plain = random_network(Shape((8, 6, 10), (1, 2, 1), 16))
    network = with_realism(plain, (1, 2, 1))
    before = plain(found, told, torch.zeros(1))
    assert torch.equal(network(found, told, torch.ones(1)), before)
    for name, p in network.named_parameters():
        if "realism" in name or "noisy" in name or "style" in name:
            torch.nn.init.normal_(p, std=0.1)
    assert torch.equal(network(found, told, torch.zeros(1)), before)
    half, whole = (network(found, told, torch.full((1,), r)) for r in (0.5, 1.0))
    assert (half - before).abs().max() > 1e-3
    assert (whole - half).abs().max() > 1e-3
