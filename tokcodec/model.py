"""A model file to the numbers that turn pictures into tokens and tokens into bytes, and to their
identity.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tokcodec.errors import DamagedModelError
from tokcodec.files import read
from tokcodec.tensors import hash_arrays, ordered

FAMILY = "pyramid"
# Levels and planes with statistics of their own; finer and later ones borrow those of the last
# (docs/FORMAT.md).
LEVELS = 8
PLANES = 8
SLOTS = 1 + 3 * LEVELS  # the low band, then three orientations a level
# Fall of a score from one plane to the next beyond the last: 256 * log2(9), rounded.
PLANE_DROP = 812
# Contexts of a table: a digit whose coefficient is still zero by what is expected of its magnitude
# and of its sign; one that refines by the planes since the first that was not zero.
MAGNITUDE_BINS, SIGN_BINS, AGES = 12, 4, 3
ROWS = MAGNITUDE_BINS * SIGN_BINS + AGES
TOTAL_BITS = 24
TOTAL = 1 << TOTAL_BITS  # the three frequencies of a digit sum to this
MAX_TOP = 1 << 16  # largest coefficient of a first step; eight bits of RGB have at most 442
# Of a network (prior.network): sets of layers, inputs of a digit, widths of both hidden layers, and
# values that the logits of zero and of the sign are rounded to.
KINDS, FEATURES, HIDDEN, ZEROS, SIGNS = 9, 43, (64, 32), 129, 49

HASHED = 255  # code in a header of a model that is not shipped: four bytes of its hash follow
TABLES, NETWORK = "context-tables-1", "integer-network-1"  # kinds of prior

# What the numbers mean. Part of the identity: a decoder that reads them otherwise is another model.
MEANING = {
    "family": FAMILY,
    "format": 1,
    "colour": "orthonormal-rgb",
    "transform": "cdf97-symmetric-dc1",
    "coarsest": 4,
    "quantiser": "nested-uniform-ternary",
    "digits_per_token": 10,
    "dispersion": "bayer8",
}

Shapes = dict[str, tuple[str, tuple[int, ...]]]
_UNIT = (3, SLOTS, PLANES)
COMMON: Shapes = {
    "tops": ("int32", (3,)),
    "scores": ("int16", _UNIT),
    "drift": ("int16", (1,)),
    "centroids": ("int16", (*_UNIT, 2)),
}
_TABLES: Shapes = COMMON | {
    "magnitude_weights": ("int16", (*_UNIT, 2, 6)),
    "magnitude_edges": ("int16", (*_UNIT, 2, MAGNITUDE_BINS - 1)),
    "sign_weights": ("int16", (*_UNIT, 2, 4)),
    "sign_edges": ("int16", (*_UNIT, 2, SIGN_BINS - 1)),
    "frequencies": ("uint32", (*_UNIT, 2, ROWS, 2)),
}
_NETWORK: Shapes = _TABLES | {
    "first": ("int16", (KINDS, FEATURES, HIDDEN[0])),
    "unit": ("int16", (*_UNIT, 2, HIDDEN[0])),
    "second": ("int16", (KINDS, *HIDDEN)),
    "second_bias": ("int32", (KINDS, HIDDEN[1])),
    "last": ("int16", (KINDS, HIDDEN[1], 2)),
    "last_bias": ("int32", (*_UNIT, 2, 2)),
    "zero": ("uint32", (ZEROS,)),
    "plus": ("uint32", (SIGNS,)),
}
SHAPES: dict[str, Shapes] = {TABLES: _TABLES, NETWORK: _NETWORK}  # by kind of prior


def slot(level: int, orientation: int) -> int:
    """Row of the statistics that a band uses: 0 for the low band, levels beyond the last as the
    last.
    """
    return 0 if level == 0 else 3 * (min(level, LEVELS) - 1) + orientation


@dataclass(frozen=True, eq=False)
class Model:
    """The `pyramid` family's numbers; see docs/FORMAT.md for what each array holds.

    Attributes:
        name: what people call it ("pyramid"), or the file's stem for a model of one's own.
        arrays: integer arrays by name, with the types and shapes of `SHAPES`.
        card: where it came from; free text, not part of the identity.
        prior: kind of prior, one of `SHAPES`.
    """

    name: str
    arrays: dict[str, np.ndarray] = field(repr=False)
    card: dict[str, str] = field(default_factory=dict, repr=False)
    prior: str = TABLES

    @property
    def meaning(self) -> dict[str, object]:
        """What the arrays mean; part of the identity."""
        return MEANING | {"prior": self.prior}

    @cached_property
    def sha256(self) -> bytes:
        """SHA-256 (32 bytes) of all that turns bytes into tokens and gives tokens meaning."""
        return self._hash(self.meaning, SHAPES[self.prior])

    @cached_property
    def tokens_id(self) -> str:
        """SHA-256, hexadecimal, of what gives tokens their meaning, whatever their bytes. Decoders
        are trained for it: they draw streams of all models that share it.
        """
        return self._hash(MEANING, COMMON).hex()

    def _hash(self, meaning: dict[str, object], shapes: Shapes) -> bytes:
        h = hashlib.sha256(json.dumps(meaning, sort_keys=True, separators=(",", ":")).encode())
        hash_arrays(h, {name: self.arrays[name] for name in shapes})
        return h.digest()

    @property
    def id(self) -> str:
        """The identity as 64 hexadecimal digits."""
        return self.sha256.hex()

    def planes(self, channel: int, area: int) -> int:
        """How many digits a coefficient has that stands for 2**`area` pixels: the fewest, at least
        one, that bring the finest step to at most 3 in units of the orthonormal transform.
        """
        # step(channel, planes - 1) * 2**(area / 2) <= 3, squared, in whole numbers.
        top, planes = int(self.arrays["tops"][channel]), 1
        while 4 * top * top << area > 9 ** (planes + 1):
            planes += 1
        return planes

    def score(self, channel: int, level: int, orientation: int, plane: int, area: int) -> int:
        """256 * log2 of the squared error that one bit removes in this unit, over all the pixels it
        stands for.
        """
        base = int(self.arrays["scores"][channel, slot(level, orientation), min(plane, PLANES - 1)])
        base += int(self.arrays["drift"][0]) * max(0, level - LEVELS)
        return base - PLANE_DROP * max(0, plane - PLANES + 1) + 256 * area

    def step(self, channel: int, plane: int) -> float:
        """Quantiser step after `plane` (0 is the first), in units of pixel values: 2 * top /
        3**(plane + 1).
        """
        return 2.0 * int(self.arrays["tops"][channel]) / 3.0 ** (plane + 1)

    def save_bytes(self) -> bytes:
        """The model as a safetensors file; the same model and card give the same bytes."""
        meta = {
            "meaning": json.dumps(self.meaning, sort_keys=True),
            "sha256": self.id,
            "card": json.dumps(self.card, sort_keys=True),
        }
        blob = save(
            {k: np.ascontiguousarray(self.arrays[k]) for k in SHAPES[self.prior]}, metadata=meta
        )
        return ordered(blob)


def load_model(path: str | Path, name: str | None = None) -> Model:
    """Read and check a model file.

    Raises:
        InputError: the file cannot be read.
        DamagedModelError: it is no model file, or its contents do not have the hash it states.
    """
    path = Path(path)
    blob = read(path)
    try:
        arrays = load(blob)  # first: it bounds the header's length and depth
        (length,) = struct.unpack_from("<Q", blob)
        meta = json.loads(blob[8 : 8 + length])["__metadata__"]
        stated, meaning, card = (
            meta["sha256"],
            json.loads(meta["meaning"]),
            json.loads(meta.get("card", "{}")),
        )
    except (SafetensorError, struct.error, ValueError, KeyError, TypeError, RecursionError) as e:
        raise DamagedModelError(f"{path} is not a tokcodec model file") from e
    prior = meaning.get("prior") if isinstance(meaning, dict) else None
    if not isinstance(card, dict):
        raise DamagedModelError(f"{path} holds a card that is no table")
    if not isinstance(prior, str) or prior not in SHAPES or meaning != MEANING | {"prior": prior}:
        raise DamagedModelError(
            f"{path} holds a model of another kind ({meaning}); this version reads {MEANING}"
        )
    found = {k: (a.dtype.name, a.shape) for k, a in arrays.items()}
    if found != SHAPES[prior]:
        raise DamagedModelError(f"{path} does not hold the arrays of a {FAMILY} model")
    model = Model(name or path.stem, arrays, card, prior)
    if model.id != stated:
        raise DamagedModelError(f"{path} is damaged: its contents do not have the hash it states")
    if not _usable(arrays):
        raise DamagedModelError(f"{path} holds numbers that no picture can be coded with")
    return model


def _usable(arrays: dict[str, np.ndarray]) -> bool:
    """Whether there are steps, and every digit has a chance."""
    tops = arrays["tops"]
    if tops.min() < 1 or tops.max() > MAX_TOP:
        return False
    counted = arrays["frequencies"].astype(np.int64)  # of two digits; the third has the rest
    if counted.min() < 1 or counted.sum(-1).max() >= TOTAL:
        return False
    return "zero" not in arrays or bool(by_logits(arrays).min() > 0)


def by_logits(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Frequencies of -1, 0, +1 by the indices of both logits of a network, int64 (ZEROS, SIGNS, 3);
    each three sum to `TOTAL` (docs/FORMAT.md).
    """
    zero = arrays["zero"].astype(np.int64)[:, None]
    plus = (TOTAL - zero) * arrays["plus"].astype(np.int64) >> 16
    return np.stack([TOTAL - zero - plus, np.broadcast_to(zero, plus.shape), plus], -1)
