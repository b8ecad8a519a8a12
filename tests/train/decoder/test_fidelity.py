"""Training of the decoder: a picture learnt by heart, and checks that tell so."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tokcodec.decoders.neural import neural
from tokcodec.pixels import colour
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens import quantiser, transform
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import order_for

torch = pytest.importorskip("torch")

from tokcodec.decoders.climb import analyse  # noqa: E402
from tokcodec.decoders.network import Network, Shape  # noqa: E402
from tokcodec.decoders.torch_runtime import TorchRuntime  # noqa: E402
from tokcodec.train.config import RATES  # noqa: E402
from tokcodec.train.decoder.fidelity import (  # noqa: E402
    CHECK_TOKENS,
    MIN_DIGITS,
    DecoderTask,
    corrected,
    gained,
    random_digits,
)
from tokcodec.train.decoder.taildrop import TailDrop, to_planes, to_rgb  # noqa: E402
from tokcodec.train.loop import train  # noqa: E402
from tokcodec.train.schedule import Schedule  # noqa: E402

MODEL = shipped(DEFAULT)
CPU = torch.device("cpu")
TINY = Shape((16, 16), (1, 1), 16)


def as_batch(*pictures: np.ndarray) -> torch.Tensor:
    """uint8 (B, 3, height, width)."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def random_network() -> Network:
    torch.manual_seed(0)
    network = Network(TINY).eval().requires_grad_(False)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return network


def test_a_picture_is_learnt_by_heart(tmp_path: Path, photograph: Callable) -> None:
    torch.manual_seed(0)
    picture = as_batch(photograph("astronaut", 64, 64))
    task = DecoderTask(Network(TINY), MODEL, picture, CPU)
    before = task.check(task.network, tmp_path, 0)
    assert max(map(abs, before.values())) < 1e-3  # at first it corrects nothing
    schedule = Schedule(steps=60, rate=0.1, average=0.9)
    state = train(task, repeat(picture.repeat(4, 1, 1, 1)), schedule, tmp_path, CPU)
    assert min(state.checked[f"gain_{tokens}"] for tokens in CHECK_TOKENS[:3]) > 0.5


def test_check_tells_the_gain_in_psnr_and_draws_a_sheet(
    tmp_path: Path, photograph: Callable
) -> None:
    pictures = [
        photograph(name, 40, 36) for name in ("astronaut", "chelsea", "coffee", "rocket", "retina")
    ] * 2
    network, order = random_network(), order_for(MODEL, 36, 40, 3)
    task = DecoderTask(network, MODEL, as_batch(*pictures), CPU)
    found = task.check(network, tmp_path, 7)
    for tokens in CHECK_TOKENS[:2]:
        gains = []
        for picture in pictures[:5]:
            known = read_back(picture, 10 * tokens)
            errors = [
                np.square(neural(known, (40, 36), TorchRuntime(n)).astype(float) - picture).mean()
                for n in (Network(TINY), network)
            ]
            gains.append(10 * np.log10(errors[0] / errors[1]))
        assert found[f"gain_{tokens}"] == pytest.approx(np.mean(gains), abs=0.02)
    assert found["gain"] == pytest.approx(
        np.mean([found[f"gain_{tokens}"] for tokens in CHECK_TOKENS])
    )
    (sheet,) = tmp_path.iterdir()
    assert sheet.name == "sheet-000007.png"
    image = np.asarray(Image.open(sheet))
    assert image.shape[1:] == (4 * 40, 3)  # four pictures across
    assert image.shape[0] % (3 * 36) == 0  # the truth, without and with the correction
    assert np.array_equal(image[:36, 40:80], pictures[1])
    assert order.digits > 10 * CHECK_TOKENS[1]


def read_back(picture: np.ndarray, digits: int) -> Knowledge:
    """What the first digits of a picture tell."""
    order = order_for(MODEL, *picture.shape[:2], 3)
    source = quantiser.Source(order, transform.analyse(colour.to_planes(picture, False)))
    known = Knowledge(order)
    for step in order.passes:
        if digits <= 0:
            break
        known.add(step, source.digits(step)[:digits])
        digits -= step.digits
    return known


@pytest.mark.parametrize(("height", "width"), [(64, 64), (33, 50), (5, 40)])
def test_what_is_trained_is_what_decodes(height: int, width: int, photograph: Callable) -> None:
    picture, network = photograph("coffee", width, height), random_network()
    drop = TailDrop(order_for(MODEL, height, width, 3))
    truth = analyse(to_planes(as_batch(picture)))
    for digits in (10, 100, 3000):
        cut = drop.cut(truth, torch.tensor([digits]))
        planes, linear = corrected(network, cut, height, width)
        assert (planes - linear).abs().max() > 5
        mine = to_rgb(planes)[0].permute(1, 2, 0).round().clamp(0, 255).numpy()
        drawn = neural(read_back(picture, digits), (width, height), TorchRuntime(network))
        assert (np.abs(mine - drawn) > 1).mean() < 1e-3
        assert (mine != drawn).mean() < 0.02


def test_most_cuts_are_usual_and_all_lengths_occur() -> None:
    torch.manual_seed(0)
    pixels, most = 128 * 128, 308_928
    digits = random_digits(4000, pixels, most, CPU)
    usual = (digits >= RATES[0] * pixels - 1) & (digits <= RATES[1] * pixels)
    assert 0.75 < usual.float().mean() < 0.9
    few = random_digits(4000, pixels, most, CPU, (0.004, 0.02))
    assert 0.6 < (few <= 0.02 * pixels).float().mean() < 0.9
    assert digits.min() < 1.2 * MIN_DIGITS
    assert 0.8 * most < digits.max() <= most
    assert random_digits(100, 12, 60, CPU).max() <= 60  # a picture of fewer digits than is usual


def test_the_loss_is_finite_and_moves_the_network(photograph: Callable) -> None:
    """For pictures of a single colour, too, which the linear decoder draws without error."""
    flat = np.full((64, 48, 3), 255, np.uint8)
    batch = as_batch(flat, photograph("chelsea", 48, 64))
    task = DecoderTask(Network(TINY), MODEL, batch, CPU)
    alone = batch[:1]
    for part in (batch, alone, batch[1:]):
        loss, numbers = task.loss(task.network, part)
        assert np.isfinite([*numbers.values()]).all()
        assert numbers["gain_db"] == pytest.approx(0, abs=1e-3)
        task.network.zero_grad()
        loss.backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in task.network.parameters())
        if part is not alone:  # a flat picture is perfect without the network
            assert task.network.out.weight.grad.any()


def test_a_picture_that_is_drawn_exactly_spoils_no_mean() -> None:
    truth = torch.full((2, 3, 8, 8), 255.0)
    off = truth.clone()
    off[1] -= 10
    assert gained(truth, truth, truth).tolist() == [0.0, 0.0]
    better = gained(off, truth, truth)
    assert better[0] == 0 < better[1]
    assert better.isfinite().all()


def test_a_check_does_not_stand_in_the_way_of_training(
    tmp_path: Path, photograph: Callable
) -> None:
    """The same size before and after, in and out of inference mode."""
    batch = as_batch(photograph("rocket", 40, 40))
    task = DecoderTask(Network(TINY), MODEL, batch, CPU)
    task.check(task.network, tmp_path, 0)
    loss, _ = task.loss(task.network, batch)
    loss.backward()
    assert task.network.out.weight.grad.any()
    task.check(task.network, tmp_path, 1)
    assert len(list(tmp_path.iterdir())) == 2
