"""Model files: sound ones by path, damaged ones refused, and streams that name them."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save
from skimage import data

import tokcodec
from tokcodec import registry
from tokcodec.errors import (
    DamagedModelError,
    InputError,
    ModelMismatchError,
    UnknownModelError,
)
from tokcodec.model import MEANING, TABLES, Model, load_model
from tokcodec.registry import DEFAULT


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """No model but the shipped one is known; call it to forget those of the test, too."""

    def forget() -> None:
        monkeypatch.setattr(registry, "_opened", {})

    forget()
    return forget


@pytest.fixture
def shipped() -> bytes:
    return tokcodec.load().model.save_bytes()


def own_arrays(change: int = 1) -> dict[str, np.ndarray]:
    """The shipped numbers, one of them changed."""
    arrays = {k: v.copy() for k, v in tokcodec.load().model.arrays.items()}
    arrays["centroids"].flat[0] += change
    return arrays


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The file of a model that is not shipped."""
    path = tmp_path / "own.safetensors"
    path.write_bytes(Model("own", own_arrays(), {"about": "made by a test"}).save_bytes())
    return path


def photo() -> Image.Image:
    image = Image.fromarray(data.astronaut())
    image.thumbnail((40, 40))
    return image


def remade(
    blob: bytes,
    meta: Callable[[dict], object] = lambda m: m,
    arrays: Callable[[dict], dict] = lambda a: a,
) -> bytes:
    """A safetensors file with other metadata or arrays."""
    (length,) = struct.unpack_from("<Q", blob)
    found = json.loads(blob[8 : 8 + length])["__metadata__"]
    given = {k: v.copy() for k, v in tokcodec.load().model.arrays.items()}
    return save(arrays(given), metadata=meta(found))  # type: ignore[arg-type]


# ---- sound files


def test_a_saved_model_is_the_same_model(tmp_path: Path, shipped: bytes) -> None:
    path = tmp_path / "copy.safetensors"
    path.write_bytes(shipped)
    model = load_model(path)
    assert model.id == tokcodec.load().model.id
    assert model.name == "copy"
    assert model.card == tokcodec.load().model.card
    assert tokcodec.encode(photo(), 20, model=path) == tokcodec.encode(photo(), 20)


def test_the_card_and_the_name_are_not_part_of_the_identity(own: Path) -> None:
    model = load_model(own)
    assert model.card == {"about": "made by a test"}
    assert Model("another", own_arrays()).id == model.id
    assert Model("own", own_arrays(2)).id != model.id
    assert model.id != tokcodec.load().model.id


def test_models_lists_the_shipped_ones() -> None:
    (found,) = [m for m in tokcodec.models() if m.name == DEFAULT]
    assert found.id == tokcodec.load(DEFAULT).model.id == tokcodec.load("default").model.id
    assert (found.family, found.vocabulary, found.digits_per_token) == ("pyramid", 3**10, 10)
    assert found.code == 4


# ---- streams of a model of one's own


@pytest.mark.parametrize("form", [str, Path])
def test_encode_and_decode_with_a_model_by_path(own: Path, form: type) -> None:
    stream = tokcodec.encode(photo(), 30, model=form(own))
    assert tokcodec.info(stream).header_bytes == 12
    assert tokcodec.info(stream).model == "own"
    assert tokcodec.info(stream).model_id == load_model(own).id
    assert stream[4:8] == load_model(own).sha256[:4]
    decoded = tokcodec.decode(stream, model=form(own))
    assert decoded.size == photo().size
    assert tokcodec.decode(stream) == decoded  # it is known by now


def test_an_empty_stream_of_a_custom_model_has_12_bytes(own: Path) -> None:
    assert len(tokcodec.encode(photo(), budget=0, model=own)) == 12
    assert len(tokcodec.encode(photo(), max_bytes=20, model=own)) == 20


def test_a_stream_of_an_unknown_model_is_refused(own: Path, fresh: Callable[[], None]) -> None:
    stream = tokcodec.encode(photo(), 30, model=own)
    wanted = tokcodec.decode(stream)
    fresh()
    for use in (tokcodec.decode, tokcodec.info, tokcodec.cut, tokcodec.unpack):
        with pytest.raises(UnknownModelError, match=load_model(own).id[:8]):
            use(stream)
    assert tokcodec.decode(stream, model=own) == wanted
    fresh()
    tokcodec.load(own)
    assert tokcodec.decode(stream) == wanted


def test_a_stream_of_another_model_is_refused(own: Path) -> None:
    ours, theirs = tokcodec.encode(photo(), 30, model=own), tokcodec.encode(photo(), 30)
    with pytest.raises(ModelMismatchError):
        tokcodec.decode(theirs, model=own)
    with pytest.raises(ModelMismatchError):
        tokcodec.decode(ours, model="pyramid")
    with pytest.raises(ModelMismatchError):
        tokcodec.load(own).cut(theirs, 5)


def test_tokens_remember_their_model(own: Path, fresh: Callable[[], None]) -> None:
    tokens = tokcodec.tokenize(photo(), 30, model=own)
    assert tokens.model == load_model(own).id
    assert tokcodec.unpack(tokcodec.pack(tokens)).ids[:30].tolist() == tokens.ids.tolist()
    with pytest.raises(ModelMismatchError):
        tokcodec.load().detokenize(tokens)
    fresh()
    with pytest.raises(ModelMismatchError, match=tokens.model[:8]):
        tokcodec.detokenize(tokens)


