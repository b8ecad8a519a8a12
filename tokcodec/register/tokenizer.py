"""What every register tokenizer does: square pictures to token ids, and any first few of them back
to pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

NO_TORCH = "register tokenizers need torch: pip install 'tokcodec[neural]'"


class Tokenizer(Protocol):
    """A network that draws from an ordered list of tokens.

    Attributes:
        side: pixels a side inside.
        length: most tokens.
        shortest: fewest tokens from which a picture can be drawn well; equals `length` where the
            length is fixed.
        levels: digits of a token: the number of values of each (FSQ), or (vocabulary,) for one code
            of a codebook (VQ).
        vocabulary: number of different tokens, the product of `levels`.
    """

    side: int
    length: int
    shortest: int
    levels: tuple[int, ...]
    vocabulary: int

    def ids(self, pixels: Tensor) -> Tensor:
        """Float (B, 3, side, side) in 0..1 to int64 (B, length)."""
        ...

    def pixels(self, ids: Tensor, **options: Any) -> Tensor:
        """Int64 (B, k), 1 <= k <= length, to float (B, 3, side, side) in 0..1.

        `options` are those of the family; FlexTok's are seed, steps and guidance.

        Raises:
            TokensError: ids outside the vocabulary, none of them, or too many.
            ArgumentError: the family has no such option, or it makes no sense.
        """
        ...
