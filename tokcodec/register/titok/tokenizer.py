"""TiTok: a square picture to a fixed number of codes, and back (Yu et al., "An Image is Worth 32
Tokens for Reconstruction and Generation", NeurIPS 2024).

The encoder reads patches and one learned vector a token, and keeps what became of the latter; the
decoder reads the tokens' codes and one mask vector a patch, and keeps what became of the latter.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tokcodec.errors import ArgumentError, TokensError
from tokcodec.register.titok.blocks import Transformer
from tokcodec.register.titok.maskgit import PixelDecoder, ProxyCodes
from tokcodec.register.titok.quantiser import Codebook
from tokcodec.register.titok.shape import TiTokShape


class Encoder(Transformer):
    """Pixels (B, 3, side, side) to one vector a token (B, N, code)."""

    def __init__(self, shape: TiTokShape) -> None:
        vit = shape.encoder
        super().__init__(vit.width, vit.layers, vit.heads, shape.grid**2, shape.latents)
        self.legacy = shape.legacy
        self.patch_embed = nn.Conv2d(3, vit.width, shape.patch, shape.patch)
        self.conv_out = nn.Conv2d(vit.width, shape.code, 1)

    def forward(self, pixels: Tensor, latents: Tensor) -> Tensor:
        patches = self.patch_embed(pixels.to(self.patch_embed.weight.dtype))
        x = self.run(patches.flatten(2).mT, latents.expand(len(pixels), -1, -1))
        x = self.ln_post(x[:, -latents.shape[0] :])
        if self.legacy:  # trained with a reshape where a transpose was meant: all latents mix
            x = x.reshape(len(x), x.shape[2], x.shape[1], 1)
        else:
            x = x.mT.unsqueeze(-1)
        return self.conv_out(x).squeeze(-1).mT


class Decoder(Transformer):
    """Codes (B, k, code) of the first k tokens to an image of features: logits of proxy codes
    (B, 1024, grid, grid) in the first models, pixels (B, 3, side, side) in the later ones.
    """

    def __init__(self, shape: TiTokShape) -> None:
        vit = shape.decoder
        super().__init__(vit.width, vit.layers, vit.heads, shape.grid**2, shape.latents)
        self.grid = shape.grid
        self.decoder_embed = nn.Linear(shape.code, vit.width)
        self.mask_token = nn.Parameter(vit.width**-0.5 * torch.randn(1, 1, vit.width))
        if shape.legacy:
            self.ffn = nn.Sequential(
                nn.Conv2d(vit.width, 2 * vit.width, 1),
                nn.Tanh(),
                nn.Conv2d(2 * vit.width, shape.proxies, 1),
            )
        else:
            self.ffn = nn.Sequential(nn.Conv2d(vit.width, 3 * shape.patch**2, 1))
            self.conv_out = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        latents = self.decoder_embed(codes.to(self.decoder_embed.weight.dtype))
        masks = self.mask_token.expand(len(codes), self.grid**2, -1)
        x = self.ln_post(self.run(masks, latents)[:, 1 : 1 + self.grid**2])
        x = self.ffn(x.mT.unflatten(2, (self.grid, self.grid)))
        return x if len(self.ffn) > 1 else self.conv_out(_unpatch(x))


def _unpatch(x: Tensor) -> Tensor:
    """(B, p p 3, h, w), a pixel's three numbers together, to (B, 3, p h, p w)."""
    patch = int((x.shape[1] // 3) ** 0.5)
    batch, _, h, w = x.shape
    x = x.view(batch, patch, patch, 3, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(batch, 3, h * patch, w * patch)


class TiTok(nn.Module):
    """The whole tokenizer, a `register.tokenizer.Tokenizer`.

    All of its tokens are needed: from fewer it draws, but was never trained to.
    """

    def __init__(self, shape: TiTokShape) -> None:
        super().__init__()
        self.shape = shape
        self.side, self.length, self.shortest = shape.side, shape.latents, shape.latents
        self.levels: tuple[int, ...] = (shape.vocabulary,)
        self.vocabulary = shape.vocabulary
        width = shape.encoder.width
        self.latent_tokens = nn.Parameter(width**-0.5 * torch.randn(shape.latents, width))
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.quantize = Codebook(shape.vocabulary, shape.code, shape.normalised)
        if shape.legacy:
            self.pixel_quantize = ProxyCodes(shape.proxies, shape.proxy)
            self.pixel_decoder = PixelDecoder(shape.proxy, shape.channels, shape.groups)

    def ids(self, pixels: Tensor) -> Tensor:
        """Float (B, 3, side, side) in 0..1 to int64 (B, length)."""
        return self.quantize.ids(self.encoder(pixels, self.latent_tokens))

    def pixels(self, ids: Tensor, **options: Any) -> Tensor:
        """Int64 (B, k), 1 <= k <= length, to float32 (B, 3, side, side) in 0..1.

        Raises:
            TokensError: ids outside the vocabulary, none of them, or too many.
            ArgumentError: an option was given; this family has none.
        """
        if options:
            raise ArgumentError(f"this tokenizer has no option {', '.join(options)} for decoding")
        if ids.ndim != 2 or not 1 <= ids.shape[1] <= self.length:
            raise TokensError(f"a picture has 1 to {self.length} tokens, not {tuple(ids.shape)}")
        return self.draw(ids).float().clamp(0, 1)

    def draw(self, ids: Tensor) -> Tensor:
        """`pixels` as the network gives them, somewhat outside of 0..1."""
        drawn = self.decoder(self.quantize.rows(ids))
        return self.pixel_decoder(self.pixel_quantize(drawn)) if self.shape.legacy else drawn
