"""Decoders add what they draw to the reference as to nothing."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tests.reference.drawn import drawn
from tokcodec.coder import codestring
from tokcodec.decoders.consistent import consistent
from tokcodec.psnr import psnr
from tokcodec.reference import known as references
from tokcodec.stream import header as headers
from tokcodec.tokens.order import order_for
from tokcodec.tokens.transform import analyse, split_all, synthesise


def test_what_the_network_draws_encodes_to_the_same_digits(change, key):
    """The projection onto what was received holds with a reference."""
    header, length = headers.parse(change)
    order = order_for(tokcodec.load().model, 96, 128, 3)
    order = references.onto(order, header, key)
    known = codestring.read(order, change[length:]).known
    rng = np.random.default_rng(0)
    wrong = rng.normal(0, 60, (1, 96, 128)).astype(np.float32)
    plane = synthesise(consistent(split_all(wrong), known, range(1)), 96, 128)
    for band, coefficients in enumerate(analyse(plane)):
        if known.seen(band) < coefficients.size:
            continue
        step = order.model.step(0, known.plane[band])
        last = order.model.step(0, order.planes[band] - 1)
        rest = coefficients - order.base.values[band] * np.float32(last)
        b = order.bands[band]
        q = known.q[band].reshape(b.height + 2, b.width + 2)[1:-1, 1:-1]
        assert np.abs(rest - q * np.float32(step)).max() <= 0.51 * step


def test_a_trained_decoder_gains_as_much_as_without(change, visited, key):
    pytest.importorskip("onnxruntime")
    better = np.asarray(tokcodec.decode(change, reference=key, decoder="onnx", realism=0))
    assert psnr(better, visited) > psnr(drawn(change, reference=key), visited) - 0.1
