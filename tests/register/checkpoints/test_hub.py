"""Models by their names on the hub, with a stand-in for huggingface_hub: nothing is downloaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tokcodec
from tests.register.checkpoints.fake_hub import Hub
from tokcodec import cli, errors, registry
from tokcodec.register.checkpoints import hub
from tokcodec.register.checkpoints.catalogue import PUBLISHED
from tokcodec.registry import SHIPPED

L32 = "yucornetto/tokenizer_titok_l32_imagenet"


@pytest.fixture
def remote(tmp_path: Path, titok_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    cache = tmp_path / "cache"
    cache.mkdir()
    made = Hub(cache, {L32: titok_folder, "owner/mine": titok_folder})
    monkeypatch.setitem(sys.modules, "huggingface_hub", made.module())
    return made


def test_a_model_of_the_hub_is_that_of_its_folder(remote: Hub, titok_folder: Path) -> None:
    codec = tokcodec.load("hf-hub:owner/mine")
    assert codec.model.name == "mine"
    assert codec.model.id == tokcodec.load(titok_folder).model.id
    assert remote.asked == ["owner/mine/config.json", "owner/mine/model.safetensors"]


def test_the_licence_is_shown_before_the_first_use(remote: Hub) -> None:
    with pytest.warns(errors.TokCodecWarning, match="research purposes only"):
        codec = tokcodec.load(f"hf-hub:{L32}")
    assert codec.model.name == "titok-l32"
    assert tokcodec.load("titok-l32").model is codec.model  # and not once more
    assert {m.name: m.id for m in tokcodec.models()}["titok-l32"] == codec.model.id


def test_the_licence_is_shown_for_a_revision_too(remote: Hub) -> None:
    with pytest.warns(errors.TokCodecWarning, match="research purposes only"):
        tokcodec.load(f"hf-hub:{L32.upper()}@main")
    with pytest.raises(errors.UnknownModelError, match="revision"):
        tokcodec.load(f"hf-hub:{L32}@gone")


def test_what_is_cached_needs_no_network(remote: Hub) -> None:
    first = tokcodec.load("hf-hub:owner/mine")
    remote.online, remote.asked = False, []
    assert tokcodec.load("hf-hub:owner/mine").model is first.model
    assert remote.asked == []


def test_pickles_are_taken_where_there_is_nothing_safer(
    remote: Hub, titok_folder: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    folder.mkdir()
    torch.save(load_file(titok_folder / "model.safetensors"), folder / "pytorch_model.bin")
    remote.repositories["owner/pickled"] = folder
    assert tokcodec.load("hf-hub:owner/pickled").model.tokenizer.length == 16


def test_nothing_cached_and_no_network(remote: Hub) -> None:
    remote.online = False
    with pytest.raises(errors.InputError, match="cannot be reached, and owner/mine is not in"):
        tokcodec.load("hf-hub:owner/mine")


class ProtocolError(Exception):
    """Of the hub's HTTP library, which is another one from version to version."""


@pytest.mark.parametrize("kind", [OSError, ProtocolError])
def test_a_connection_that_breaks_leaves_no_model(kind: type, remote: Hub, monkeypatch) -> None:
    def broken(repo_id, filename, revision=None, local_files_only=False):
        if filename == hub.CONFIG or local_files_only:
            return Hub.hf_hub_download(remote, repo_id, filename, revision, local_files_only)
        raise kind("connection reset")

    monkeypatch.setattr(sys.modules["huggingface_hub"], "hf_hub_download", broken)
    with pytest.raises(errors.InputError, match="cannot download model"):
        tokcodec.load("hf-hub:owner/mine")
    assert registry._opened == {}


def test_a_damaged_download_is_no_model(remote: Hub) -> None:
    file, _ = hub.fetch("owner/mine")
    data = bytearray(file.read_bytes())
    data[-9] ^= 1
    file.resolve().write_bytes(data)
    with pytest.raises(errors.DamagedModelError, match="not what the hub has"):
        tokcodec.load("hf-hub:owner/mine")
    file.resolve().write_bytes(data[:-100])
    with pytest.raises(errors.DamagedModelError, match="not what the hub has"):
        tokcodec.load("hf-hub:owner/mine")


@pytest.mark.parametrize(
    ("name", "kind", "match"),
    [
        ("hf-hub:owner", errors.ArgumentError, "owner/name"),
        ("hf-hub:a/b/c", errors.ArgumentError, "owner/name"),
        ("hf-hub:owner/none", errors.UnknownModelError, "the hub has no owner/none"),
        ("hf-hub:owner/gated", errors.UnknownModelError, "accept its terms"),
        ("hf-hub:owner/mine@gone", errors.UnknownModelError, "revision"),
        ("hf-hub:owner/empty", errors.UnknownModelError, "has none of model.safetensors"),
    ],
)
def test_names_that_lead_nowhere(remote: Hub, name, kind, match, tmp_path: Path) -> None:
    remote.repositories["owner/empty"] = tmp_path
    with pytest.raises(kind, match=match):
        tokcodec.load(name)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(errors.ArgumentError, match=r"tokcodec\[hub\]"):
        tokcodec.load("hf-hub:owner/mine")


def test_the_package_itself_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = pytest.importorskip("huggingface_hub")
    real = package.hf_hub_download

    def offline(**arguments):
        return real(**{**arguments, "local_files_only": True, "cache_dir": tmp_path})

    monkeypatch.setattr(package, "hf_hub_download", offline)
    with pytest.raises(errors.InputError, match="cannot be reached"):
        tokcodec.load("hf-hub:owner/mine")


# ---- the table


def test_the_table_names_every_published_model_once() -> None:
    assert len({p.name for p in PUBLISHED}) == len({p.hub for p in PUBLISHED}) == len(PUBLISHED)
    known = {p.name: p for p in PUBLISHED}
    assert known["titok-l32"].bits == 12
    assert known["titok-sl256"].bits == 13
    assert known["one-d-piece-s"].hub == "turing-motors/One-D-Piece-S-256"
    assert known["flextok-d12-d12-in1k"].vocabulary == 64_000
    assert {p.family for p in PUBLISHED} == {"titok", "one-d-piece", "flextok"}


def test_models_lists_them_after_the_shipped_ones(capsys) -> None:
    found = tokcodec.models()
    ours, theirs = found[: len(SHIPPED)], found[len(SHIPPED) :]
    assert [m.name for m in ours] == list(SHIPPED)
    assert [m.hub for m in theirs] == [p.hub for p in PUBLISHED]
    assert all(m.licence and m.code == 255 and m.tokens for m in theirs)
    assert cli.main(["models"]) == 0
    said = capsys.readouterr().out
    assert "hf-hub:EPFL-VILAB/flextok_d12_d12_in1k" in said
    assert "no commercial use" in said
    assert "32 tokens of 12 bits" in said
