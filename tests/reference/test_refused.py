"""References that are missing, others, or do not fit."""

from __future__ import annotations

import pytest

import tokcodec
from tokcodec import errors
from tokcodec.errors import ReferenceMismatchError
from tokcodec.model import MEANING, Model


def test_a_missing_reference_is_named(change):
    name = tokcodec.info(change).reference
    with pytest.raises(ReferenceMismatchError, match=f"{name}.*missing"):
        tokcodec.decode(change)


def test_another_reference_is_named(change, key, photograph):
    name = tokcodec.info(change).reference
    longer = tokcodec.encode(photograph("coffee", 128, 96), psnr=31)
    for wrong in (tokcodec.cut(key, budget=50), key[:-1], longer, key[:60] + b"\0" + key[61:]):
        with pytest.raises(ReferenceMismatchError, match=name):
            tokcodec.decode(change, reference=wrong)


def test_references_that_do_not_fit(change, visited, key, photograph):
    small = tokcodec.encode(photograph("coffee", 64, 48), budget=20)
    grey = tokcodec.encode(photograph("camera", 128, 96), budget=20)
    with pytest.raises(ReferenceMismatchError, match="64 x 48"):
        tokcodec.encode(visited, reference=small)
    for wrong, words in ((small, "64 x 48"), (grey, "grey")):
        with pytest.raises(ReferenceMismatchError, match=words):
            tokcodec.decode(change, reference=wrong)
    damaged = key[:7] + bytes((key[7] ^ 1,)) + key[8:]
    with pytest.raises(errors.DamagedHeaderError):
        tokcodec.decode(change, reference=damaged)
    for wrong in ("key.tkc", 7, [], [7]):
        with pytest.raises(errors.ArgumentError):
            tokcodec.decode(change, reference=wrong)


def test_a_reference_of_another_model(change, visited, tmp_path, scene):
    model = tokcodec.load().model
    arrays = {**model.arrays, "centroids": model.arrays["centroids"] // 2}
    path = tmp_path / "other.safetensors"
    path.write_bytes(Model("other", arrays).save_bytes())
    other = tokcodec.encode(scene, budget=20, model=path)
    with pytest.raises(ReferenceMismatchError, match="another model"):
        tokcodec.encode(visited, reference=other)
    with pytest.raises(ReferenceMismatchError, match="another model"):
        tokcodec.decode(change, reference=other)
    assert MEANING["family"] == "pyramid"


def test_a_header_too_large_is_refused_before_its_reference(change, key):
    with pytest.raises(errors.ImageTooLargeError):
        tokcodec.decode(change, reference=key, max_pixels=100)


def test_bare_streams_and_tokens_have_no_reference(change, visited, key):
    for bare in (True, "size"):
        with pytest.raises(errors.ArgumentError, match="bare"):
            tokcodec.encode(visited, budget=9, reference=key, bare=bare)
    with pytest.raises(errors.TokensError, match="reference"):
        tokcodec.unpack(change)
