"""How strong texture is: invented texture is seen, and which one it is does not matter."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from tokcodec.train.losses.contrast import SCALES, contrast, contrast_error  # noqa: E402


def grey(noise: float, seed: int = 0, height: int = 64, width: int = 64) -> torch.Tensor:
    """Two pictures, grey, noise all over."""
    random = torch.Generator().manual_seed(seed)
    one = 128 + noise * torch.randn(2, 1, height, width, generator=random)
    return one.expand(-1, 3, -1, -1)


def half_flat(seed: int = 0) -> torch.Tensor:
    """The same, whose left half is flat."""
    found = grey(20, seed).clone()
    found[..., :32] = 128
    return found


def apart(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    return contrast_error(contrast(one), contrast(two))


def test_texture_on_what_is_flat_costs() -> None:
    truth, invented = half_flat(), half_flat()
    invented[..., :32] += 10 * torch.randn(2, 1, 64, 32, generator=torch.Generator().manual_seed(3))
    assert apart(truth, truth).tolist() == [0, 0]
    assert (apart(truth, invented) > 1).all()
    assert apart(truth, half_flat(1)).max() < 0.3  # as rough, other noise
    blurred = torch.full_like(truth, 128.0)
    assert (apart(truth, blurred) > 1).all()  # missing texture costs as well


def test_stronger_texture_costs_more() -> None:
    truth = grey(0)
    costs = [float(apart(truth, grey(noise)).mean()) for noise in (0, 4, 16, 64)]
    assert costs == sorted(costs)
    assert costs[1] > 0.5


@pytest.mark.parametrize(("height", "width"), [(33, 47), (63, 64), (64, 9), (9, 8)])
def test_odd_sizes(height: int, width: int) -> None:
    pictures = grey(10, 0, height, width), grey(10, 1, height, width)
    found = contrast(pictures[0])
    assert 1 <= len(found) <= SCALES
    assert all(x.shape[:2] == (2, 3) for x in found)
    assert all(x.shape[2] == height >> (i + 3) for i, x in enumerate(found))
    assert apart(*pictures).shape == (2,)


def test_directions_are_told_apart() -> None:
    stripes = 128 + 40 * (torch.arange(64) % 2 * 2 - 1.0).expand(1, 3, 64, 64)  # one pixel wide
    finest = contrast(stripes)[0].mean((0, 2, 3)).tolist()
    assert finest[0] > finest[1] + 3
    assert finest[1] == pytest.approx(finest[2])
    turned = contrast(stripes.mT)[0].mean((0, 2, 3)).tolist()
    assert turned == pytest.approx([finest[1], finest[0], finest[2]])


def test_a_gradient_comes_through() -> None:
    drawn = grey(1).clone().requires_grad_(True)
    contrast_error(contrast(drawn), contrast(grey(20))).sum().backward()
    assert torch.isfinite(drawn.grad).all()
    assert drawn.grad.any()


def test_pictures_that_are_too_small_have_none() -> None:
    for height, width in ((7, 64), (64, 7), (1, 1)):
        found = contrast(grey(10, 0, height, width))
        assert found == []
        assert float(contrast_error(found, found)) == 0
