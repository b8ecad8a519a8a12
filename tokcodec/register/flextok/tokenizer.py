"""FlexTok: a picture to an ordered list of tokens, and any first few of them to a picture.

Bachmann et al.: FlexTok: Resampling Images into 1D Token Sequences of Flexible Length, ICML 2025.
Written anew from a description of its parts; it reads the published checkpoints. An autoencoder
makes latents of the pixels, a causal encoder resamples them into tokens, and a flow decoder draws
latents from noise and tokens: the fewer there are, the more it invents.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from tokcodec.arguments import is_number, is_whole
from tokcodec.errors import ArgumentError, TokensError
from tokcodec.register.flextok import names as flextok_names
from tokcodec.register.flextok.decoder import FlexTokDecoder
from tokcodec.register.flextok.encoder import FlexTokEncoder
from tokcodec.register.flextok.flow import Guidance, ProjectedGuidance, classifier_free, sample
from tokcodec.register.flextok.noise import normal
from tokcodec.register.flextok.shape import FlexTokShape, shape_of
from tokcodec.register.flextok.vae import VAE
from tokcodec.register.fsq import FSQ

OPTIONS = ("steps", "guidance", "seed", "projected")
STEPS = 25
MAX_STEPS = 1000
GUIDANCE = 7.5
SMALL, SMALL_GUIDANCE = 12, 15.0  # what its authors advise for decoders of up to 12 blocks


class FlexTok(nn.Module):
    """See `Tokenizer` for the attributes.

    Args:
        shape: sizes of the networks.
        side: pixels a side; None is as many as there are places for.

    Raises:
        ArgumentError: pictures of that side cannot be cut into patches, or have too many.
    """

    shortest = 1

    def __init__(self, shape: FlexTokShape, side: int | None = None) -> None:
        super().__init__()
        self.side = shape.side if side is None else side
        if self.side % shape.step or not 0 < self.side <= shape.side:
            raise ArgumentError(f"side is a multiple of {shape.step} up to {shape.side}")
        self.shape, self.fsq = shape, FSQ(shape.levels)
        self.length, self.levels = shape.length, shape.levels
        self.vocabulary = self.fsq.vocabulary
        self.guidance = SMALL_GUIDANCE if shape.decoder.depth <= SMALL else GUIDANCE
        self.vae = VAE(shape.vae)
        self.encoder = FlexTokEncoder(shape)
        self.decoder = FlexTokDecoder(shape)

    @torch.inference_mode()
    def ids(self, pixels: Tensor, count: int | None = None) -> Tensor:
        """Float (B, 3, side, side) in 0..1 to int64 (B, count); by default all tokens.

        A token does not depend on those after it, so few cost less.

        Raises:
            ArgumentError: pictures of another shape, or a count outside 1..length.
        """
        if pixels.ndim != 4 or pixels.shape[1:] != (3, self.side, self.side):
            raise ArgumentError(
                f"pictures are (B, 3, {self.side}, {self.side}) here, not {tuple(pixels.shape)}"
            )
        if count is not None and not 1 <= count <= self.length:
            raise ArgumentError(f"count is 1..{self.length}, not {count}")
        latents = self.encoder(self.latents(pixels), count)
        return self.fsq.ids(self.fsq.digits(latents))

    @torch.inference_mode()
    def pixels(
        self,
        ids: Tensor,
        *,
        steps: int = STEPS,
        guidance: float | None = None,
        seed: int = 0,
        projected: bool = True,
        **others: Any,
    ) -> Tensor:
        """Int64 (B, k), 1 <= k <= length, to float (B, 3, side, side) in 0..1.

        Args:
            steps: how often the network is asked, twice each time unless guidance is 1; 20 to 25
                are advised.
            guidance: how far to go after the tokens. 1 follows the network as it is; None is what
                its authors advise.
            seed: of the noise, 0..2^64 - 1; every picture of a batch gets the same.
            projected: adaptive projected guidance, else plain classifier-free guidance.

        Raises:
            TokensError: ids outside the vocabulary, none of them, or too many.
            ArgumentError: steps, guidance or seed make no sense, or there is no such option.
        """
        if others:
            raise ArgumentError(
                f"a FlexTok decodes with {', '.join(OPTIONS)}; it has no {', '.join(others)}"
            )
        if ids.ndim != 2 or not 1 <= ids.shape[1] <= self.length:
            raise TokensError(f"a picture has 1 to {self.length} tokens, not {tuple(ids.shape)}")
        scale = self.guidance if guidance is None else guidance
        if not is_whole(steps) or not 1 <= steps <= MAX_STEPS:
            raise ArgumentError(f"steps is a whole number in 1..{MAX_STEPS}, not {steps!r:.40}")
        if not is_number(scale) or not isfinite(scale) or scale < 0:
            raise ArgumentError(f"guidance is a number from 0 on, not {guidance!r:.40}")
        noise = self.noise(seed).expand(len(ids), -1, -1, -1)
        follow = ProjectedGuidance(scale) if projected else classifier_free(scale)
        latents = self.drawn(ids, noise, steps, None if scale == 1 else follow)
        return (self.seen(latents) * 0.5 + 0.5).clamp(0, 1)

    def latents(self, pixels: Tensor) -> Tensor:
        """Pixels in 0..1 to scaled latents (B, C, h, w), the mean of what they might be."""
        return self.vae.encode((pixels * 2 - 1).to(self._dtype)) * self.shape.scaling

    def seen(self, latents: Tensor) -> Tensor:
        """Scaled latents to pixels in about -1..1, float32."""
        return self.vae.decode((latents / self.shape.scaling).to(self._dtype)).float()

    def noise(self, seed: int) -> Tensor:
        """Latents to start from: float32 (1, C, h, w), alike on every machine."""
        latents = self.side // self.shape.vae.factor
        size = 1, self.shape.vae.latent, latents, latents
        found = torch.from_numpy(normal(seed, size[1] * latents * latents))
        return found.reshape(size).to(self.encoder.registers.device)

    def drawn(self, ids: Tensor, noise: Tensor, steps: int, guidance: Guidance | None) -> Tensor:
        """Tokens (B, k) and noise to scaled latents, float32 (B, C, h, w)."""
        known = self.decoder.known(self.fsq.values(ids).to(self._dtype))
        unknown = self.decoder.unknown(len(ids))

        def velocity(latents: Tensor, time: float) -> Tensor:
            given = latents.to(self._dtype)
            towards = self.decoder(given, time, known).float()
            if guidance is None:
                return towards
            return guidance(towards, self.decoder(given, time, unknown).float())

        return sample(noise, velocity, steps)

    @property
    def _dtype(self) -> torch.dtype:
        return self.encoder.registers.dtype


def flextok_from(
    config: Mapping[str, Any], weights: Mapping[str, Tensor], side: int | None = None
) -> FlexTok:
    """A FlexTok, ready to use, that shares its memory with `weights`.

    Args:
        config: its configuration: config.json, or the metadata of its safetensors file.
        weights: its tensors under their published names, the autoencoder's included.
        side: pixels a side; None is as many as there are places for, 256 in all published ones.

    Raises:
        DamagedModelError: the configuration lacks something, or the weights do not fit it; the
            message names what is missing, foreign or misshapen.
    """
    shape = shape_of(config)
    with torch.device("meta"):
        model = FlexTok(shape, side)
    model.load_state_dict(flextok_names.ours(weights, model.state_dict()), assign=True)
    return model.requires_grad_(False).eval()
