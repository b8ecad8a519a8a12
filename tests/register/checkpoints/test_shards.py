"""Checkpoints in several files: read as one, named by all, and refused when they do not fit."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import tokcodec
from tests.register.checkpoints.fake_hub import Hub
from tests.register.conftest import LATER, configuration, tensors
from tokcodec import errors
from tokcodec.register.checkpoints.shards import INDEX
from tokcodec.register.titok.tokenizer import TiTok

FILES = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tokenizer of `titok_folder` in two files."""
    found = tmp_path / "parts"
    found.mkdir()
    state = {k: v.contiguous() for k, v in tensors(TiTok, LATER).items()}
    names = sorted(state)
    halves = names[: len(names) // 2], names[len(names) // 2 :]
    for file, half in zip(FILES, halves, strict=True):
        save_file({name: state[name] for name in half}, found / file)
    indexed(found, {name: f for f, half in zip(FILES, halves, strict=True) for name in half})
    (found / "config.json").write_text(json.dumps(configuration(LATER)))
    return found


def indexed(folder: Path, places: dict[str, str]) -> None:
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / INDEX).write_text(json.dumps(index))


def places_in(folder: Path) -> dict[str, str]:
    return json.loads((folder / INDEX).read_text())["weight_map"]


def refused(folder: Path, kind: type[errors.TokCodecError], match: str) -> None:
    with pytest.raises(kind, match=match):
        tokcodec.load(folder)


def test_the_parts_are_read_as_one(folder: Path, titok_folder: Path) -> None:
    parts, whole = tokcodec.load(folder), tokcodec.load(titok_folder)
    picture = np.linspace(0, 255, 64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
    assert (parts.tokenize(picture).ids == whole.tokenize(picture).ids).all()
    state, same = (c.model.tokenizer.state_dict() for c in (parts, whole))
    assert all(torch.equal(state[name], same[name]) for name in same)
    assert parts.model.name == "parts"
    assert tokcodec.load(folder / INDEX).model is parts.model


def test_the_identity_is_that_of_all_parts(folder: Path, titok_folder: Path) -> None:
    first = tokcodec.load(folder).model
    hashes = b"".join(hashlib.sha256((folder / f).read_bytes()).digest() for f in FILES)
    assert first.checkpoint == hashlib.sha256(hashes).digest()
    assert first.id != tokcodec.load(titok_folder).model.id
    state = dict.fromkeys(k for k, f in places_in(folder).items() if f == FILES[1])
    again = {k: v.contiguous() + 0.5 for k, v in tensors(TiTok, LATER).items() if k in state}
    save_file(again, folder / FILES[1])
    assert tokcodec.load(folder).model.id != first.id


def test_parts_come_from_the_hub(folder: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "cache").mkdir()
    remote = Hub(tmp_path / "cache", {"owner/parts": folder})
    monkeypatch.setitem(sys.modules, "huggingface_hub", remote.module())
    codec = tokcodec.load("hf-hub:owner/parts")
    assert codec.model.id == tokcodec.load(folder).model.id
    remote.online = False
    assert tokcodec.load("hf-hub:owner/parts").model is codec.model
    cached = tmp_path / "cache" / "owner/parts" / "main" / FILES[0]
    cached.unlink()
    with pytest.raises(errors.InputError, match="cannot be reached"):
        tokcodec.load("hf-hub:owner/parts")


def test_a_part_that_is_missing_or_cut_off(folder: Path) -> None:
    data = (folder / FILES[1]).read_bytes()
    (folder / FILES[1]).write_bytes(data[:-1])
    refused(folder, errors.DamagedModelError, "no sound safetensors file")
    (folder / FILES[1]).unlink()
    refused(folder, errors.InputError, "cannot read .*00002")


def test_tensors_that_are_not_where_the_index_says(folder: Path) -> None:
    places = places_in(folder)
    swapped = {k: FILES[1] if i == 0 else f for i, (k, f) in enumerate(places.items())}
    missing = dict(list(places.items())[1:])
    for wrong in (swapped, missing, places | {"more.weight": FILES[0]}):
        indexed(folder, wrong)
        refused(folder, errors.DamagedModelError, "other tensors than")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "no index of tensors"),
        ("[]", "no index of tensors"),
        ('{"weight_map": {}}', "names no tensors"),
        ('{"weight_map": {"a": 3}}', "no index of tensors"),
        ('{"weight_map": {"a": "../model.safetensors"}}', "beside it"),
        ('{"weight_map": {"a": "/model.safetensors"}}', "beside it"),
        ('{"weight_map": {"a": "pytorch_model.bin"}}', "beside it"),
        ("[" * 100_000, "no index of tensors"),
    ],
)
def test_what_is_no_index(folder: Path, text: str, match: str) -> None:
    (folder / INDEX).write_text(text)
    refused(folder, errors.DamagedModelError, match)
