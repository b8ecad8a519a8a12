"""Tar files and folders of photographs to an endless stream of batches of random crops."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tokcodec.errors import ArgumentError, InputError
from tokcodec.tokens.wavelet import COARSEST
from tokcodec.train.images.drawings import drawing
from tokcodec.train.images.files import MIN_SIDE, Place, photograph, places

ENOUGH = 8  # times as many photographs are read as are chosen, where there are so many


@dataclass(frozen=True)
class Sizes:
    """Pixels of a crop, crops in a batch, and how often such a batch is drawn.

    `height` makes crops of `side` x `height` pixels, lying or, as often, standing; without it they
    are square.
    """

    side: int
    batch: int
    share: float = 1.0
    height: int | None = None

    def __post_init__(self) -> None:
        whole = (self.side, self.batch, 1 if self.height is None else self.height)
        if not all(isinstance(n, int) and n >= 1 for n in whole) or not 0 < self.share < math.inf:
            raise ArgumentError(
                "sizes wants whole numbers of at least 1 for side, height and batch, and a finite "
                "share above 0"
            )
        if max(self.side, self.height or 0) <= COARSEST:
            raise ArgumentError(
                f"crops of {COARSEST} pixels a side or less have nothing to learn from"
            )


class Crops(IterableDataset[Tensor]):
    """Batches uint8 (B, 3, height, width): photographs scaled down at random, cropped, mirrored,
    shares of them without colour or replaced by drawings. They end where no photograph is left.
    """

    def __init__(
        self,
        chosen: Sequence[Place],
        sizes: Sequence[Sizes],
        grey: float,
        seed: int,
        drawn: float = 0.0,
        shrink: float = 1.0,
    ) -> None:
        self.chosen, self.sizes, self.grey = list(chosen), list(sizes), grey
        self.seed, self.drawn, self.shrink = seed, drawn, shrink

    def __iter__(self) -> Iterator[Tensor]:
        worker = get_worker_info()
        number = worker.id if worker else 0
        rng = np.random.default_rng([self.seed, number])
        shares = np.array([s.share for s in self.sizes], float)
        shares /= shares.max()  # so that their sum is finite, too
        least = min(s.batch for s in self.sizes)
        crops: dict[tuple[Sizes, tuple[int, int]], list[np.ndarray]] = defaultdict(list)
        while True:
            usable = 0
            for i in rng.permutation(len(self.chosen)):
                size = self.sizes[rng.choice(len(shares), p=shares / shares.sum())]
                image = photograph(self.chosen[i])
                if image is None:
                    continue
                usable += 1
                # A crop of a small batch is one in few: as many photographs feed each size's share.
                whole, part = divmod(size.batch, least)
                shape = size.side, size.height or size.side
                if size.height and rng.integers(2):
                    shape = shape[1], shape[0]
                key = size, shape
                for _ in range(whole + (rng.random() < part / least)):
                    crops[key].append(self._crop(image, shape, rng))
                if len(crops[key]) >= size.batch:
                    batch, crops[key] = crops[key][: size.batch], crops[key][size.batch :]
                    yield torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).contiguous()
            if not usable:  # told by `_endless`: an error here would come with a page of torch's
                return

    def _crop(
        self, image: Image.Image, shape: tuple[int, int], rng: np.random.Generator
    ) -> np.ndarray:
        """uint8 (height, width, 3) for a `shape` (width, height): from as much of the picture as
        has that shape, scaled down, to a crop scaled down by `shrink`, log-uniform in between;
        pictures that are too small for that are scaled less, or up.
        """
        if self.drawn and rng.random() < self.drawn:
            found = drawing(*shape, rng)
        else:
            most = min(n / wanted for n, wanted in zip(image.size, shape, strict=True))
            least = min(self.shrink, most)
            scale = float(np.exp(rng.uniform(np.log(least), np.log(most))))
            wide, high = (
                min(scale * wanted, n) for n, wanted in zip(image.size, shape, strict=True)
            )
            x, y = (
                float(rng.uniform(0, n - m)) for n, m in zip(image.size, (wide, high), strict=True)
            )
            box = (x, y, x + wide, y + high)
            found = np.asarray(image.resize(shape, Image.Resampling.LANCZOS, box))
        if rng.random() < 0.5:
            found = found[:, ::-1]
        if rng.random() < self.grey:
            found = found[..., 1:2].repeat(3, -1)
        return found


def random_crops(
    paths: Sequence[Path],
    sizes: Sequence[Sizes],
    workers: int,
    seed: int,
    grey: float = 0.0,
    drawn: float = 0.0,
    shrink: float = 1.0,
) -> Iterator[Tensor]:
    """Endless batches of the photographs that are not held out, made by `workers` processes.

    Raises:
        InputError: a path is not there, or no sound tar file, or all that is there is held out;
            only when batches are asked for, if none of the files is a photograph.
    """
    chosen = [p for p in places(paths) if not p.held_out]
    if not chosen:
        raise InputError("no photographs to train on")
    crops = Crops(chosen, sizes, grey, seed, drawn, shrink)
    ahead = 4 if workers else None
    return _endless(DataLoader(crops, batch_size=None, num_workers=workers, prefetch_factor=ahead))


def _endless(batches: Iterable[Tensor]) -> Iterator[Tensor]:
    """The same batches; InputError where they end."""
    yield from batches
    raise InputError(f"no photograph of {MIN_SIDE} pixels a side or more to train on")


def _squares(chosen: Sequence[Place], side: int) -> list[np.ndarray]:
    """The centre squares, scaled down, of those that are large enough."""
    found = []
    for place in chosen:
        if (image := photograph(place)) and min(image.size) >= side:
            short = min(image.size)
            left, top = (image.width - short) // 2, (image.height - short) // 2
            box = (left, top, left + short, top + short)
            found.append(np.asarray(image.resize((side, side), Image.Resampling.LANCZOS, box)))
    return found


def held_out(paths: Sequence[Path], side: int, count: int) -> Tensor:
    """uint8 (n <= count, 3, side, side): centre squares of the photographs kept for validation.

    Raises:
        InputError: a path is not there, or no sound tar file, or none is kept that is large enough.
    """
    kept = [p for p in places(paths) if p.held_out]
    for step in (max(1, len(kept) // (ENOUGH * count)), 1):
        if found := _squares(kept[::step], side):
            break
    if not found:
        raise InputError(
            "none of the photographs kept for validation (one in 64, by a hash of its name) has "
            f"{side} pixels a side: give more of them"
        )
    even = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return torch.from_numpy(np.stack([found[i] for i in even])).permute(0, 3, 1, 2).contiguous()
