"""Noise of flow decoders: what docs/FORMAT.md says, for ever."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.errors import ArgumentError
from tokcodec.register.flextok.noise import normal

WHOLE = 2**64 - 1


def philox(key: int, counter: int) -> list[int]:
    """Philox4x64-10, as docs/FORMAT.md has it."""
    c, k0, k1 = [counter, 0, 0, 0], key, 0
    for _ in range(10):
        a, b = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [(b >> 64) ^ c[1] ^ k0, b & WHOLE, (a >> 64) ^ c[3] ^ k1, a & WHOLE]
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & WHOLE, (k1 + 0xBB67AE8584CAA73B) & WHOLE
    return c


@pytest.mark.parametrize("seed", [0, 7, WHOLE])
def test_it_is_what_the_format_says(seed: int) -> None:
    words = [word for counter in (1, 2) for word in philox(seed, counter)]
    expected = []
    for first, second in zip(words[::2], words[1::2], strict=True):
        radius = np.sqrt(-2 * np.log(((first >> 11) + 1) / 2**53))
        angle = 2 * np.pi * (second >> 11) / 2**53
        expected += [radius * np.cos(angle), radius * np.sin(angle)]
    found = normal(seed, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[:7], rtol=1e-6)


def test_it_stays_what_it_is() -> None:
    golden = [0.15853384, 2.9828794, -1.9256920, -0.82492554, -0.20250328]
    np.testing.assert_allclose(normal(0, 5), golden, rtol=1e-6)


def test_it_is_normal() -> None:
    found = normal(3, 100_001)
    assert len(found) == 100_001
    assert abs(found.mean()) < 0.01
    assert abs(found.std() - 1) < 0.01
    assert abs((found**4).mean() - 3) < 0.1


@pytest.mark.parametrize("seed", [-1, 2**64, 0.5, "1", None])
def test_seeds_that_are_none(seed: object) -> None:
    with pytest.raises(ArgumentError, match="seed"):
        normal(seed, 2)  # type: ignore[arg-type]
