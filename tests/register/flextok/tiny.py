"""The FlexTok of the parity vectors: all of the real one's parts, tiny, with random weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from tests.register.drawn import drawn
from tokcodec.register.flextok.names import published
from tokcodec.register.flextok.shape import shape_of
from tokcodec.register.flextok.tokenizer import FlexTok

SEED = 3
SIDE = 80  # of the pictures; there are places for 96


def config() -> dict[str, Any]:
    """What its configuration says, as far as it is read."""
    patches = {"channels_in": 16, "patch_sizes": [2, 2]}
    places = {"max_sizes": [6, 6]}
    encoder = {
        "enc_patch_emb": patches,
        "enc_posemb_module": places,
        "enc_register_module": {"n_max": 16},
        "enc_transformer": {"dim": 64, "depth": 3, "head_dim": 32},
    }
    decoder = {
        "dec_noise_patch_emb": patches,
        "dec_patches_posemb_module": places,
        "dec_time_embedder": {"frequency_embedding_size": 256, "max_timestep": 1.0},
        "dec_transformer": {"dim": 96, "depth": 2, "head_dim": 32},
    }
    return {
        "_target_": "somewhere.FlexTok",
        "vae": {
            "scaling_factor": 0.7,
            "block_out_channels": [16, 16, 32, 32],
            "norm_num_groups": 8,
        },
        "encoder": {"module_dict": encoder},
        "decoder": {"module_dict": decoder},
        "regularizer": {"levels": [8, 8, 8, 5, 5, 5]},
    }


def weights() -> dict[str, Tensor]:
    """All of them, by their published names."""
    with torch.device("meta"):
        sizes = FlexTok(shape_of(config())).state_dict()
    return {
        name: weight(name, tuple(tensor.shape))
        for name, tensor in ((published(here), tensor) for here, tensor in sizes.items())
    }


def weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """One of them."""
    if name.endswith("posembs") and shape[1] != 1:
        return waves(shape)
    found = drawn(SEED, name, shape)
    if name.endswith(("posembs", "registers", "nullcond", "dropout_mask_token")):
        return 0.7 * found
    if name.endswith("bias"):
        return (0.4 if "adaLN" in name else 0.15) * found
    if len(shape) == 1:
        return 1 + 0.2 * found
    scales = {"adaLN": 0.6, "vae.encoder.conv_in": 2.0, "vae.decoder.conv_out": 0.6}
    scale = next((scale for part, scale in scales.items() if part in name), 1.0)
    return scale / math.sqrt(math.prod(shape[1:])) * found


def waves(shape: tuple[int, ...]) -> Tensor:
    """Sines and cosines of row and column, (1, width, rows, columns)."""
    _, width, rows, columns = shape
    speeds = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    row = (torch.arange(rows)[:, None] * speeds).T[:, :, None].expand(-1, -1, columns)
    column = (torch.arange(columns)[:, None] * speeds).T[:, None].expand(-1, rows, -1)
    return torch.cat([row.sin(), row.cos(), column.sin(), column.cos()])[None].float()
