"""A picture, beside what was received of it, to how real it looks, patch by patch.

The adversary of Goodfellow et al. (2014), told what the decoder was told (Mirza and Osindero, 2014)
so that only a picture that fits the stream convinces. It looks twice: at pixels (PatchGAN: Isola et
al., 2017), where it finds grids and noise, and at a frozen network's features (Sauer et al., 2021),
where a small critic learns fast what texture looks like.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from tokcodec.train import distributed
from tokcodec.train.losses.features import STAGES

SPREAD = 64.0  # of pixels around their middle, to about 1
FEATURE_WIDTHS = tuple(widths[-1] for widths in STAGES)
RATE = 4e-4  # of learning
BLANK = 16  # pixels a side that every look bears


class Critic(nn.Module):
    """RGB (B, 3, h, w) in 0..255 of a picture and of the linear inverse, and the picture's
    features, to a score for every patch, above 0 for real ones: (B, n) of each look.
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        steps, before = list[nn.Module](), 6
        for i in range(3):
            after = width << i
            steps += [_normal(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(0.2)]
            before = after
        self.pixels = nn.Sequential(*steps, _normal(nn.Conv2d(before, 1, 3, 1, 1)))
        self.heads = nn.ModuleList(
            nn.Sequential(
                _normal(nn.Conv2d(w, width, 1)),
                nn.LeakyReLU(0.2),
                _normal(nn.Conv2d(width, width, 3, 2, 1)),
                nn.LeakyReLU(0.2),
                _normal(nn.Conv2d(width, 1, 3, 1, 1)),
            )
            for w in FEATURE_WIDTHS
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, rgb: Tensor, linear: Tensor, features: list[Tensor]) -> list[Tensor]:
        both = (torch.cat([rgb, linear], 1) - 127.5) / SPREAD
        looks = [self.pixels(both.contiguous(memory_format=torch.channels_last))]
        for head, found in zip(self.heads, features, strict=True):
            looks.append(head(F.normalize(found, dim=1) * found.shape[1] ** 0.5))
        return [scores.flatten(1) for scores in looks]


class Adversary:
    """A critic that learns beside the network whose pictures it judges.

    Args:
        rate: of its learning, which stays what it is.
    """

    def __init__(self, device: torch.device, rate: float = RATE) -> None:
        self.critic = Critic().to(device)
        distributed.alike(self.critic)
        self.optimiser = torch.optim.AdamW(
            self.critic.parameters(), rate, (0.5, 0.99), weight_decay=0.0
        )

    def state(self) -> dict[str, Any]:
        """The critic and what its optimiser remembers."""
        return {"critic": self.critic.state_dict(), "optimiser": self.optimiser.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.critic.load_state_dict(state["critic"])
        self.optimiser.load_state_dict(state["optimiser"])

    def judge(
        self,
        example: Tensor,
        drawn: Tensor,
        linear: Tensor,
        theirs: list[Tensor],
        ours: list[Tensor],
    ) -> tuple[Tensor, float]:
        """What drawn pictures lose, (B,), and the critic's own loss: it learns one step from them
        first. Arguments as of `Critic`: of the examples, of what is drawn, and of both.
        """
        mistakes = self._learn(example, drawn, linear, theirs, ours)
        self.critic.requires_grad_(False)
        loss = unconvinced(self.critic(drawn, linear, ours)).float()
        self.critic.requires_grad_(True)
        return loss, mistakes

    def wait(self) -> None:
        """Keep step with the critics of other processes while there is nothing here to judge: they
        wait for this one's gradients, which are zero. Nothing happens in the only process.
        """
        if not distributed.several():
            return
        # Normalisation counts the looks, so that there must be as many: at pictures without a say.
        device = next(self.critic.parameters()).device
        blank = torch.zeros(1, 3, BLANK, BLANK, device=device)
        seen = [torch.zeros(1, w, BLANK, BLANK, device=device) for w in FEATURE_WIDTHS]
        self._learn(blank, blank, blank, seen, seen, weight=0.0)
        with torch.no_grad():
            self.critic(blank, blank, seen)

    def _learn(
        self,
        example: Tensor,
        drawn: Tensor,
        linear: Tensor,
        theirs: list[Tensor],
        ours: list[Tensor],
        weight: float = 1.0,
    ) -> float:
        """One step of the critic; its loss."""
        self.optimiser.zero_grad(set_to_none=True)
        real = self.critic(example, linear, theirs)
        fake = self.critic(drawn.detach(), linear, [f.detach() for f in ours])
        loss = weight * mistaken(real, fake)
        loss.backward()
        distributed.average(p.grad for p in self.critic.parameters())
        if all(p.grad is None or p.grad.isfinite().all() for p in self.critic.parameters()):
            self.optimiser.step()  # as in `loop`: a bad batch must not end a run
        return float(loss.detach())


def mistaken(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """The critic's loss: how far scores stay on the wrong side of a margin (hinge: Lim and Ye,
    2017), mean of the looks.
    """
    parts = [F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(parts).mean()


def unconvinced(fake: list[Tensor]) -> Tensor:
    """The decoder's loss, (B,): minus the mean score."""
    return -torch.stack([f.mean(1) for f in fake]).mean(0)


def _normal(layer: nn.Module) -> nn.Module:
    """Spectral normalisation (Miyato et al., 2018): a critic that cannot overshoot."""
    return spectral_norm(layer)
