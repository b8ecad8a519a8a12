"""The critic: it soon tells blurred photographs from sharp ones, and says so patch by patch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

torch = pytest.importorskip("torch")

from tests.train.losses.test_features import as_batch, random_weights  # noqa: E402
from tokcodec.train.losses.critic import Adversary, Critic, mistaken, unconvinced  # noqa: E402
from tokcodec.train.losses.features import Features  # noqa: E402


def test_it_learns_what_is_sharp(photograph: Callable[[str, int, int], np.ndarray]) -> None:
    torch.manual_seed(0)
    names = ("astronaut", "chelsea", "coffee", "rocket")
    images = [Image.fromarray(photograph(name, 64, 64)) for name in names]
    sharp = torch.cat([as_batch(i) for i in images])
    soft = torch.cat([as_batch(i.filter(ImageFilter.GaussianBlur(2))) for i in images])
    seen, critic = Features(random_weights()[:7]), Critic(16)
    real, fake = seen(sharp), seen(soft)
    optimiser = torch.optim.AdamW(critic.parameters(), 4e-3)
    for _ in range(40):
        optimiser.zero_grad()
        loss = mistaken(critic(sharp, soft, real), critic(soft, soft, fake))
        loss.backward()
        optimiser.step()
    assert loss.item() < 1.0  # knowing nothing it is 2
    critic.eval()
    theirs, ours = (unconvinced(critic(x, soft, f)) for x, f in ((sharp, real), (soft, fake)))
    assert theirs.shape == (4,)
    assert (ours > theirs).all()


def test_margins() -> None:
    sure, wrong = [torch.full((1, 4), v) for v in (3.0, 2.0)], [torch.full((1, 4), -1.5)] * 2
    assert float(mistaken(sure, wrong)) == 0.0
    assert float(mistaken(wrong, sure)) == pytest.approx(2.5 + (4 + 3) / 2)
    assert unconvinced(sure).tolist() == [-2.5]


def test_a_bad_batch_leaves_the_critic_alone() -> None:
    torch.manual_seed(0)
    seen, adversary = Features(random_weights()[:7]), Adversary(torch.device("cpu"))
    real, bad = 255 * torch.rand(2, 1, 3, 32, 32)
    before = [p.clone() for p in adversary.critic.parameters()]
    bad[0, 0, 3, 3] = float("nan")
    adversary.judge(real, bad, real, seen(real), seen(bad))
    assert all(map(torch.equal, adversary.critic.parameters(), before))
    lost, _ = adversary.judge(real, real.flip(-1), real, seen(real), seen(real.flip(-1)))
    assert lost.isfinite().all()
    assert not all(map(torch.equal, adversary.critic.parameters(), before))
