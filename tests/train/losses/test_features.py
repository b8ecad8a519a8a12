"""VGG-16's features: from either naming of its weights, and a distance that means likeness."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tokcodec.errors import ArgumentError, DamagedModelError, InputError

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from tokcodec.train.losses import features  # noqa: E402
from tokcodec.train.losses.features import STAGES, Features, difference, vgg16  # noqa: E402

OF_TORCHVISION = (0, 2, 5, 7, 10, 12, 14, 17)  # where its convolutions stand among the layers


def random_weights() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Of the convolutions of `STAGES`, and of the one that comes after."""
    widths = [3, *(w for stage in STAGES for w in stage), 512]
    drawn = torch.Generator().manual_seed(0)
    return [
        (torch.randn(b, a, 3, 3, generator=drawn) * (2 / 9 / a) ** 0.5, torch.zeros(b))
        for a, b in pairwise(widths)
    ]


def weights_file(path: Path, numbers: tuple[int, ...] = OF_TORCHVISION) -> Path:
    state = {}
    for number, (weight, bias) in zip(numbers, random_weights(), strict=True):
        state[f"features.{number}.weight"] = weight.half().contiguous()
        state[f"features.{number}.bias"] = bias
    save_file(state, path)
    return path


def as_batch(picture: np.ndarray | Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float()


def test_both_namings_give_the_same_features(tmp_path: Path, astronaut: np.ndarray) -> None:
    theirs = vgg16(weights_file(tmp_path / "torchvision.safetensors"))
    counted = vgg16(weights_file(tmp_path / "counted.safetensors", tuple(range(8))))
    one, two = theirs(as_batch(astronaut)), counted(as_batch(astronaut))
    assert [f.shape[1:] for f in one] == [(64, 80, 96), (128, 40, 48), (256, 20, 24)]
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a, b)
        assert (a >= 0).all()


def test_the_less_alike_the_further_apart(astronaut: np.ndarray) -> None:
    seen = Features(random_weights()[:7])
    image = Image.fromarray(astronaut)
    found = [seen(as_batch(image))]
    found += [seen(as_batch(image.filter(ImageFilter.GaussianBlur(r)))) for r in (1, 2, 4)]
    far = [float(difference(found[0], f)) for f in found]
    assert far[0] == 0.0
    assert far == sorted(set(far))
    assert far[-1] < 2 * len(STAGES)


def test_a_gradient_reaches_the_picture(astronaut: np.ndarray) -> None:
    seen, picture = Features(random_weights()[:7]), as_batch(astronaut)
    drawn = (picture + 5).requires_grad_(True)
    difference(seen(drawn), seen(picture)).sum().backward()
    assert torch.isfinite(drawn.grad).all()
    assert drawn.grad.abs().max() > 0
    assert not any(p.requires_grad for p in seen.parameters())


def test_files_that_hold_something_else_are_told(tmp_path: Path) -> None:
    path = tmp_path / "vgg.safetensors"
    with pytest.raises(InputError, match="vgg"):
        vgg16(path)
    path.write_bytes(b"no weights at all")
    with pytest.raises(DamagedModelError, match="vgg"):
        vgg16(path)
    parts = ("weight", "bias")
    for state in (
        {"x": torch.zeros(3)},
        {"features.0.weight": torch.zeros(64, 3, 3, 3)},
        {f"features.{i}.{part}": torch.zeros(2) for i in range(7) for part in parts},
        {f"features.a.{part}": torch.zeros(3) for part in parts},
    ):
        save_file(state, path)
        with pytest.raises(DamagedModelError, match="VGG"):
            vgg16(path)


def test_without_a_file_torchvision_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchvision.models", None)
    with pytest.raises(ArgumentError, match="torchvision"):
        features.vgg16(None)
