"""The index of a bundle, in blocks: one stream is read without the others."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tokcodec import Bundle


def test_several_blocks(tmp_path: Path, streams: list[bytes]) -> None:
    count = 2 * 1024 + 50
    many = [streams[i % len(streams)] for i in range(count)]
    names = [f"picture {i}" for i in range(count)]
    bundle = Bundle.write(tmp_path / "many.tkb", many, names)
    assert len(bundle) == count
    for i in (0, 1023, 1024, 2047, 2048, count - 1, 5, -1, -count):
        assert bundle[i] == many[i]
        assert bundle.name(i) == names[i]
    assert bundle.names == names
    assert list(bundle) == many


def test_reads_in_any_order_unpack_each_block_once(
    tmp_path: Path, streams: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [streams[i % len(streams)] for i in range(3 * 1024)]
    bundle = Bundle.write(tmp_path / "many.tkb", many)
    unpacked, usual = [], Bundle._unpack_block
    monkeypatch.setattr(Bundle, "_unpack_block", lambda b, n: unpacked.append(n) or usual(b, n))
    shuffled = np.random.default_rng(0).permutation(len(many))[:200].tolist()
    assert [bundle[i] for i in shuffled] == [many[i] for i in shuffled]
    assert sorted(unpacked) == [0, 1, 2]
    for most in (2, 5):
        monkeypatch.setattr("tokcodec.stream.bundle.MAX_BLOCKS", most)
        unpacked.clear()
        bundle = Bundle(bundle.path)
        assert [bundle[i] for i in shuffled] == [many[i] for i in shuffled]
        assert len(bundle._blocks) == min(most, 3)
    assert sorted(unpacked) == [0, 1, 2]


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025])
def test_around_the_size_of_a_block(count: int, tmp_path: Path, streams: list[bytes]) -> None:
    many = [streams[i % 3] for i in range(count)]
    bundle = Bundle.write(tmp_path / "many.tkb", many)
    assert len(bundle) == count
    assert [bundle[0], bundle[-1]] == [many[0], many[-1]]
    with pytest.raises(IndexError):
        bundle[count]


def test_a_bundle_costs_less_than_the_headers_it_saves(tmp_path: Path, streams) -> None:
    many = [streams[0]] * 1000
    Bundle.write(tmp_path / "many.tkb", many)
    assert (tmp_path / "many.tkb").stat().st_size < sum(map(len, many))


def test_one_stream_is_read_without_the_others(file: Path, streams: list[bytes]) -> None:
    """Every other payload is wiped out."""
    contents = bytearray(file.read_bytes())
    payload = streams[1][8:]
    at = bytes(contents).index(payload)
    first = bytes(contents).index(streams[0][8:])
    last = at + len(payload)
    contents[first:at] = bytes(at - first)
    after = len(streams[2]) - 8
    contents[last : last + after] = bytes(after)
    file.write_bytes(contents)
    assert Bundle(file)[1] == streams[1]


def test_the_bytes_read_do_not_grow_with_the_other_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    big, small = tokcodec.encode(picture, max_bytes=2500), tokcodec.encode(picture, 10)
    Bundle.write(tmp_path / "b.tkb", [big] * 100 + [small] + [big] * 100)
    count = 0
    real = Path.open

    @contextlib.contextmanager
    def counting(self: Path, *args, **kwargs):
        with real(self, *args, **kwargs) as f:
            yield Counting(f)

    class Counting:
        def __init__(self, f) -> None:
            self.f = f

        def __getattr__(self, name: str):
            return getattr(self.f, name)

        def read(self, *args) -> bytes:
            nonlocal count
            found = self.f.read(*args)
            count += len(found)
            return found

    monkeypatch.setattr(Path, "open", counting)
    assert Bundle(tmp_path / "b.tkb")[100] == small
    assert 0 < count < 3 * len(big)
    assert (tmp_path / "b.tkb").stat().st_size > 190 * len(big)
