"""Coverage-guided fuzzing of all that reads bytes: `make fuzz`, or pass libFuzzer's options."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tokcodec"]):
    import tokcodec
    from tokcodec.stream.bundle import Bundle

MAX_PIXELS = 1 << 16
FOLDER = Path(tempfile.mkdtemp())


def one(data: bytes) -> None:
    if len(data) % 8 == 7:  # some of the time, as a bundle
        path = FOLDER / "fuzz.tkb"
        path.write_bytes(data)
        try:
            bundle = Bundle(path)
            [bundle[i] for i in range(min(3, len(bundle)))]
        except tokcodec.TokCodecError:
            pass
        return
    try:
        info = tokcodec.info(data, max_pixels=MAX_PIXELS)
        image = tokcodec.decode(data, max_pixels=MAX_PIXELS)
        tokens = tokcodec.unpack(data, max_pixels=MAX_PIXELS)
    except tokcodec.TokCodecError:
        return
    if image.size != (info.width, info.height) or len(tokens) != info.tokens:
        raise AssertionError("info, decode and unpack disagree")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
