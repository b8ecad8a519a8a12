"""Writes the golden streams, once: a stream that is there is never written again.

    python tests/golden/make.py

The photographs come with scikit-image. A change that makes an existing stream decode to other
tokens is a new model or a new version of the format, with golden streams of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import tokcodec
from tests.conftest import load_photograph

HERE = Path(__file__).parent
STREAMS: list[tuple[str, int, int, dict[str, float]]] = [
    ("astronaut", 256, 256, {"budget": 32}),
    ("astronaut", 256, 256, {"max_bytes": 512}),
    ("chelsea", 225, 150, {"budget": 200}),
    ("coffee", 300, 200, {"max_bytes": 222}),
    ("rocket", 64, 43, {"budget": 10**6}),
    ("motorcycle_left", 370, 250, {"psnr": 24.0}),
    ("camera", 128, 128, {"max_bytes": 300}),
    ("retina", 200, 200, {"max_bytes": 51}),
    ("hubble_deep_field", 500, 437, {"max_bytes": 1200}),
    ("moon", 1, 1, {"budget": 10**6}),
    ("coins", 96, 75, {"psnr": 30.0}),
    ("ihc", 700, 11, {"max_bytes": 160}),
    ("color", 5, 333, {"max_bytes": 140}),
    ("motorcycle_right", 4200, 40, {"max_bytes": 400}),
]
SECOND: list[tuple[str, int, int, dict[str, float]]] = [  # by models with a learned prior
    ("astronaut", 128, 128, {"budget": 32}),
    ("coffee", 150, 100, {"max_bytes": 222}),
    ("rocket", 32, 21, {"budget": 10**6}),
    ("camera", 96, 64, {"max_bytes": 200}),
    ("moon", 1, 1, {"budget": 10**6}),
    ("color", 5, 133, {"max_bytes": 90}),
    ("retina", 61, 61, {"psnr": 27.0}),
]
REGISTER: list[tuple[str, int, int, dict[str, float]]] = [  # by register-small
    ("astronaut", 256, 256, {"budget": 8}),
    ("coffee", 300, 200, {"max_bytes": 64}),
    ("rocket", 64, 43, {"budget": 64}),
    ("camera", 128, 96, {"max_bytes": 24}),
    ("moon", 1, 1, {"max_bytes": 11}),
]
BY_MODEL = {
    "pyramid": STREAMS,
    "pyramid-2": SECOND,
    "pyramid-3": STREAMS[:9],
    "pyramid-4": SECOND,
    "register-small": REGISTER,
}


def main() -> None:
    known = (
        json.loads((HERE / "tokens.json").read_text()) if (HERE / "tokens.json").exists() else {}
    )
    jobs = [(model, *stream) for model, streams in BY_MODEL.items() for stream in streams]
    for model, name, width, height, limit in jobs:
        ((kind, value),) = limit.items()
        path = HERE / f"{model}-{name}-{width}x{height}-{kind}-{value:g}.tkc"
        if path.exists():
            continue
        data = tokcodec.encode(load_photograph(name, width, height), model=model, **limit)
        path.write_bytes(data)
        info = tokcodec.info(data)
        known[path.name] = {
            "model": info.model_id,
            "digits": info.digits,
            "complete": info.complete,
            "ids": tokcodec.unpack(data).ids.tolist(),
        }
    lines = ",\n".join(
        f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in sorted(known.items())
    )
    (HERE / "tokens.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
