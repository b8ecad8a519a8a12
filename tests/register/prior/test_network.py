"""Priors with a network: exact as their document says, fewer bytes, and refused where they do not
belong.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcodec import errors
from tokcodec.model import TOTAL
from tokcodec.register import payload
from tokcodec.register.payload import Code
from tokcodec.register.prior.file import read, write
from tokcodec.register.prior.network import Network

LEVELS, LENGTH, RANK, HIDDEN = (7, 5, 3), 6, 2, 8
PLACES = LENGTH * len(LEVELS)
CHECKPOINT = "ab" * 32


def network(seed: int = 0, levels: tuple[int, ...] = LEVELS, size: int = 1500) -> Network:
    """Weights up to so many 1/1024; each second place has a parent."""
    rng = np.random.default_rng(seed)
    places, digits, most = LENGTH * len(levels), len(levels), max(levels)

    def some(*shape: int) -> np.ndarray:
        return rng.integers(-size, size + 1, shape).astype(np.int16)

    parents = np.array([i // 3 if i % 2 else -1 for i in range(places)], np.int32)
    powers = ((1 << 20) // np.arange(1, 601)).astype(np.uint32)
    return Network(
        levels, parents, some(places, most, most), some(digits, RANK, most),
        some(places, RANK, HIDDEN), some(places, HIDDEN), some(places, HIDDEN, RANK),
        some(digits, RANK, most), powers,
    )  # fmt: skip


def digits_of(seed: int, levels: tuple[int, ...] = LEVELS) -> list[int]:
    values = np.tile(levels, LENGTH)
    return [int(v) for v in np.random.default_rng(seed).integers(0, values)]


def frequencies(prior: Network, digits: list[int]) -> list[int]:
    """Of the digit after these, as docs/FORMAT.md says it, in Python's integers."""
    place, count = len(digits), len(prior.levels)
    d, parent = place % count, int(prior.parents[place])
    codes, heard, bias, told, meant, logits = (
        a.tolist()
        for a in (prior.codes, prior.heard, prior.bias, prior.told, prior.meant, prior.logits)
    )
    rank, hidden = range(len(codes[0])), range(len(bias[0]))
    h = []
    for j in hidden:
        total = sum(
            codes[q % count][k][v] * heard[q][k][j] for q, v in enumerate(digits) for k in rank
        )
        h.append(min(max((total >> 10) + bias[place][j], 0), 32767))
    u = [sum(h[j] * told[place][j][k] for j in hidden) >> 10 for k in rank]
    given = logits[place][0 if parent < 0 else digits[parent]]
    values = range(prior.levels[d])
    z = [1024 * given[v] + sum(u[k] * meant[d][k][v] for k in rank) >> 14 for v in values]
    powers = prior.powers.tolist()
    w = [powers[min(max(z) - s, len(powers) - 1)] for s in z]
    f = [1 + p * (TOTAL - len(values)) // sum(w) for p in w]
    f[z.index(max(z))] += TOTAL - sum(f)
    return f


@pytest.mark.parametrize("size", [0, 1500, 32767])
def test_frequencies_are_those_of_the_document(size: int) -> None:
    """At the largest weights, too, where float32 or a sum in another order would differ."""
    prior, digits = network(1, size=size), digits_of(1)
    context = prior.context()
    for place in range(PLACES):
        found = 1 + context.weights()
        assert found.tolist() == frequencies(prior, digits[:place])
        assert found.sum() == TOTAL
        assert found.min() >= 1
        context.add(digits[place])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(1, 32767))
def test_a_stream_comes_back_whatever_the_weights(seed: int, size: int) -> None:
    code = Code(LEVELS, LENGTH, network(seed, size=size))
    digits = digits_of(seed)
    ids = code.ids(digits).tolist()
    assert payload.read(code, payload.write(code, ids)) == digits


def test_every_prefix_gives_the_tokens_that_it_determines() -> None:
    prior = network()
    code, digits = Code(LEVELS, LENGTH, prior), digits_of(2)
    ids = code.ids(digits).tolist()
    whole = payload.write(code, ids)
    counts = []
    for n in range(len(whole) + 1):
        found = payload.read(code, whole[:n])
        assert found == digits[: len(found)]
        counts.append(len(found))
    assert counts[-1] == PLACES
    assert payload.write(code, ids, 3) == whole[: payload.shortest(code, whole, 3)]


