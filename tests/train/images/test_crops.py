"""Photographs to batches: which are read, which are kept back, and what a crop is."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from tests.train.images.named import file_names, saved
from tokcodec.errors import InputError

torch = pytest.importorskip("torch")

from tokcodec.train.images import crops as module  # noqa: E402
from tokcodec.train.images.crops import Sizes, held_out, random_crops  # noqa: E402
from tokcodec.train.images.files import MIN_SIDE, Place, places  # noqa: E402


def crops(batch: torch.Tensor) -> list[np.ndarray]:
    return list(batch.permute(0, 2, 3, 1).numpy())


def test_held_out_photographs_are_never_trained_on(folder: Path, tar: Path) -> None:
    for paths in ([folder], [tar], sorted(folder.glob("*.png"))):
        stream = random_crops(paths, [Sizes(16, 4)], workers=0, seed=1)
        assert torch.cat(list(islice(stream, 20))).max() < 128
        kept = held_out(paths, 64, 10)
        assert len(kept) == 2
        assert kept.min() > 128


def damaged(kind: str, picture: np.ndarray) -> bytes:
    if kind == "text":
        return b"These are no photographs." * 100
    if kind == "empty":
        return b""
    if kind == "small":
        return saved(picture[: MIN_SIDE - 1])
    if kind == "avif":
        if not features.check("avif"):
            pytest.skip("Pillow without AVIF")
        before, mark, after = saved(picture, "AVIF").partition(b"mdat")
        return before + mark + b"\xff" * len(after)
    whole = saved(picture, kind.upper())
    return whole[: 2 * len(whole) // 3]


@pytest.mark.parametrize("kind", ["text", "empty", "small", "png", "jpeg", "tiff", "webp", "avif"])
def test_files_that_hold_no_photograph_are_skipped(
    kind: str, tmp_path: Path, photograph: Callable
) -> None:
    bad, good = file_names(False, 2)
    (tmp_path / bad).write_bytes(damaged(kind, photograph("coffee", 90, 70)))
    assert module.photograph(places([tmp_path])[0]) is None
    with pytest.raises(InputError, match="64"):
        next(random_crops([tmp_path], [Sizes(16, 1)], workers=0, seed=0))
    (tmp_path / good).write_bytes(saved(photograph("coffee", 90, 70)))
    stream = random_crops([tmp_path], [Sizes(16, 1)], workers=0, seed=0)
    assert len(list(islice(stream, 8))) == 8


def test_a_process_that_finds_no_photograph_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / file_names(False, 1)[0]).write_bytes(b"no photograph")
    with pytest.raises(InputError, match=r"^no photograph of 64 pixels"):
        next(random_crops([tmp_path], [Sizes(16, 1)], workers=2, seed=0))


def test_names_that_are_no_text(tmp_path: Path, photograph: Callable) -> None:
    """A file's name is bytes; in Latin-1, say, where all others are in UTF-8."""
    picture = saved(photograph("coffee", 90, 70))
    names = (os.fsdecode(b"caf\xe9-%d.png" % i) for i in count())
    held_out_one = next(n for n in names if Place(Path(n), n, 0, None).held_out)
    other = next(n for n in names if not Place(Path(n), n, 0, None).held_out)
    try:
        for name in (held_out_one, other):
            (tmp_path / name).write_bytes(picture)
    except OSError:
        pytest.skip("this file system knows only names that are text")
    assert next(random_crops([tmp_path], [Sizes(16, 2)], workers=0, seed=0)).shape == (2, 3, 16, 16)
    assert len(held_out([tmp_path], 64, 4)) == 1


def test_no_photographs(tmp_path: Path, photograph: Callable) -> None:
    with pytest.raises(InputError, match="no photographs"):
        random_crops([tmp_path], [Sizes(16, 1)], workers=0, seed=0)
    (tmp_path / file_names(True, 1)[0]).write_bytes(saved(photograph("coffee", 90, 70)))
    with pytest.raises(InputError, match="no photographs"):
        random_crops([tmp_path], [Sizes(16, 1)], workers=0, seed=0)
    with pytest.raises(InputError, match="80"):
        held_out([tmp_path], 80, 4)
    assert held_out([tmp_path], 70, 4).shape == (1, 3, 70, 70)


# ---- batches


def test_the_stream_goes_on_for_ever(folder: Path) -> None:
    (single,) = file_names(False, 1)
    stream = random_crops([folder / single], [Sizes(24, 3)], workers=0, seed=0)
    found = list(islice(stream, 20))
    for batch in found:
        assert batch.shape == (3, 3, 24, 24)
        assert batch.dtype == torch.uint8
        assert batch.is_contiguous()
    assert len({batch.numpy().tobytes() for batch in found}) == 20


def test_the_same_seed_gives_the_same_stream(folder: Path, tar: Path) -> None:
    def start(path: Path, seed: int) -> torch.Tensor:
        return torch.cat(list(islice(random_crops([path], [Sizes(16, 2)], 0, seed), 5)))

    assert torch.equal(start(folder, 3), start(folder, 3))
    assert not torch.equal(start(folder, 3), start(folder, 4))


def test_processes_share_the_work(folder: Path) -> None:
    stream = random_crops([folder], [Sizes(16, 2)], workers=2, seed=0)
    one, two = next(stream), next(stream)
    assert one.shape == two.shape == (2, 3, 16, 16)
    assert not torch.equal(one, two)


