"""Layouts: curves that never fall, and prefixes that grow with every packet."""

from __future__ import annotations

from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcodec.link import protection
from tokcodec.link.protection import (
    BASE,
    CURVES,
    SMOOTH,
    curve,
    ends_of,
    groups,
    prefix,
    protect,
    scheme_of,
)


def test_schemes_name_all_curves():
    found = [ends_of(scheme) for scheme in range(1, SMOOTH + 1)]
    assert found == [(a, b) for b in range(1, 16) for a in range(1, b + 1)]
    assert [scheme_of(*ends) for ends in found] == list(range(1, SMOOTH + 1))
    assert [ends_of(s) for s in range(121, 128)] == [(1, b) for b in range(3, 16, 2)]


@given(scheme=st.integers(1, CURVES), n=st.integers(1, 255), length=st.integers(1, 1500))
def test_curves_are_those_of_the_format(scheme: int, n: int, length: int):
    k = curve(scheme, n, length)
    a, b = ends_of(scheme)
    for c in {0, length // 3, length - 1}:
        root = isqrt(((2 * c + 1) << 31) // length)
        found = max(1, (n * (65536 * a + (b - a) * root) + 15 * 32768) // (15 * 65536))
        few = max(1, (n + 5) // 10)
        if scheme > SMOOTH and c * few < BASE:
            found = min(found, few)
        assert k[c] == found
    assert k[0] >= 1
    assert k[-1] <= n
    assert (np.diff(k) >= 0).all()


@given(
    scheme=st.integers(1, CURVES), count=st.one_of(st.integers(1, 40), st.just(300)),
    length=st.integers(1, 30), seed=st.integers(0, 1 << 30),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_every_packet_lengthens_the_prefix(scheme: int, count: int, length: int, seed: int):
    random, several = np.random.default_rng(seed), groups(count)
    k = curve(scheme, count // several, length)
    stream = random.bytes(several * int(k.sum()))
    bodies = protect(stream, scheme, count, length)
    assert {len(body) for body in bodies} == {length}
    arrived: dict[int, bytes] = {}
    before = b""
    for i in random.permutation(count).tolist():
        arrived[i] = bodies[i]
        if count > 40 and len(arrived) % 30:
            continue
        found, complete = prefix(arrived, scheme, count, length)
        fewest = min(sum(j % several == g for j in arrived) for g in range(several))
        assert len(found) == several * int(k[k <= fewest].sum())
        assert stream.startswith(found)
        assert found.startswith(before)
        assert complete == (found == stream) == protection.enough(arrived, scheme, count, length)
        before = found
    assert before == stream


@pytest.mark.parametrize(
    ("count", "several"), [(1, 1), (255, 1), (256, 2), (257, 0), (510, 2), (512, 0)]
)
def test_groups(count: int, several: int):
    assert groups(count) == several


@pytest.mark.parametrize(
    ("scheme", "count", "possible"),
    [(0, 257, True), (0, 510, True), (0, 511, False), (1, 257, False), (120, 256, True),
     (127, 3, True), (128, 3, False), (1, 0, False), (0, 0, False)],
)  # fmt: skip
def test_what_is_possible(scheme: int, count: int, possible: bool):
    assert protection.possible(scheme, count) is possible
