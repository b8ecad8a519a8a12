"""Muon: even steps in all directions, whatever the gradient's."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from tokcodec.train.muon import STRENGTH, Muon, orthogonal  # noqa: E402


@pytest.mark.parametrize("shape", [(8, 8), (4, 72), (72, 4), (32, 288), (1, 5)])
def test_singular_values_come_close_to_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1]))
    found = torch.linalg.svdvals(orthogonal(1e-4 * matrix))
    assert found.min() > 0.3
    assert found.max() < 1.3


def test_nothing_stays_nothing() -> None:
    assert (orthogonal(torch.zeros(4, 6)) == 0).all()


def test_a_step_has_its_strength_and_goes_downhill() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(32, 16, 3, 3))
    before, optimiser = weight.detach().clone(), Muon([weight], rate=1e-3, decay=0.0)
    (weight.square().sum() / 2).backward()  # its gradient is the weight itself
    optimiser.step()
    step = weight.detach() - before
    assert float(step.square().mean().sqrt()) == pytest.approx(1e-3 * STRENGTH, rel=0.25)
    assert float((step * before).sum()) < 0


def test_decay_shrinks_and_no_gradient_leaves_alone() -> None:
    one, two = (torch.nn.Parameter(torch.ones(3, 3)) for _ in range(2))
    optimiser = Muon([one, two], rate=0.1, decay=0.5)
    one.grad = torch.zeros_like(one)
    optimiser.step()
    assert torch.allclose(one, torch.full((3, 3), 0.95))
    assert torch.equal(two, torch.ones(3, 3))
    one.grad.fill_(1.0)
    optimiser.zero_grad()
    assert one.grad is None


def test_it_learns_a_matrix_faster_than_gradient_descent() -> None:
    """Of directions as unlike as 1 and 1/1000 in strength."""
    torch.manual_seed(0)
    inputs = torch.randn(256, 8) @ torch.diag(torch.logspace(0, -3, 8))
    truth = torch.randn(8, 8)
    left = []
    for kind in (Muon, torch.optim.SGD):
        weight = torch.nn.Parameter(torch.zeros(8, 8))
        optimiser = kind([weight], 0.05)
        for _ in range(200):
            optimiser.zero_grad()
            (inputs @ (weight - truth).T).square().mean().backward()
            optimiser.step()
        left.append(float((weight - truth).detach().square().mean()))
    assert left[0] < 0.3 * left[1]
