"""Jobs to their results, in the order they finish, by several processes of one thread each."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import TypeVar

from tqdm import tqdm

from tokcodec.errors import TokCodecWarning

J = TypeVar("J")
T = TypeVar("T")


def in_parallel(
    work: Callable[[J], T], jobs: Sequence[J], workers: int
) -> Iterator[tuple[J, T | str]]:
    """Each job with its result, or what went wrong, as they finish."""
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    with ProcessPoolExecutor(max(1, workers), context, initializer=one_thread) as pool:
        futures: dict[Future[T], J] = {pool.submit(work, j): j for j in jobs}
        bar = tqdm(as_completed(futures), total=len(jobs), unit="picture", disable=not jobs)
        try:
            for future in bar:
                try:
                    yield futures[future], future.result()
                except Exception as e:  # whatever a codec raises: the rest goes on
                    yield futures[future], f"{type(e).__name__}: {e}"
        except BaseException:  # interrupted: what has not begun is not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def one_thread() -> None:
    """A worker is one of many: more threads each would only get in each other's way, and the
    parent has said what is missing.
    """
    warnings.simplefilter("ignore", TokCodecWarning)
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        pass
