"""Errors by bytes, against what the linear decoder shows."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec import link
from tokcodec.errors import (
    ArgumentError,
    ImageTooLargeError,
    ReferenceMismatchError,
    StreamError,
)
from tokcodec.link.fidelity import decibels, errors
from tokcodec.pixels.image import to_rgb
from tokcodec.psnr import psnr


def shown(data: bytes, original: np.ndarray) -> float:
    return psnr(np.asarray(tokcodec.decode(data, decoder="linear")), original)


@pytest.mark.parametrize("given", [True, False])
def test_gains_are_those_of_the_pictures(astronaut: np.ndarray, stream: bytes, given: bool):
    worth = decibels(errors(stream, astronaut if given else None))
    assert len(worth) == len(stream) + 1
    assert (np.diff(worth) >= 0).all()
    # Only differences count in a choice. Bands are not quite orthonormal: half a decibel.
    for a, b in ((24, 50), (50, 100), (100, 200), (200, 400)):
        true = shown(stream[:b], astronaut) - shown(stream[:a], astronaut)
        assert worth[b] - worth[a] == pytest.approx(true, abs=0.5)


@pytest.mark.parametrize("given", [True, False])
def test_gains_onto_a_reference(visited, stream: bytes, change: bytes, given: bool):
    def true(length: int) -> float:
        seen = tokcodec.decode(change[:length], decoder="linear", reference=stream)
        return psnr(np.asarray(seen), visited)

    worth = decibels(errors(change, visited if given else None, stream))
    head = tokcodec.info(change).header_bytes
    assert worth[head] == pytest.approx(true(head), abs=1)
    for a, b in ((head, 100), (100, 200), (200, 400)):
        assert worth[b] - worth[a] == pytest.approx(true(b) - true(a), abs=0.5 if given else 1)
    with pytest.raises(ReferenceMismatchError, match="missing"):
        errors(change)


def test_a_whole_stream_and_a_bare_header(photograph):
    flat = np.full((8, 8, 3), 90, np.uint8)
    whole = tokcodec.encode(flat, budget=10**6)
    assert errors(whole)[-1] == pytest.approx(errors(whole, flat)[-1], rel=0.5)
    header = tokcodec.encode(photograph("coffee", 40, 30), budget=0)
    assert len(errors(header)) == len(header) + 1
    grey = tokcodec.encode(np.asarray(photograph("camera", 40, 30)), max_bytes=60)
    assert len(errors(grey)) == 61


def test_what_is_refused(astronaut: np.ndarray, stream: bytes):
    with pytest.raises(ArgumentError, match="original"):
        errors(stream, astronaut[:50])
    with pytest.raises(ArgumentError, match="larger than the stream, 96 x 80"):
        errors(stream, astronaut.repeat(2, axis=0))
    with pytest.raises(ImageTooLargeError, match="96 x 80"):
        errors(stream, max_pixels=7679)
    with pytest.raises(StreamError):
        errors(b"no stream at all")


def test_a_transparent_original_is_seen_as_it_was_encoded(photograph):
    rgba = np.dstack([photograph("coffee", 48, 40), np.full((40, 48), 90, np.uint8)])
    black = (0, 0, 0)
    data = tokcodec.encode(rgba, max_bytes=300, background=black)
    found = errors(data, rgba, background=black)
    assert np.array_equal(found, errors(data, to_rgb(rgba, black)))
    assert not np.array_equal(found, errors(data, rgba))
    for use in (partial(link.split, data), partial(link.Budget(5000, 1.0).put, data)):
        use(original=rgba, background=black)
        with pytest.raises(ArgumentError, match="background"):
            use(original=rgba, background=(0, 0, -1))


def test_a_larger_original_is_refused_before_it_is_read(stream: bytes, tmp_path):
    path = tmp_path / "large.bmp"
    Image.new("L", (500, 500)).save(path)
    path.write_bytes(path.read_bytes()[:2000])  # its pixels cannot be read
    with pytest.raises(ArgumentError, match="larger than the stream"):
        errors(stream, path)
