"""Tokenizers of a few thousand random weights, in the files that published ones come in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import tokcodec
from tokcodec import registry
from tokcodec.register import load
from tokcodec.register.titok.onedpiece import OneDPiece
from tokcodec.register.titok.shape import TiTokShape, ViT
from tokcodec.register.titok.tokenizer import TiTok

SMALL = ViT(width=64, layers=1, heads=1)
COMMON = {"side": 64, "patch": 16, "latents": 16, "encoder": SMALL, "decoder": SMALL}
LEGACY = TiTokShape(
    **COMMON, vocabulary=64, code=12, normalised=True, legacy=True, proxies=32, proxy=16,
    channels=32,
)  # fmt: skip
LATER = TiTokShape(**COMMON, vocabulary=100, code=8, normalised=False, legacy=False)


def configuration(shape: TiTokShape, **more) -> dict:
    """As in a published config.json."""
    table = {
        "codebook_size": shape.vocabulary, "token_size": shape.code,
        "use_l2_norm": shape.normalised, "num_latent_tokens": shape.latents,
        "vit_enc_patch_size": shape.patch, **more,
    }  # fmt: skip
    if not shape.legacy:
        table["is_legacy"] = False
    return {"model": {"vq_model": table}, "dataset": {"preprocessing": {"crop_size": shape.side}}}


def tensors(kind: type[TiTok], shape: TiTokShape, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights, large enough that tokens and pictures differ from one another."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        state = kind(shape).state_dict()
    factors = {"quantize.embedding.weight": 0.3, "latent_tokens": 8.0}
    return {name: factors.get(name, 2.0) * tensor for name, tensor in state.items()}


def written(folder: Path, state: dict[str, torch.Tensor], config: dict | None) -> Path:
    """A folder as the hub's."""
    folder.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "model.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test knows only the models that it loads."""
    monkeypatch.setattr(registry, "_opened", {})
    monkeypatch.setattr(load, "_loaded", {})
    monkeypatch.setattr(load, "_told", set())


@pytest.fixture(scope="session")
def piece_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A One-D-Piece of 16 tokens of 6 bits."""
    config = configuration(LEGACY, strict_length_assertion=False)
    folder = tmp_path_factory.mktemp("tokenizers") / "piece"
    return written(folder, tensors(OneDPiece, LEGACY), config)


@pytest.fixture(scope="session")
def titok_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TiTok of the later kind: 16 tokens of one of 100 values."""
    folder = tmp_path_factory.mktemp("tokenizers") / "titok"
    return written(folder, tensors(TiTok, LATER), configuration(LATER))


@pytest.fixture
def piece(piece_folder: Path):
    return tokcodec.load(piece_folder)


@pytest.fixture
def titok(titok_folder: Path):
    return tokcodec.load(titok_folder)
