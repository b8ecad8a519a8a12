"""A register tokenizer of a few thousand weights, begun on a few photographs."""

from __future__ import annotations

import numpy as np
import torch

from tests.conftest import load_photograph
from tokcodec.register.own.shape import RegisterShape
from tokcodec.register.own.tokenizer import RegisterTokenizer
from tokcodec.train.register.tokenizer import started

SHAPE = RegisterShape(
    side=32, patch=8, tokens=24, levels=(7, 5, 5), width=32, head=16, encoder=1, decoder=1
)
NAMES = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle_left", "retina")


def pictures(width: int = 32, height: int = 32) -> torch.Tensor:
    """uint8 (6, 3, height, width)."""
    found = np.stack([load_photograph(name, width, height) for name in NAMES])
    return torch.from_numpy(found).permute(0, 3, 1, 2).contiguous()


def untaught() -> RegisterTokenizer:
    """As training begins: what both networks add is nothing."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return started(SHAPE, [pictures(), pictures(48, 32)])


def taught() -> RegisterTokenizer:
    """Both networks add something, though nothing sensible."""
    tokenizer = untaught()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        for network in (tokenizer.encoder, tokenizer.decoder):
            network.out.weight.normal_(std=0.05)
    return tokenizer.eval().requires_grad_(False)