@pytest.mark.parametrize("sizes", [((16, 8), (32, 2)), ((32, 2), (16, 8)), ((16, 4), (32, 7))])
def test_batches_of_every_size_come_as_often_as_their_share(
    sizes: tuple[tuple[int, int], ...], folder: Path
) -> None:
    few, many = Sizes(*sizes[0], share=1), Sizes(*sizes[1], share=3)
    stream = random_crops([folder], [few, many], workers=0, seed=0)
    found = [tuple(batch.shape) for batch in islice(stream, 120)]
    assert set(found) == {(s.batch, 3, s.side, s.side) for s in (few, many)}
    assert 20 <= found.count((few.batch, 3, few.side, few.side)) <= 40


def test_some_crops_are_grey(folder: Path) -> None:
    def share(grey: float) -> float:
        stream = random_crops([folder], [Sizes(16, 10)], workers=0, seed=0, grey=grey)
        found = torch.cat(list(islice(stream, 20)))
        return float((found == found[:, :1]).all((1, 2, 3)).float().mean())

    assert share(0) < 0.02
    assert 0.15 < share(0.3) < 0.45
    assert share(1) == 1


def test_a_crop_at_full_size_is_the_photograph_or_its_mirror_image(
    tmp_path: Path, photograph: Callable
) -> None:
    picture = photograph("astronaut", 70, 70)
    (tmp_path / file_names(False, 1)[0]).write_bytes(saved(picture))
    batch = next(random_crops([tmp_path], [Sizes(70, 12)], workers=0, seed=0, grey=0))
    plain = [np.array_equal(crop, picture) for crop in crops(batch)]
    mirrored = [np.array_equal(crop, picture[:, ::-1]) for crop in crops(batch)]
    assert all(a or b for a, b in zip(plain, mirrored, strict=True))
    assert any(plain)
    assert any(mirrored)


def test_crops_are_of_every_scale_from_the_whole_to_full_size(tmp_path: Path) -> None:
    """On a slope from 0 to 255 over 128 rows, a crop's range is the share of them that it holds."""
    slope = np.linspace(0, 255, 128).astype(np.uint8)[:, None, None].repeat(160, 1).repeat(3, 2)
    (tmp_path / file_names(False, 1)[0]).write_bytes(saved(slope))
    stream = random_crops([tmp_path], [Sizes(32, 60)], workers=0, seed=0)
    spans = [int(crop.max()) - int(crop.min()) for crop in crops(next(stream))]
    assert 50 < min(spans) < 90  # a quarter of them is 64
    assert max(spans) > 200


def test_crops_are_scaled_down_by_as_much_as_asked(tmp_path: Path) -> None:
    slope = np.linspace(0, 255, 128).astype(np.uint8)[:, None, None].repeat(160, 1).repeat(3, 2)
    (tmp_path / file_names(False, 1)[0]).write_bytes(saved(slope))
    for side, least in ((32, 2 * 64), (80, 230)):  # 80 rows of 128 cannot be halved: all are shown
        stream = random_crops([tmp_path], [Sizes(side, 40)], workers=0, seed=0, shrink=2.0)
        spans = [int(crop.max()) - int(crop.min()) for crop in crops(next(stream))]
        assert min(spans) > least - 14


def test_narrow_crops_lie_and_stand(folder: Path) -> None:
    stream = random_crops([folder], [Sizes(48, 4, height=5)], workers=0, seed=0)
    found = [tuple(batch.shape) for batch in islice(stream, 20)]
    assert set(found) == {(4, 3, 5, 48), (4, 3, 48, 5)}


def test_a_share_of_the_crops_are_drawings(folder: Path) -> None:
    """The photographs to train on are dark."""

    def share(drawn: float) -> float:
        stream = random_crops([folder], [Sizes(32, 10)], workers=0, seed=0, drawn=drawn)
        found = torch.cat(list(islice(stream, 12)))
        return float((found.amax((1, 2, 3)) > 90).float().mean())

    assert share(0) == 0
    assert 0.15 < share(0.4) < 0.5


def test_photographs_that_are_too_small_are_scaled_up(tmp_path: Path, photograph: Callable) -> None:
    picture = Image.fromarray(photograph("rocket", 66, 66))
    picture.save(tmp_path / file_names(False, 1)[0])
    large = np.asarray(picture.resize((100, 100), Image.Resampling.LANCZOS)).astype(int)
    batch = next(random_crops([tmp_path], [Sizes(100, 3)], workers=0, seed=0, grey=0))
    for crop in crops(batch):
        assert min(np.abs(crop - large).max(), np.abs(crop - large[:, ::-1]).max()) <= 1


# ---- kept for validation


def test_centre_squares_are_kept_for_validation(folder: Path) -> None:
    first, second = (np.asarray(Image.open(folder / name)) for name in file_names(True, 2))
    kept = crops(held_out([folder], 80, 10))
    expected = [first[:, 10:90], second]
    assert sorted(k.tobytes() for k in kept) == sorted(e.tobytes() for e in expected)
    assert held_out([folder], 80, 1).shape == (1, 3, 80, 80)
    assert held_out([folder], 30, 10).shape == (2, 3, 30, 30)


def test_of_many_held_out_photographs_some_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [p for p in places([folder]) if p.held_out]
    monkeypatch.setattr(module, "places", lambda paths: 500 * kept)
    read = []
    real = module.photograph
    monkeypatch.setattr(module, "photograph", lambda p: read.append(p) or real(p))
    assert held_out([folder], 80, 3).shape == (3, 3, 80, 80)
    assert len(read) < 100
