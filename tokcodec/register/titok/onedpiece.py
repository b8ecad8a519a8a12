"""One-D-Piece: TiTok trained on random prefixes, so that any first tokens draw a picture (Miwa et
al., "One-D-Piece: Image Tokenizer Meets Quality-Controllable Compression", 2025).

Tokens that are dropped are simply absent from the decoder's sequence. All are always encoded, as
the encoder's last step mixes them.
"""

from __future__ import annotations

from tokcodec.register.titok.shape import TiTokShape
from tokcodec.register.titok.tokenizer import TiTok


class OneDPiece(TiTok):
    """The whole tokenizer, a `register.tokenizer.Tokenizer`."""

    def __init__(self, shape: TiTokShape) -> None:
        super().__init__(shape)
        self.shortest = 1
