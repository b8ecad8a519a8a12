"""The learned prior: exact integers, the same tokens as the tables', sound frequencies."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tokcodec.codec import Codec
from tokcodec.model import FEATURES, HIDDEN, KINDS, NETWORK, SHAPES, SIGNS, TOTAL, ZEROS, Model
from tokcodec.prior import prior_for
from tokcodec.prior.inputs import Inputs
from tokcodec.prior.maps import lg, seen_from, signed_lg
from tokcodec.prior.network import Network, layers, table
from tokcodec.prior.surroundings import SURROUNDINGS
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order


def random_model(seed: int = 0, scale: float = 300.0) -> Model:
    """The shipped tables with a network of random weights over them."""
    rng = np.random.default_rng(seed)
    arrays = dict(shipped(DEFAULT).arrays)
    for name, (kind, shape) in SHAPES[NETWORK].items():
        if name not in arrays:
            arrays[name] = np.clip(rng.normal(0, scale, shape), -32768, 32767).astype(kind)
    at = np.arange(ZEROS)
    arrays["zero"] = np.rint(TOTAL / (1 + np.exp(-(at - 47.5) / 8))).astype(np.uint32)
    at = np.arange(SIGNS)
    arrays["plus"] = np.rint(65536 / (1 + np.exp(-(at - 24) / 4))).astype(np.uint32)
    return Model("random", arrays, {}, NETWORK)


MODEL = random_model()


def walk(order: Order, passes: int, lead: tuple[int, ...] = ()) -> tuple[Knowledge, list[int]]:
    """Random digits for the first passes of an order."""
    rng, known = np.random.default_rng(3), Knowledge(order, lead)
    for step in order.passes[:passes]:
        known.begin(step)
        known.add(step, rng.choice([-1, 0, 0, 0, 1], (*lead, step.digits)).astype(np.int8))
    return known, list(range(passes))


@pytest.mark.parametrize("v", [0, 1, 2, 3, 7, 8, 100, 4094, 4095])
def test_the_logarithm_is_near_and_rises(v: int) -> None:
    assert lg(np.array(v)) == pytest.approx(16 * np.log2(1 + v), abs=2.4)
    assert lg(np.array(v + 1)) >= lg(np.array(v))
    assert signed_lg(np.array(-v)) == -lg(np.array(v))
    assert lg(np.array(10**6)) == lg(np.array(4095))


@pytest.mark.parametrize("planes", range(-6, 7))
def test_seen_from_another_plane_is_rounding_in_quarter_steps(planes: int) -> None:
    q = np.arange(-900, 901)
    exact = q * 4 * 3.0**planes
    expected = np.sign(exact) * np.minimum(48, np.floor(np.abs(exact) + 0.5))
    assert np.array_equal(seen_from(q.astype(np.int32), planes), expected)


def test_frequencies_are_positive_and_sum_to_two_to_the_24() -> None:
    f = table(MODEL).frequencies
    assert f.shape == (ZEROS * SIGNS, 3)
    assert (f > 0).all()
    assert (f.sum(1) == TOTAL).all()
    assert np.array_equal(table(MODEL).weights, f - 1)


def test_no_float_but_whole_numbers_in_the_network() -> None:
    for name in ("network", "inputs", "surroundings", "relatives", "view", "maps"):
        source = Path(tokcodec.__file__).with_name("prior").joinpath(f"{name}.py").read_text()
        constants = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)]
        assert not [c for c in constants if isinstance(c, float)]
        assert "float32" not in source


def test_sums_stay_exact_at_the_largest_weights() -> None:
    """With all weights at their ends, no sum leaves what float64 holds exactly."""
    largest = 32767 * 800 * FEATURES + 32767 * 64
    assert largest < 2**53
    assert 32767 * 32767 * max(HIDDEN) + 2**31 + 800 * 2**12 < 2**53


def test_the_network_is_what_plain_integers_make_of_it() -> None:
    order = Order(MODEL, 37, 50, 3)
    known, _ = walk(order, 60)
    step = order.passes[60]
    band = order.bands[step.band]
    rows, odds = Network(known).look(step)
    x, mirror = Inputs(known).look(step)
    a = {name: array.tolist() for name, array in MODEL.arrays.items()}
    kind = band.channel + 3 * (0 if band.orientation == 0 else 2 if band.orientation == 3 else 1)
    slot = 0 if band.level == 0 else 3 * (min(band.level, 8) - 1) + band.orientation
    unit = band.channel, slot, min(step.plane, 7), step.parity

    def at(name: str) -> list[int]:
        found = a[name]
        for i in unit:
            found = found[i]
        return found

    for n in range(0, step.digits, 7):
        given = [int(v) for v in x[:, n]]
        sums = [
            sum(v * w[j] for v, w in zip(given, a["first"][kind], strict=True)) + 64 * at("unit")[j]
            for j in range(HIDDEN[0])
        ]
        hidden = [min(max(v >> 8, 0), 32767) for v in sums]
        sums = [
            sum(v * w[j] for v, w in zip(hidden, a["second"][kind], strict=True))
            + a["second_bias"][kind][j]
            for j in range(HIDDEN[1])
        ]
        hidden = [min(max(v >> 10, 0), 32767) for v in sums]
        z, s = (
            sum(v * w[j] for v, w in zip(hidden, a["last"][kind], strict=True))
            + at("last_bias")[j] + 4096 * given[-2 + j]
            for j in (0, 1)
        )  # fmt: skip
        z = min(max((z >> 15) + 48, 0), ZEROS - 1)
        s = int(mirror[n]) * min(max(s + 32768 >> 16, -24), 24) + 24
        assert int(rows[n]) == z * SIGNS + s
    assert odds is table(MODEL)
    assert len(set(rows.tolist())) > 3
    assert layers(MODEL).first.shape == (KINDS, HIDDEN[0], FEATURES)


def test_a_batch_sees_what_its_pictures_see() -> None:
    order = Order(MODEL, 41, 30, 3)
    rng = np.random.default_rng(2)
    together, alone = Knowledge(order, (3,)), [Knowledge(order) for _ in range(3)]
    prior, priors = prior_for(together), [prior_for(k) for k in alone]
    for step in order.passes[:120]:
        rows, _ = prior.look(step)
        digits = rng.choice([-1, 0, 0, 0, 1], (3, step.digits)).astype(np.int8)
        for i in range(3):
            assert np.array_equal(priors[i].look(step)[0], rows[i])
            alone[i].add(step, digits[i])
        together.add(step, digits)


def test_negated_digits_have_mirrored_frequencies_but_for_height_and_bias() -> None:
    order = Order(MODEL, 32, 32, 1)
    rng = np.random.default_rng(4)
    one, other = Knowledge(order), Knowledge(order)
    first, second = Inputs(one), Inputs(other)
    for step in order.passes[:60]:
        x, mirror = first.look(step)
        y, mirrored = second.look(step)
        known = mirror != mirrored  # where neither value nor neighbours lean, both count as +
        plain = [i for i in range(SURROUNDINGS) if i not in (30, 31)]
        assert np.array_equal(np.abs(x[plain]), np.abs(y[plain]))
        assert np.array_equal(x[plain][:, known], y[plain][:, known])
        assert np.array_equal(x[30:32, known], -y[30:32, known])
        digits = rng.choice([-1, 0, 0, 1], step.digits).astype(np.int8)
        one.add(step, digits)
        other.add(step, -digits)


def test_the_two_passes_of_a_unit_see_each_other() -> None:
    order = Order(MODEL, 48, 48, 1)
    known, _ = walk(order, 20)
    even = next(i for i in range(20, 60) if order.passes[i].parity == 0)
    step, odd = order.passes[even], order.passes[even + 1]
    prior, before = prior_for(known), {}
    for value in (0, 1):
        known, _ = walk(order, even)
        prior = prior_for(known)
        prior.look(step)
        known.add(step, np.full(step.digits, value, np.int8))
        before[value] = prior.look(odd)[0]
    assert (before[0] != before[1]).any()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (30, 3), (65, 90), (128, 96)])
def test_streams_of_both_priors_hold_the_same_tokens(
    height: int, width: int, photograph: Callable[[str, int, int], np.ndarray]
) -> None:
    picture = photograph("coffee", width, height)
    tables, network = Codec(shipped(DEFAULT)), Codec(MODEL)
    data = network.encode(picture, budget=150)
    found, expected = network.unpack(data), tables.tokenize(picture)
    assert len(found) >= min(150, len(expected))
    assert np.array_equal(found.ids, expected.ids[: len(found)])
    for length in range(12, len(data), max(1, len(data) // 9)):
        part = network.unpack(data[:length]).ids
        assert np.array_equal(part, found.ids[: len(part)])
    assert np.array_equal(network.unpack(network.pack(found)).ids[: len(found)], found.ids)


def test_a_model_file_keeps_the_network(tmp_path: Path) -> None:
    path = tmp_path / "random.safetensors"
    path.write_bytes(MODEL.save_bytes())
    codec = tokcodec.load(path)
    assert codec.model.id == MODEL.id != shipped(DEFAULT).id
    assert codec.model.tokens_id == shipped(DEFAULT).tokens_id
    changed = dict(MODEL.arrays) | {"last": MODEL.arrays["last"] + np.int16(1)}
    assert Model("other", changed, {}, NETWORK).id != MODEL.id
