"""Streams with a reference: any prefix is a picture, what they rest on may be a chain."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tests.reference.drawn import drawn
from tokcodec.errors import ReferenceMismatchError
from tokcodec.psnr import psnr


def test_any_prefix_is_a_picture(change, visited, key):
    head = tokcodec.info(change).header_bytes
    before = 0.0
    for n in (head, len(change) // 3, 2 * len(change) // 3, len(change)):
        now = psnr(drawn(change[:n], reference=key), visited)
        assert now > before
        before = now
    cut = tokcodec.cut(change, max_bytes=head + 50)
    assert cut == change[: head + 50]
    assert tokcodec.cut(change, budget=20) == change[: len(tokcodec.cut(change, budget=20))]
    assert tokcodec.info(tokcodec.cut(change, budget=20)).tokens >= 20


def test_a_chain_is_a_list(change, visited, key):
    third = np.roll(visited, 3, axis=1)
    third[:, :40], third[:, 100:] = visited[:, :40], visited[:, 100:]
    data = tokcodec.encode(third, psnr=30, reference=[key, change])
    assert tokcodec.info(data).reference
    assert psnr(drawn(data, reference=[key, change]), third) >= 30
    longer = [key, change, data]
    assert len(tokcodec.encode(third, psnr=30, reference=longer)) <= 24
    for wrong in ([change, key], [key], [key, data], change):
        with pytest.raises(ReferenceMismatchError):
            drawn(data, reference=wrong)


def test_a_stream_that_stands_alone_looks_at_no_reference(key):
    assert np.array_equal(drawn(key), drawn(key, reference=key))
    assert tokcodec.info(key).reference is None


def test_a_camera_turns_to_infrared_and_back(visited, scene, key):
    """The loop of the guide: no frame of another colour breaks it."""
    night = np.repeat(scene[..., 1:2], 3, axis=2)
    chain: list[bytes] = []
    for frame, stands_alone in (
        (scene, True), (visited, False), (night, True), (night, False), (visited, True),
    ):  # fmt: skip
        data = tokcodec.encode(frame, max_bytes=300, reference=chain or None)
        assert (tokcodec.info(data).reference is None) == stands_alone
        chain = [data] if stands_alone else [*chain, data]
        tokcodec.decode(data, reference=chain[:-1] or None)
    day, dark = tokcodec.encode(scene, max_bytes=300), tokcodec.encode(night, max_bytes=300)
    data = tokcodec.encode(night, max_bytes=300, reference=[day, dark])  # and nobody starts anew
    assert np.array_equal(drawn(data, reference=[day, dark]), drawn(data, reference=dark))
    assert np.array_equal(drawn(data, reference=[b"old", dark]), drawn(data, reference=dark))
    limits = {"quality": 30, "effort": 1}
    assert tokcodec.info(tokcodec.encode(night, reference=key, **limits)).reference is None
