"""Tokenizers that tokcodec trains: what tokens say, and that they are models like all others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import tokcodec
from tests.register.own.tiny import SHAPE, pictures, taught, untaught
from tokcodec import errors
from tokcodec.mx import file as mx
from tokcodec.mx.formats import FORMATS
from tokcodec.register.own.shape import SIZES, RegisterShape, shape_from
from tokcodec.register.own.skip import to_cosines, to_pixels
from tokcodec.register.own.tokenizer import KIND, Decoder, RegisterTokenizer, write


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("registers") / "mine.safetensors"
    write(found, taught(), {"about": "a test"})
    return found


@pytest.fixture(scope="module")
def picture(photograph) -> np.ndarray:
    return photograph("coffee", 90, 60)


def errors_of(tokenizer: RegisterTokenizer, counts: range) -> list[float]:
    truth = pictures().float() / 255
    ids = tokenizer.ids(truth)
    return [float((tokenizer.pixels(ids[:, :k]) - truth).square().mean()) for k in counts]


def test_before_it_learns_each_token_brings_the_picture_closer() -> None:
    found = errors_of(untaught().eval(), range(1, SHAPE.tokens + 1))
    assert found == sorted(found, reverse=True)
    grey = float((pictures() / 255 - 0.5).square().mean())
    assert found[0] < 0.6 * grey
    assert found[-1] < 0.2 * grey


def test_a_token_does_not_depend_on_later_ones() -> None:
    tokenizer, truth = taught(), pictures().float() / 255
    before = tokenizer.ids(truth)
    tokenizer.encoder.registers[10] *= -1
    after = tokenizer.ids(truth)
    assert torch.equal(before[:, :10], after[:, :10])
    assert not torch.equal(before[:, 10:], after[:, 10:])


def test_digits_say_what_earlier_ones_of_the_same_cosine_left_over() -> None:
    """Whatever the encoder makes of the first, the next correct it."""
    tokenizer, truth = untaught().requires_grad_(False), pictures().float() / 255
    found = []
    for change in (0.0, 0.5):
        changes = torch.zeros(len(truth), SHAPE.tokens, 3)
        changes[:, 0, 0] = change
        latents = tokenizer.skip.latents(to_cosines(truth), changes, tokenizer.fsq)
        found.append(tokenizer.fsq.straight(latents))
    plain, corrected = found
    stale = torch.cat([corrected[:, :1], plain[:, 1:]], 1)
    apart = [float((tokenizer.draw(v) - truth).square().mean()) for v in (corrected, stale)]
    assert not torch.equal(plain[:, :1], corrected[:, :1])
    assert apart[0] < 0.9 * apart[1]


def test_cosines_are_orthonormal_and_come_back() -> None:
    truth = pictures().float() / 255
    cosines = to_cosines(truth)
    assert torch.allclose(to_pixels(cosines, 32), truth, atol=1e-5)
    energy = (truth - 0.5).square().sum((1, 2, 3))
    assert torch.allclose(cosines.square().sum(1), energy, rtol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):  # where the networks are trained faster
        assert torch.equal(to_cosines(truth), cosines)
        assert torch.allclose(to_pixels(cosines, 32), truth, atol=1e-5)


def test_it_has_all_verbs(path: Path, picture: np.ndarray) -> None:
    codec = tokcodec.load(path)
    data = codec.encode(picture)
    assert codec.info(data).complete
    few = codec.encode(picture, budget=5)
    assert few == codec.cut(data, budget=5) == tokcodec.cut(data, budget=5)
    assert tokcodec.info(few).tokens == 5
    assert len(codec.encode(picture, max_bytes=18)) == 18
    drawn = tokcodec.decode(few)
    assert drawn.size == (90, 60)
    tokens = tokcodec.tokenize(picture, 5, model=path)
    assert tokcodec.unpack(few) == tokens
    assert np.array_equal(tokcodec.detokenize(tokens), drawn)
    assert codec.encode_batch([picture, picture], budget=5) == [few, few]
    assert (codec.model.family, codec.model.fixed) == ("register", False)


def test_what_is_drawn_is_like_the_picture(tmp_path: Path, picture: np.ndarray) -> None:
    write(tmp_path / "mine.safetensors", untaught(), {})
    codec = tokcodec.load(tmp_path / "mine.safetensors")
    found = [
        np.abs(np.asarray(codec.decode(codec.encode(picture, budget=n)), float) - picture).mean()
        for n in (0, 1, 6, 24)
    ]
    assert found == sorted(found, reverse=True)
    assert found[3] < 0.5 * found[0]


def test_half_precision_and_mx_read_the_same_streams(
    path: Path, picture: np.ndarray, tmp_path: Path
) -> None:
    codec = tokcodec.load(path)
    data = codec.encode(picture)
    plain = np.asarray(codec.decode(data, decoder="linear"), float)
    small = tmp_path / "small.safetensors"
    small.write_bytes(mx.quantised(path, FORMATS["mxfp8"]))
    for other in (tokcodec.load(path, dtype="bfloat16"), tokcodec.load(small)):
        assert other.model.id == codec.model.id
        drawn = np.asarray(other.decode(data, decoder="linear"), float)
        assert np.abs(drawn - plain).mean() < 3
    skip = tokcodec.load(path, dtype="bfloat16").model.tokenizer.skip  # type: ignore[union-attr]
    assert skip.gains.dtype == torch.float32


def test_options_and_tokens_that_are_not_there(path: Path, picture: np.ndarray) -> None:
    codec = tokcodec.load(path)
    with pytest.raises(errors.ArgumentError, match="no option steps"):
        codec.decode(codec.encode(picture, budget=3), steps=3)
    tokenizer = codec.model.tokenizer
    for ids in (torch.zeros(1, 25, dtype=torch.int64), torch.full((1, 2), 175)):
        with pytest.raises(errors.TokensError):
            tokenizer.pixels(ids)


def rewritten(path: Path, to: Path, shape: str, without: str = "") -> Path:
    tensors = {k: v for k, v in load_file(path).items() if k != without}
    save_file(tensors, to, {KIND: shape})
    return to


@pytest.mark.parametrize(
    "change",
    [
        {"side": 64}, {"tokens": 25}, {"levels": [7, 5]}, {"slots": [0, 1]}, {"slots": []},
        {"slots": [5000] * 72}, {"width": 1 << 20}, {"head": 0}, {"more": 1}, {"encoder": "1"},
        {"levels": [7, 2, 5]}, {"patch": 5},
    ],
    ids=str,
)  # fmt: skip
def test_a_shape_that_does_not_fit_is_refused(path: Path, tmp_path: Path, change: dict) -> None:
    with safe_open(path, "pt") as file:
        shape = json.loads(file.metadata()[KIND])
    odd = rewritten(path, tmp_path / "odd.safetensors", json.dumps(shape | change))
    with pytest.raises(errors.DamagedModelError):
        tokcodec.load(odd)


def test_what_lies_beside_a_file_is_not_its_own(path: Path) -> None:
    beside = path.with_name("config.json")
    beside.write_text("[]")
    assert tokcodec.load(path).model.family == "register"
    beside.unlink()


def test_a_part_of_a_file_is_refused(path: Path, tmp_path: Path) -> None:
    with safe_open(path, "pt") as file:
        shape = file.metadata()[KIND]
    for text in ("", "{", "[]", "null"):
        with pytest.raises(errors.DamagedModelError):
            tokcodec.load(rewritten(path, tmp_path / "a.safetensors", text))
    with pytest.raises(errors.DamagedModelError, match=r"decoder\.out\.weight"):
        tokcodec.load(rewritten(path, tmp_path / "b.safetensors", shape, "decoder.out.weight"))


def test_sizes() -> None:
    counts = {}
    for size in SIZES:
        shape = shape_from({"size": size})
        slots = tuple(range(shape.tokens * len(shape.levels)))
        with torch.device("meta"):
            tokenizer = RegisterTokenizer(replace(shape, slots=slots))
        counts[size] = sum(p.numel() for p in tokenizer.parameters())
    assert counts["nano"] < 1e6 < 8e6 < counts["small"] < 12e6 < 40e6 < counts["base"] < 80e6
    assert shape_from({"size": "nano", "tokens": 9, "levels": [5, 5]}).levels == (5, 5)
    for table in ({"size": "huge"}, {"wide": 3}, {"tokens": 0}, {"levels": 5}, {"slots": [1]}):
        with pytest.raises(errors.ArgumentError):
            shape_from(table)


def test_a_shape_comes_back_from_text() -> None:
    shape = replace(SHAPE, slots=tuple(range(72)))
    assert RegisterShape.from_json(shape.to_json()) == shape


@pytest.mark.parametrize("patch", [1, 5, 8])
def test_patches_fade_into_one_another(patch: int) -> None:
    """What all of them say alike is drawn without a seam; what one says fades beyond its border."""
    shape = RegisterShape(side=4 * patch, patch=patch, width=16, head=16, encoder=1, decoder=1)
    decoder, cells = Decoder(shape), 3 * (2 * patch) ** 2
    alike = decoder._joined(torch.ones(2, 16, cells), shape.side)
    assert torch.allclose(alike, torch.ones(2, 3, shape.side, shape.side))
    one = torch.zeros(1, 16, 3, cells // 3)
    one[0, 5, 1] = 1  # green, second row and column
    drawn = decoder._joined(one.flatten(2), shape.side)[0]
    assert not drawn[0].any()
    assert not drawn[2].any()
    line = drawn[1].sum(0)
    assert line[patch : 2 * patch].min() >= line.max() / 2
    assert not line[2 * patch + (patch + 1) // 2 :].any()
    assert line.diff().abs().max() <= 2 * line.max() / patch
