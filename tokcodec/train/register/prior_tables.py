"""Digits of many pictures to the tables of a register tokenizer's prior."""

from __future__ import annotations

import numpy as np

from tokcodec.model import TOTAL
from tokcodec.register.prior.tables import Tables

MAX_VALUES = 16  # of digits that have parents; tables of larger ones would be huge


def counted(digits: np.ndarray, levels: tuple[int, ...], parents: bool = True) -> Tables:
    """Digits of pictures, int (pictures, places), to their tables.

    A row is a mean of what was counted and of a broader row: one picture for every value counts as
    the broader. Broadest is the digit's row over all tokens, then the place's, then the place's
    where the parent has one value.

    Args:
        parents: whether digits may depend on an earlier one.
    """
    places = digits.shape[1]
    values = np.tile(levels, places // len(levels))
    most = max(levels)
    chosen = np.full(places, -1, np.int32)
    if parents and most <= MAX_VALUES:
        chosen = _parents(digits, values)
    contexts = most if (chosen >= 0).any() else 1
    found = np.zeros((places, contexts, most), np.uint32)
    for i, count in enumerate(values):
        same = digits[:, i % len(levels) :: len(levels)]
        pooled = _mixed(np.bincount(same.ravel(), minlength=count), np.full(count, 1 / count))
        row = _mixed(np.bincount(digits[:, i], minlength=count), pooled)
        if chosen[i] < 0:
            found[i, 0, :count] = _whole(row)
            continue
        before = digits[:, chosen[i]]
        for context in range(values[chosen[i]]):
            seen = np.bincount(digits[before == context, i], minlength=count)
            found[i, context, :count] = _whole(_mixed(seen, row))
    return Tables(levels, chosen, found)


def _mixed(counts: np.ndarray, broader: np.ndarray) -> np.ndarray:
    """Counts to shares that lean on broader ones."""
    return (counts + len(broader) * broader) / (counts.sum() + len(broader))


def _whole(shares: np.ndarray) -> np.ndarray:
    """Shares to frequencies, each at least 1, that sum to 2**24; the commonest takes the rest."""
    found = np.floor(shares * (TOTAL - len(shares))).astype(np.int64) + 1
    found[found.argmax()] += TOTAL - found.sum()
    return found


def _parents(digits: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each place the earlier one that tells most of it, or -1 where none tells more than chance
    would: the mutual information of independent digits is about that (Miller, 1955).
    """
    pictures, places = digits.shape
    starts = np.concatenate([[0], np.cumsum(values)])
    marks = np.zeros((pictures, starts[-1]), np.float32)
    np.put_along_axis(marks, starts[:-1] + digits, 1, 1)
    shares = marks.mean(0)
    chosen = np.full(places, -1, np.int32)
    for i in range(1, places):
        mine = slice(starts[i], starts[i + 1])
        joint = marks[:, : starts[i]].T @ marks[:, mine] / pictures
        apart = shares[: starts[i], None] * shares[mine]
        told = joint * np.log(np.maximum(joint, 1e-12) / np.maximum(apart, 1e-12))
        each = np.add.reduceat(told.sum(1), starts[:i])
        chance = (values[:i] - 1) * (values[i] - 1) / (2 * pictures)
        best = int((each - chance).argmax())
        if each[best] > 2 * chance[best]:
            chosen[i] = best
    return chosen
