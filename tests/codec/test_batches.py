"""Several pictures at once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec import errors


def test_batches(photograph):
    pictures = [photograph("coffee", 50, 40), photograph("camera", 30, 60)]
    codec = tokcodec.load()
    streams = codec.encode_batch(pictures, budget=40)
    assert streams == [tokcodec.encode(p, budget=40) for p in pictures]
    assert [i.size for i in codec.decode_batch(streams)] == [(50, 40), (30, 60)]


@pytest.mark.parametrize("model", ["pyramid", "register-small"])
def test_a_batch_is_no_single_picture(model, photograph, tmp_path):
    pytest.importorskip("torch")
    codec, picture = tokcodec.load(model), photograph("coffee", 48, 64)
    image = Image.fromarray(picture)
    for one in (picture, picture[..., 0], image, "photo.jpg", tmp_path, b"bytes", None, 5):
        with pytest.raises(errors.ArgumentError, match="not one"):
            codec.encode_batch(one, 5)
    with pytest.raises(errors.ArgumentError, match="not one bytes"):
        codec.decode_batch(codec.encode(picture, 5))
    assert codec.encode_batch(np.stack([picture] * 2), 5, 60) == [codec.encode(picture, 5, 60)] * 2
    assert codec.encode_batch([]) == []
