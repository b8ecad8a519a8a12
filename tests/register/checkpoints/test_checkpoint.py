"""Checkpoints as they come: one clear error for each bad one, and nothing in them is run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import tokcodec
from tests.register.conftest import LATER, LEGACY, configuration, tensors, written
from tokcodec import errors
from tokcodec.register.titok.onedpiece import OneDPiece
from tokcodec.register.titok.tokenizer import TiTok


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return tensors(TiTok, LATER)


CONFIG = configuration(LATER)


def refused(folder: Path, kind: type[errors.TokCodecError], match: str) -> None:
    with pytest.raises(kind, match=match) as caught:
        tokcodec.load(folder)
    assert len(str(caught.value)) < 600


def test_a_file_is_as_good_as_its_folder(titok_folder: Path) -> None:
    whole = tokcodec.load(titok_folder)
    assert tokcodec.load(titok_folder / "model.safetensors").model.id == whole.model.id


def test_the_identity_is_that_of_the_file(titok_folder: Path, state, tmp_path: Path) -> None:
    same = written(tmp_path / "same", state, CONFIG)
    other = written(tmp_path / "other", tensors(TiTok, LATER, seed=1), CONFIG)
    ids = [tokcodec.load(f).model.id for f in (titok_folder, same, other)]
    assert ids[0] == ids[1] != ids[2]


def test_what_no_tensor_tells_is_part_of_the_identity(state, tmp_path: Path) -> None:
    plain = written(tmp_path / "plain", state, CONFIG)
    scaled = configuration(LATER, use_l2_norm=True)
    other = written(tmp_path / "scaled", state, scaled)
    assert tokcodec.load(plain).model.id != tokcodec.load(other).model.id


def test_a_pickle_of_tensors_is_read(state, titok_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    folder.mkdir()
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    picture = np.linspace(0, 255, 64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
    pickled, safe = tokcodec.load(folder), tokcodec.load(titok_folder)
    assert (pickled.tokenize(picture).ids == safe.tokenize(picture).ids).all()
    assert tokcodec.load(folder / "pytorch_model.bin").model is pickled.model


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_configurations_beside_a_file(suffix: str, state, tmp_path: Path) -> None:
    if suffix == ".yaml":
        pytest.importorskip("yaml")
    save_file(state, tmp_path / "mine.safetensors")
    (tmp_path / f"mine{suffix}").write_text(json.dumps(configuration(LATER, num_latent_tokens=9)))
    refused(tmp_path / "mine.safetensors", errors.DamagedModelError, "num_latent_tokens = 9")


def test_a_configuration_that_grows_when_it_is_shown(state, tmp_path: Path) -> None:
    """Ten thousand million entries by aliases of aliases, in a message: they are counted off."""
    pytest.importorskip("yaml")
    rows = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    rows += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    save_file(state, tmp_path / "mine.safetensors")
    (tmp_path / "mine.yaml").write_text("\n".join([*rows, "model: *a9"]))
    refused(tmp_path / "mine.safetensors", errors.DamagedModelError, "model is no table")


def test_half_precision_on_the_disk(state, tmp_path: Path) -> None:
    half = {k: v.to(torch.bfloat16) for k, v in state.items()}
    codec = tokcodec.load(written(tmp_path / "half", half, CONFIG))
    assert codec.model.tokenizer.latent_tokens.dtype == torch.float32


def test_a_quantised_file_reads_the_same_streams(piece_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    from tokcodec.mx import file, formats

    path = piece_folder / "model.safetensors"
    folder = tmp_path / "piece-mx"
    folder.mkdir()
    data = file.quantised(path, formats.find("mxint8"), keep=["quantize.*"])
    (folder / "model.safetensors").write_bytes(data)
    (folder / "config.json").write_bytes((piece_folder / "config.json").read_bytes())
    original, small = tokcodec.load(piece_folder), tokcodec.load(folder)
    assert small.model.id == original.model.id
    picture = np.linspace(0, 255, 64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
    stream = original.encode(picture)
    assert small.unpack(stream) == original.unpack(stream)
    apart = np.asarray(small.decode(stream), float) - np.asarray(original.decode(stream), float)
    assert 0 < np.abs(apart).mean() < 30


@pytest.mark.parametrize(
    ("kind", "shape", "more", "family"),
    [
        (TiTok, LEGACY, {}, "titok"),
        (OneDPiece, LEGACY, {"strict_length_assertion": False}, "one-d-piece"),
        (TiTok, LATER, {}, "titok"),
    ],
)
def test_families(kind, shape, more, family: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "m", tensors(kind, shape), configuration(shape, **more))
    model = tokcodec.load(folder).model
    assert model.family == family
    assert model.tokenizer.shortest == (1 if family == "one-d-piece" else 16)


def test_one_d_piece_without_a_configuration_is_known_by_its_length(tmp_path: Path) -> None:
    from dataclasses import replace

    long = replace(LEGACY, latents=256)
    for shape, family in ((long, "one-d-piece"), (LEGACY, "titok")):
        folder = written(tmp_path / family, tensors(OneDPiece, shape), None)
        model = tokcodec.load(folder).model
        assert model.family == family
        assert model.settings == {"normalised": True}


# ---- what is no model


def test_missing_tensors_are_named(state, tmp_path: Path) -> None:
    del state["decoder.mask_token"]
    folder = written(tmp_path / "m", state, CONFIG)
    refused(folder, errors.DamagedModelError, "missing: decoder.mask_token")


def test_foreign_tensors_are_named(state, tmp_path: Path) -> None:
    state["optimizer.step"] = torch.zeros(1)
    folder = written(tmp_path / "m", state, CONFIG)
    refused(folder, errors.DamagedModelError, "foreign: optimizer.step")


def test_misshapen_tensors_are_named(state, tmp_path: Path) -> None:
    state["decoder.mask_token"] = torch.zeros(1, 1, 128)
    folder = written(tmp_path / "m", state, CONFIG)
    refused(folder, errors.DamagedModelError, "mask_token is 1x1x128, not 1x1x64")


def test_whole_numbers_are_no_weights(state, tmp_path: Path) -> None:
    state["decoder.mask_token"] = torch.zeros(1, 1, 64, dtype=torch.int64)
    folder = written(tmp_path / "m", state, CONFIG)
    refused(folder, errors.DamagedModelError, "not floating-point")


def test_what_is_no_number_is_no_weight(state, tmp_path: Path) -> None:
    state["decoder.mask_token"][..., 3] = float("nan")
    folder = written(tmp_path / "m", state, CONFIG)
    refused(folder, errors.DamagedModelError, "mask_token holds what is no number")


@pytest.mark.parametrize(
    ("config", "match"),
    [
        (configuration(LATER, codebook_size=99), "codebook_size = 99, the weights 100"),
        (configuration(LATER, quantize_mode="vae"), "tokens are continuous"),
        ({"model": {"vq_model": 7}}, "vq_model is no table"),
        ([], "holds no names"),
    ],
)
def test_configurations_that_do_not_fit(config, match: str, state, tmp_path: Path) -> None:
    folder = written(tmp_path / "m", state, config)
    refused(folder, errors.DamagedModelError, match)


def test_models_with_other_parts_are_told(state, tmp_path: Path) -> None:
    state["decoder.text_guidance_proj.weight"] = torch.zeros(64, 768)
    refused(written(tmp_path / "m", state, CONFIG), errors.DamagedModelError, "TA-TiTok")
    first = {k: v for k, v in tensors(TiTok, LEGACY).items() if not k.startswith("pixel_")}
    folder = written(tmp_path / "n", first, configuration(LEGACY))
    refused(folder, errors.DamagedModelError, "first stage")


def test_unknown_families(state, tmp_path: Path) -> None:
    strange = {"model": {"type": "maskgit", **CONFIG["model"]}}
    refused(written(tmp_path / "m", state, strange), errors.UnknownModelError, "'maskgit'")
    folder = written(tmp_path / "n", {"blocks.0.weight": torch.zeros(3)}, None)
    refused(folder, errors.UnknownModelError, "no TiTok, One-D-Piece or FlexTok")


def test_a_file_cut_off(titok_folder: Path, tmp_path: Path) -> None:
    data = (titok_folder / "model.safetensors").read_bytes()
    for length in (5, 3000, len(data) - 1):
        (tmp_path / "model.safetensors").write_bytes(data[:length])
        refused(tmp_path, errors.DamagedModelError, "no sound safetensors file")


class Trap:
    """What would write a file when a pickle of it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (lambda path: {"latent_tokens": Trap(path)}, "more than tensors"),
        (lambda path: {"state_dict": {"latent_tokens": torch.zeros(2)}}, "'state_dict' is a dict"),
        (lambda path: {"latent_tokens": 3.0}, "'latent_tokens' is a float"),
        (lambda path: {}, "no tensors by name"),
        (lambda path: torch.zeros(3), "no tensors by name"),
        (lambda path: {"huge": torch.zeros(1).expand(10**5, 10**5)}, "more numbers than there"),
        (lambda path: {"sparse": torch.eye(3).to_sparse()}, "more numbers than there"),
    ],
)
def test_pickles_that_hold_anything_else(content, match: str, tmp_path: Path) -> None:
    torch.save(content(tmp_path / "sprung"), tmp_path / "model.bin")
    refused(tmp_path / "model.bin", errors.DamagedModelError, match)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_cut_off(state, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    torch.save(state, path)
    path.write_bytes(path.read_bytes()[:-1000])
    refused(path, errors.DamagedModelError, "model.bin")
    path.write_bytes(b"not weights at all")
    refused(path, errors.DamagedModelError, "model.bin")


def test_folders_that_leave_a_choice(titok_folder: Path, tmp_path: Path) -> None:
    refused(tmp_path, errors.UnknownModelError, "found none")
    weights = load_file(titok_folder / "model.safetensors")
    for name in ("a", "b"):
        save_file(weights, tmp_path / f"{name}.safetensors")
    refused(tmp_path, errors.UnknownModelError, "a.safetensors, b.safetensors")
    refused(tmp_path / "nowhere", errors.UnknownModelError, "no model")


def test_configurations_that_cannot_be_read(state, tmp_path: Path) -> None:
    folder = written(tmp_path / "m", state, CONFIG)
    for text in ("{", "[" * 100_000, " " * (2 << 20)):
        (folder / "config.json").write_text(text)
        refused(folder, errors.DamagedModelError, "no configuration")