def test_bits_are_those_of_the_stream() -> None:
    prior = network(3)
    code = Code(LEVELS, LENGTH, prior)
    several = np.array([digits_of(seed) for seed in range(20)])
    bits = prior.bits(several)
    for row, cost in zip(several.tolist(), bits.sum(1), strict=True):
        assert 8 * len(payload.write(code, code.ids(row).tolist())) == pytest.approx(cost, abs=12)


def test_a_codebook_is_one_digit() -> None:
    prior = network(4, levels=(300,))
    assert prior.sound(LENGTH)
    code, digits = Code((300,), LENGTH, prior), digits_of(4, (300,))
    assert payload.read(code, payload.write(code, digits)) == digits
    assert (1 + prior.context().weights()).tolist() == frequencies(prior, [])


def test_what_was_written_once_stays_readable() -> None:
    """A stream, the frequencies behind it and the prior's identity as they were when this kind of
    prior was made.
    """
    prior, digits = network(5), digits_of(5)
    code = Code(LEVELS, LENGTH, prior)
    written = payload.write(code, code.ids(digits).tolist())
    context, hashed = prior.context(), hashlib.sha256()
    for digit in digits:
        hashed.update(context.weights().astype("<u4").tobytes())
        context.add(digit)
    assert prior.id == PRIOR
    assert hashed.hexdigest() == FREQUENCIES
    assert written.hex() == STREAM


PRIOR = "9c16d24cc9fe617074cce3244620d229fb4ef1a34058c995cf8d9d07322c3d66"
FREQUENCIES = "40be84e941631016bd84a209d6d3ee96f361153e73f726ac7835c0c98fab60c1"
STREAM = "06f0ff5cf09bc7ccf7cd353036289e87"


def test_a_file_comes_back(tmp_path: Path) -> None:
    prior, path = network(), tmp_path / "p.safetensors"
    write(path, prior, CHECKPOINT, {"about": "a test"})
    again = read(path, LEVELS, LENGTH, CHECKPOINT)
    assert isinstance(again, Network)
    assert again.id == prior.id != network(1).id
    assert payload.write(Code(LEVELS, LENGTH, again), [3, 4]) == payload.write(
        Code(LEVELS, LENGTH, prior), [3, 4]
    )
    for levels, checkpoint in (((7, 5, 4), CHECKPOINT), (LEVELS, "cd" * 32)):
        with pytest.raises(errors.ModelMismatchError):
            read(path, levels, LENGTH, checkpoint)
    with pytest.raises(errors.DamagedModelError):
        read(path, LEVELS, LENGTH + 1, CHECKPOINT)


def test_damage_is_found(tmp_path: Path) -> None:
    prior, path = network(), tmp_path / "p.safetensors"
    write(path, prior, CHECKPOINT, {})
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-1] ^= 1
    for data in (whole[:-1], bytes(changed)):
        path.write_bytes(data)
        with pytest.raises(errors.DamagedModelError):
            read(path, LEVELS, LENGTH, CHECKPOINT)
    none = np.zeros(0, np.uint32)
    for change in (
        {"bias": prior.bias.astype(np.int32)}, {"heard": prior.heard[:, :1]}, {"powers": none},
        {"powers": 0 * prior.powers}, {"powers": prior.powers + np.uint32(1)},
        {"told": prior.told[1:]}, {"meant": prior.meant[0]}, {"codes": prior.codes[:, :, 0]},
        {"parents": np.arange(PLACES, dtype=np.int32)}, {"logits": prior.logits[:, :3]},
        {"logits": prior.logits[0]}, {"bias": prior.bias[0]},
    ):  # fmt: skip
        wrong = replace(prior, **change)
        assert not wrong.sound(LENGTH)
        write(path, wrong, CHECKPOINT, {})
        with pytest.raises(errors.DamagedModelError):
            read(path, LEVELS, LENGTH, CHECKPOINT)
