"""Streams written once decode to the same tokens for ever, everywhere, by anybody's decoder."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

import tokcodec
from tests.independent import pyramid, register
from tokcodec.registry import PYRAMIDS

HERE = Path(__file__).parent
WEIGHTS = Path(tokcodec.__file__).parent / "weights"
GOLDEN = json.loads((HERE / "tokens.json").read_text())


def test_every_stream_has_its_tokens():
    assert sorted(GOLDEN) == sorted(p.name for p in HERE.glob("*.tkc"))
    assert len(GOLDEN) >= 14


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_library_reads_the_same_tokens(name):
    data, expected = (HERE / name).read_bytes(), GOLDEN[name]
    info, tokens = tokcodec.info(data), tokcodec.unpack(data)
    assert (info.model_id, info.digits, info.complete) == (
        expected["model"],
        expected["digits"],
        expected["complete"],
    )
    assert tokens.ids.tolist() == expected["ids"]
    assert tokcodec.decode(data).size == tokens.size


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_decoder_written_from_the_document_reads_the_same_tokens(name):
    expected, data = GOLDEN[name], (HERE / name).read_bytes()
    if name.startswith("register-small-"):
        files = (WEIGHTS / f"register-small{part}.safetensors" for part in ("", "-prior"))
        found = register.decode(data, *files)
    else:
        model = max((m for m in PYRAMIDS if name.startswith(f"{m}-")), key=len)
        found = pyramid.decode(data, WEIGHTS / f"{model}.safetensors")
    assert found == (expected["ids"], expected["digits"], expected["complete"])


WORK = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from tests.conftest import load_photograph
import tokcodec
from tokcodec import registry
h = hashlib.sha256()
for name, width, height in (("astronaut", 128, 96), ("coffee", 75, 50), ("retina", 200, 200)):
    picture = load_photograph(name, width, height)
    for limit in ({"budget": 64}, {"max_bytes": 700}, {"psnr": 27.0}):
        for model in registry.PYRAMIDS:
            data = tokcodec.encode(picture, model=model, **limit)
            h.update(data + tokcodec.unpack(data).ids.tobytes())
print(h.hexdigest())
"""


def run(**environment: str) -> str:
    command = [sys.executable, "-c", WORK, str(HERE.parents[1])]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_same_bytes_with_one_thread_two_threads_and_plain_instructions():
    fancy = [f for f in __cpu_dispatch__ if __cpu_features__.get(f)]
    expected = run(OMP_NUM_THREADS="1")
    assert len(bytes.fromhex(expected)) == hashlib.sha256().digest_size
    assert run(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2") == expected
    if fancy:
        assert run(NPY_DISABLE_CPU_FEATURES=" ".join(fancy)) == expected


def test_golden_pictures_look_as_they_did():
    """Mean colours of the decoded pictures, within a step: the linear decoder may differ in the
    last bit only.
    """
    expected = json.loads((HERE / "pictures.json").read_text())
    for name, means in expected.items():
        decoded = np.asarray(tokcodec.decode((HERE / name).read_bytes(), decoder="linear"))
        small = [
            decoded[y : y + len(decoded) // 2 + 1].mean((0, 1)).round(2).tolist()
            for y in (0, len(decoded) // 2)
        ]
        assert np.abs(np.array(small) - means).max() < 0.6
