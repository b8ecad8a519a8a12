"""Steps and guidance of flow decoders, where the answer is known."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from tokcodec.register.flextok.flow import ProjectedGuidance, classifier_free, sample  # noqa: E402


def test_steps_follow_a_straight_line() -> None:
    noise, end = torch.ones(2, 3), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    times: list[float] = []

    def velocity(x: Tensor, time: float) -> Tensor:
        times.append(time)
        return noise - end

    torch.testing.assert_close(sample(noise, velocity, 4), end)
    assert times == [1.0, 0.75, 0.5, 0.25]


def test_guidance_goes_further_the_same_way() -> None:
    found = classifier_free(3)(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))
    assert found.tolist() == [3.0, -2.0]


def test_projected_guidance_drops_what_is_along() -> None:
    conditional, free = torch.tensor([[2.0, 0.0]]), torch.tensor([[1.5, -0.5]])
    found = ProjectedGuidance(3)(conditional, free)
    torch.testing.assert_close(found, torch.tensor([[2.0, 1.0]]))


def test_projected_guidance_is_bounded_for_each_picture() -> None:
    conditional = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    free = torch.tensor([[1.0, -100.0], [1.0, -1.0]])
    found = ProjectedGuidance(2)(conditional, free)
    torch.testing.assert_close(found, torch.tensor([[1.0, 2.5], [1.0, 1.0]]))


def test_projected_guidance_holds_back_what_it_did_before() -> None:
    conditional, free = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, -2.0]])
    guidance = ProjectedGuidance(2)
    steps = [float(guidance(conditional, free)[0, 1]) for _ in range(3)]
    assert steps == [2.0, 1.0, 1.5]


def test_a_velocity_of_zero_is_no_trouble() -> None:
    nothing = torch.zeros(1, 4)
    assert not ProjectedGuidance(7.5)(nothing, nothing).any()