# ---- what is no model


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(UnknownModelError, match=r"'nosuch'.*pyramid"):
        tokcodec.encode(photo(), model="nosuch")
    with pytest.raises(UnknownModelError, match="nosuch"):
        tokcodec.load("nosuch.safetensors")


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError):
        tokcodec.load(tmp_path)


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        load_model(tmp_path / "nowhere.safetensors")


def foreign(meta: dict[str, str] | None) -> bytes:
    """A sound safetensors file of something else."""
    return save({"a": np.zeros(3, np.int16)}, metadata=meta)


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\0" * 7,
        b"\0" * 8,
        b"\0" * 100,
        b"\xff" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 19) + b'{"__metadata__": 5} ',
        struct.pack("<Q", 20) + b'{"__metadata__": {}}',
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 200_000) + b"[" * 200_000,
        foreign(None),
        foreign({"sha256": "0", "meaning": "not JSON"}),
        foreign({"sha256": "0", "meaning": "{}"}),
        foreign({"sha256": "0", "meaning": json.dumps(MEANING | {"prior": TABLES})}),
    ],
)
def test_files_of_other_kinds_are_refused(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(contents)
    with pytest.raises(DamagedModelError, match="other"):
        tokcodec.load(path)


def test_a_card_that_is_no_table_is_refused(tmp_path: Path) -> None:
    model = registry.shipped("pyramid-3")
    path = tmp_path / "other.safetensors"
    path.write_bytes(Model("other", model.arrays, [], model.prior).save_bytes())
    with pytest.raises(DamagedModelError, match="card"):
        tokcodec.load(path)


def refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(contents)
    with pytest.raises(DamagedModelError):
        tokcodec.load(path)
    with pytest.raises(DamagedModelError):
        tokcodec.encode(photo(), 5, model=path)


def test_truncated_and_prolonged_files_are_refused(tmp_path: Path, shipped: bytes) -> None:
    for n in (4, 8, 100, 2000, len(shipped) // 2, len(shipped) - 1):
        refused(tmp_path, shipped[:n])
    refused(tmp_path, shipped + b"\0")


def test_any_changed_number_is_told_by_the_hash(tmp_path: Path, shipped: bytes) -> None:
    start = 8 + struct.unpack_from("<Q", shipped)[0]
    rng = random.Random(1)
    for at in [start, len(shipped) - 1, *(rng.randrange(start, len(shipped)) for _ in range(10))]:
        damaged = bytearray(shipped)
        damaged[at] ^= 1 << rng.randrange(8)
        refused(tmp_path, bytes(damaged))


def test_damage_in_the_head_is_told_or_leaves_the_numbers_alone(
    tmp_path: Path, shipped: bytes
) -> None:
    path, rng = tmp_path / "damaged.safetensors", random.Random(1)
    start = 8 + struct.unpack_from("<Q", shipped)[0]
    told = 0
    for at in rng.sample(range(start), 60):
        damaged = bytearray(shipped)
        damaged[at] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            assert load_model(path).id == tokcodec.load().model.id
        except DamagedModelError:
            told += 1
    assert told > 10


def test_a_wrong_hash_is_told(tmp_path: Path, shipped: bytes) -> None:
    refused(tmp_path, remade(shipped, lambda m: {**m, "sha256": "0" * 64}))


def test_another_meaning_is_told(tmp_path: Path, shipped: bytes) -> None:
    meaning = json.dumps({**MEANING, "prior": TABLES, "transform": "haar"})
    refused(tmp_path, remade(shipped, lambda m: {**m, "meaning": meaning}))


@pytest.mark.parametrize("meaning", ['{"prior": []}', "[" * 100_000, "5"])
def test_a_meaning_of_nonsense_is_told(meaning: str, tmp_path: Path, shipped: bytes) -> None:
    refused(tmp_path, remade(shipped, lambda m: {**m, "meaning": meaning}))


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("pyramid", "tops", 0),
        ("pyramid", "tops", 1 << 20),
        ("pyramid", "frequencies", 0),
        ("pyramid", "frequencies", 1 << 23),
        ("pyramid-2", "zero", 0),
        ("pyramid-2", "zero", 1 << 24),
        ("pyramid-2", "plus", 0),
        ("pyramid-2", "plus", 1 << 16),
    ],
)
def test_numbers_that_code_nothing_are_told(
    model: str, name: str, value: int, tmp_path: Path
) -> None:
    """A sound file, with a sound hash, of a model in which a digit has no chance, or no step."""
    sound = tokcodec.load(model).model
    arrays = {k: v.copy() for k, v in sound.arrays.items()}
    arrays[name][..., :] = value
    refused(tmp_path, Model("own", arrays, prior=sound.prior).save_bytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda a: {k: v for k, v in a.items() if k != "tops"},
        lambda a: {**a, "more": np.zeros(1, np.int16)},
        lambda a: {**a, "tops": a["tops"].astype(np.int64)},
        lambda a: {**a, "scores": a["scores"][:, :, 1:].copy()},
        lambda a: {**a, "frequencies": a["frequencies"].astype(np.float32)},
    ],
    ids=["missing", "more", "wider", "shorter", "float"],
)
def test_other_arrays_are_told(change, tmp_path: Path, shipped: bytes) -> None:
    refused(tmp_path, remade(shipped, arrays=change))


def test_a_damaged_model_is_not_kept(tmp_path: Path, shipped: bytes) -> None:
    refused(tmp_path, shipped[:-1])
    assert registry._opened == {}
