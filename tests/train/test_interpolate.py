"""Decoders between decoders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import tokcodec
from tokcodec.cli import main
from tokcodec.decoders import SHIPPED, stored
from tokcodec.errors import ArgumentError
from tokcodec.psnr import psnr
from tokcodec.train.interpolate import between

pytest.importorskip("onnxruntime")  # or torch: one that draws

COMMAND = "train", "interpolate"


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """The shipped decoder, its weights off by a twentieth of their spread."""
    kept, random = stored.read(SHIPPED), np.random.default_rng(0)
    for name, w in kept.weights.items():
        noise = w.std() * 0.05 * random.standard_normal(w.shape)
        kept.weights[name] = (w + noise).astype(np.float16)
    stored.write(tmp_path / "noisy.safetensors", kept, overwrite=False)
    return tmp_path / "noisy.safetensors"


def test_half_way_from_noise_is_nearer_to_the_truth(
    noisy: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    half = tmp_path / "half.safetensors"
    assert main([*COMMAND, str(SHIPPED), str(noisy), "--out", str(half)]) == 0
    data = tokcodec.encode(astronaut, max_bytes=200)
    drawn = {
        path: np.asarray(tokcodec.decode(data, decoder=path, realism=1.0))
        for path in (SHIPPED, half, noisy)
    }
    assert psnr(drawn[half], drawn[SHIPPED]) > psnr(drawn[noisy], drawn[SHIPPED]) + 3


def test_the_ends_are_the_decoders_themselves(noisy: Path) -> None:
    one, two = stored.read(SHIPPED), stored.read(noisy)
    for share, end in ((0, one), (1, two)):
        found = between(one, two, share)
        assert all(np.array_equal(found.weights[k], w) for k, w in end.weights.items())


def test_the_file_tells_where_it_comes_from(noisy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    assert main([*COMMAND, str(SHIPPED), str(noisy), "--share", "0.25", "--out", str(out)]) == 0
    with safe_open(out, "np") as file:
        metadata = file.metadata()
    card = json.loads(metadata["card"])
    assert card["between"][2] == 0.25
    assert card["realism"] == stored.read(SHIPPED).about["realism"]
    assert metadata[stored.HASH] == stored.digest(stored.read(out).weights)
    assert main([*COMMAND, str(SHIPPED), str(noisy), "--out", str(out)]) == 1  # it is there already


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "a"])
def test_a_share_lies_between(share: object, noisy: Path) -> None:
    kept = stored.read(noisy)
    with pytest.raises(ArgumentError, match="share"):
        between(kept, kept, share)  # type: ignore[arg-type]


def test_tokens_that_both_draw_remain(noisy: Path) -> None:
    """One that was trained from another on the tokens of a single model."""
    shipped, trained = stored.read(SHIPPED), stored.read(noisy)
    own = stored.tokens_of(shipped.about)[-1]
    assert stored.tokens_of(shipped.about) != (own,)
    trained.about["tokens"] = own
    for one, two in ((shipped, trained), (trained, shipped)):
        assert stored.tokens_of(between(one, two, 0.5).about) == (own,)
    del trained.about["tokens"]
    kept = between(shipped, trained, 0.5)
    assert stored.tokens_of(kept.about) == stored.tokens_of(shipped.about)


def test_other_tokens_are_refused(noisy: Path, tmp_path: Path) -> None:
    kept = stored.read(noisy)
    kept.about["tokens"] = "0" * 64
    with pytest.raises(ArgumentError, match="tokens"):
        between(kept, stored.read(SHIPPED), 0.5)


@pytest.mark.parametrize(
    ("second", "out", "said"),
    [
        ("missing.safetensors", "out.safetensors", "cannot read"),
        ("noisy.safetensors", "out", "*.safetensors"),
        ("noisy.safetensors", "noisy.safetensors", "exists already: move it away"),
    ],
)
def test_what_cannot_be_mixed_is_said(
    second: str, out: str, said: str, noisy: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    given = [str(noisy), str(tmp_path / second), "--out", str(tmp_path / out)]
    assert main([*COMMAND, *given]) == 1
    assert said in capsys.readouterr().err


def test_a_folder_is_made_for_what_is_mixed(noisy: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "mine.safetensors"
    assert main([*COMMAND, str(noisy), str(noisy), "--out", str(out)]) == 0
    assert stored.read(out).shape == stored.read(noisy).shape
