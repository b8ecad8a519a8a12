"""How often batches come again."""

from __future__ import annotations

from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from tokcodec.train.decoder.replay import FIRST, Replay  # noqa: E402


def drawn(times: int, size: int, steps: int) -> list[int | None]:
    """What comes again at each step (None: a new batch; they are numbered)."""
    torch.manual_seed(0)
    replay, made, found = Replay[int](times, size), 0, list[int | None]()
    for _ in range(steps):
        batch = replay.again()
        found.append(batch)
        if batch is None:
            replay.keep(made)
            made += 1
    return found


def test_without_replay_all_are_new() -> None:
    assert drawn(0, 64, 50) == [None] * 50


def test_each_new_one_is_followed_by_old_ones() -> None:
    found = drawn(3, 16, 4000)
    assert found[:FIRST] == [None] * FIRST
    assert found[FIRST:].count(None) == pytest.approx(1000, abs=FIRST)


def test_old_batches_go_and_all_have_their_turn() -> None:
    found = drawn(3, 16, 4000)
    made = 0
    counts = Counter[int]()
    for batch in found:
        if batch is None:
            made += 1
        else:
            counts[batch] += 1
            assert made - 16 <= batch < made
    assert sum(counts.values()) / made == pytest.approx(3, abs=0.1)
    assert max(counts.values()) < 20
