"""A band, seen from a plane, to what the bands near it are told of its cells; integers only."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tokcodec.prior.maps import box, lg, mean, seen_from, signed_lg
from tokcodec.tokens.layout import Band, Grid


class View:
    """Values in quarters of the plane's step, within +-`maps.CAP`.

    Attributes:
        told: magnitudes, their sums over 3 x 3 cells, and values, each through `signed_lg`: int16
            (*lead, 3, cells), the cells in coding order.
        mean: of the magnitudes, as `maps.mean`: int16 (*lead,).
    """

    def __init__(self, q: np.ndarray, grid: Grid, planes: int) -> None:
        """The coefficients q (*lead, grid.cells) from a plane that is `planes` finer."""
        self._grid = grid
        maps = np.empty((*q.shape[:-1], 3, grid.cells), np.int32)
        maps[..., 2, :] = seen_from(q, planes)
        self._size = np.abs(maps[..., 2, :], out=maps[..., 0, :])
        self._sums = box(self._size, grid)
        maps[..., 1, :] = self._sums
        self.told = signed_lg(maps.take(grid.inside, axis=-1))
        self.mean = mean(self._size, grid)

    @cached_property
    def wider(self) -> np.ndarray:
        """`lg` of the sums of these sums over 3 x 3 cells: int16 (*lead, cells), in coding order.

        Beyond the edge nothing is added.
        """
        return lg(box(self._sums, self._grid).take(self._grid.inside, axis=-1))

    def folded(self, grid: Grid, child: Band) -> np.ndarray:
        """If this is a view of `child`: `lg` of the sum over the cells below each cell of its
        parent; four of them, or two that count twice. int16 (*lead, cells of the parent's grid).
        """
        down, right = 1 << child.parent_rows, 1 << child.parent_cols
        size = self._size.reshape(*self._size.shape[:-1], child.height + 2, child.width + 2)
        size = size[..., 1:-1, 1:-1][..., : grid.height * down, : grid.width * right]
        whole = np.zeros((*size.shape[:-2], grid.height * down, grid.width * right), np.int32)
        whole[..., : size.shape[-2], : size.shape[-1]] = size
        parts = whole.reshape(*size.shape[:-2], grid.height, down, grid.width, right)
        sums = parts.sum((-3, -1)) * np.int32(4 // (down * right))
        return lg(sums.reshape(*sums.shape[:-2], -1).take(grid.visit, axis=-1))
