"""The register tokenizer that comes with tokcodec, by its name like any other model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec import cli, errors, weights
from tokcodec.psnr import psnr
from tokcodec.register import shipped
from tokcodec.transport import message

NAME = "register-small"
MAX_BYTES = 25_000_000  # bytes of all shipped weights


@pytest.fixture(scope="module")
def picture(photograph) -> np.ndarray:
    return photograph("coffee", 300, 200)


@pytest.fixture(scope="module")
def stream(picture) -> bytes:
    return tokcodec.encode(picture, max_bytes=64, model=NAME)


def test_it_is_a_model_like_any_other(stream, picture) -> None:
    info = tokcodec.info(stream)
    assert info.model == NAME
    assert info.header_bytes == 8
    assert len(stream) <= 64
    assert 30 <= info.tokens <= 64
    drawn = tokcodec.decode(stream)
    assert drawn.size == (300, 200)
    assert psnr(np.asarray(drawn), picture) > 17
    assert NAME in [m.name for m in tokcodec.models()]
    assert tokcodec.unpack(stream).model == tokcodec.load(NAME).model.id
    packed = tokcodec.pack(tokcodec.unpack(stream))
    assert len(packed) <= len(stream)
    assert tokcodec.unpack(packed) == tokcodec.unpack(stream)


def test_a_prefix_is_what_would_have_been_sent(stream, picture) -> None:
    assert tokcodec.cut(stream, max_bytes=30) == tokcodec.encode(picture, max_bytes=30, model=NAME)
    few = tokcodec.cut(stream, budget=5)
    assert tokcodec.info(few).tokens == 5
    better = [
        psnr(np.asarray(tokcodec.decode(tokcodec.cut(stream, budget=k))), picture)
        for k in (1, 6, 35)
    ]
    assert better[0] < better[1] < better[2]


def test_at_twenty_four_bytes_it_is_closer_to_the_picture_than_a_pyramid(photograph) -> None:
    names = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle_left")
    gain = []
    for name in names:
        original = photograph(name, 256, 192)
        found = {
            model: tokcodec.decode(tokcodec.encode(original, max_bytes=24, model=model))
            for model in (NAME, "pyramid")
        }
        gain.append(
            psnr(np.asarray(found[NAME]), original) - psnr(np.asarray(found["pyramid"]), original)
        )
    assert np.mean(gain) > 0.1


READER = """
import sys
sys.modules["torch"] = None
import tokcodec
from tokcodec.transport import message
data = open(sys.argv[1], "rb").read()
print(tokcodec.info(data).tokens, len(tokcodec.cut(data, budget=3)), *tokcodec.unpack(data).ids)
message.read(message.write(b"picture!", data))
codec = tokcodec.load("register-small")
for job in (codec.decode, codec.encode, lambda x: tokcodec.load("register-small", dtype="float32")):
    try:
        job(data)
    except tokcodec.TokCodecError as e:
        print(e)
"""


def test_streams_are_read_and_cut_without_torch(stream, tmp_path: Path) -> None:
    path = tmp_path / "a.tkc"
    path.write_bytes(stream)
    command = [sys.executable, "-c", READER, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    numbers, *said = done.stdout.splitlines()
    ids = tokcodec.unpack(stream).ids
    few = len(tokcodec.cut(stream, budget=3))
    assert [int(n) for n in numbers.split()] == [len(ids), few, *ids.tolist()]
    assert len(said) == 3
    assert all("pip install 'tokcodec[neural]'" in line for line in said)


def test_precision_and_device_are_not_part_of_what_it_is(stream, picture) -> None:
    half = tokcodec.load(NAME, device="cpu", dtype="bfloat16")
    assert half.model.id == tokcodec.load(NAME).model.id
    assert np.array_equal(half.unpack(stream).ids, tokcodec.unpack(stream).ids)
    drawn = [np.asarray(c.decode(stream, decoder="linear")) for c in (half, tokcodec.load(NAME))]
    assert not np.array_equal(*drawn)
    assert psnr(*drawn) > 35
    again = tokcodec.load(NAME, device="cpu", dtype="bfloat16")
    shown = [np.asarray(c.decode(stream)) for c in (again, half)]
    assert np.array_equal(*shown)
    assert np.array_equal(shown[0], tokcodec.decode(stream))  # as it was loaded last


def test_another_prior_is_another_model(stream, picture, tmp_path: Path) -> None:
    prior = tmp_path / "prior.safetensors"
    shutil.copy(shipped.prior_of(NAME), prior)
    codec = tokcodec.load(NAME, prior=prior)
    assert codec.model.id == tokcodec.load(NAME).model.id  # the very same numbers
    plain = tokcodec.load(shipped.weights_of(NAME))
    assert plain.model.id != codec.model.id
    data = plain.encode(picture, budget=20)
    assert tokcodec.info(data).header_bytes == 12
    assert np.array_equal(plain.unpack(data).ids, codec.tokenize(picture, 20).ids)
    assert len(data) > len(codec.encode(picture, budget=20))
    with pytest.raises(errors.ModelMismatchError, match="another model"):
        plain.decode(stream)


def test_bundles_and_messages_carry_it(stream, tmp_path: Path) -> None:
    bundle = tokcodec.Bundle.write(tmp_path / "a.tkb", [stream, tokcodec.cut(stream, budget=4)])
    assert bundle[0] == stream
    assert bundle.model.name == NAME
    identity = message.picture_id(stream)
    assert message.read(message.write(identity, stream)) == (identity, stream)


def test_the_command_knows_its_name(picture, tmp_path: Path, capsys) -> None:
    source, coded, out = (tmp_path / n for n in ("a.png", "a.tkc", "b.png"))
    Image.fromarray(picture).save(source)
    assert cli.main(["encode", str(source), "--max-bytes", "40", "--model", NAME]) == 0
    assert cli.main(["decode", str(coded), "-o", str(out)]) == 0
    assert np.array_equal(Image.open(out), tokcodec.decode(coded.read_bytes()))
    again = ["decode", str(coded), "-f", "-o", str(out)]
    assert cli.main([*again, "--device", "cpu", "--model", NAME]) == 0
    assert cli.main([*again, "--device", "tape"]) == 1
    assert "tape" in capsys.readouterr().err
    assert cli.main(["quantize", NAME, "--format", "mxfp4", "-o", str(tmp_path / "q.safetensors")])
    assert "in the format mxfp6 already" in capsys.readouterr().err
    assert cli.main(["models"]) == 0
    assert f"{NAME}: family register, code 3" in capsys.readouterr().out


def test_damaged_files_are_named(monkeypatch, tmp_path: Path) -> None:
    for path in (shipped.weights_of(NAME), shipped.prior_of(NAME)):
        for file in path.parent.glob(f"{NAME}*"):
            shutil.copy(file, tmp_path / file.name)
        spoilt = bytearray(path.read_bytes())
        spoilt[-1000] ^= 1
        (tmp_path / path.name).write_bytes(spoilt)
        with monkeypatch.context() as m:
            m.setattr(weights, "path", lambda name: tmp_path / name)
            shipped.shipped.cache_clear()
            with pytest.raises(errors.DamagedModelError, match=path.name):
                tokcodec.load(NAME).tokenize(np.zeros((8, 8, 3), np.uint8))
        shipped.shipped.cache_clear()


def test_all_that_is_shipped_stays_small() -> None:
    folder = Path(tokcodec.__file__).parent / "weights"
    assert sum(p.stat().st_size for p in folder.glob("*.safetensors")) < MAX_BYTES
