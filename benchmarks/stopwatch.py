"""Codecs and picture sizes in, milliseconds or peak memory out, in a process of its own.

    python -m benchmarks.stopwatch < order.json

`benchmarks.speed` writes the orders: {"task": "times" or "peak", ...arguments}. Every line that
comes back is a dictionary. A process of its own, because libraries read the number of threads when
they are imported, and because a process's peak never falls.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.contenders import Contender, Settings, contender, described
from benchmarks.pictures import pictures
from benchmarks.rows import parse_settings
from benchmarks.scenes import scenes
from tokcodec.errors import TokCodecError

JOBS = ("encode", "decode", "thumbnail")
MAX_PHOTOGRAPHS = 24  # photographs that scenes are made of
Found = dict[str, Any]


def times(
    codecs: list[str], sides: list[int], images: str, threads: int, rounds: int, seconds: float
) -> Iterator[Found]:
    """Best times of every codec, job and side: {side, codec, version, settings, job, bytes, ms,
    runs}, milliseconds and bytes being means over the pictures of that side; {side, codec, failed}
    where a codec could not do it.

    Codecs take turns within a round, so that whatever else the machine does meets them all. A job
    is done at least once, then again in each of the next `rounds` while all its runs have taken
    less than `seconds`.
    """
    photographs, failed = readable(images)
    for name, why in failed.items():
        yield {"side": None, "codec": name, "failed": why}
    made: dict[str, Contender] = {}
    for codec in codecs:
        try:
            made[codec] = contender(codec, threads)
        except TokCodecError as e:
            yield {"side": None, "codec": codec, "failed": str(e)}
    for side in sides if photographs else ():
        yield from times_of_side(made, scenes(photographs, side), rounds, seconds)


def readable(images: str) -> tuple[list[Image.Image], dict[str, str]]:
    """The first `MAX_PHOTOGRAPHS` pictures of a set or folder, and why any cannot be read."""
    found, failed = [], {}
    for name, load in list(pictures(images).items())[:MAX_PHOTOGRAPHS]:
        try:
            found.append(load())
        except (TokCodecError, OSError) as e:
            failed[name] = str(e)
    return found, failed


def times_of_side(
    made: dict[str, Contender], images: list[Image.Image], rounds: int, seconds: float
) -> Iterator[Found]:
    """`times` for pictures of one size."""
    side, size = images[0].width, images[0].size
    settings: dict[str, list[Settings]] = {}
    for codec in list(made):
        try:
            settings[codec] = [made[codec].prepare(image) for image in images]
        except Exception as e:  # a codec may raise anything; the others go on
            yield {"side": side, "codec": codec, "failed": f"{type(e).__name__}: {e}"}
    files: dict[str, list[bytes]] = {codec: [b""] * len(images) for codec in settings}
    best = {(c, job): [float("inf")] * len(images) for job in JOBS for c in settings}
    runs, spent = dict.fromkeys(best, 0), dict.fromkeys(best, 0.0)
    for _ in range(rounds):
        for codec, job in list(best):
            if (codec, job) not in best or (runs[codec, job] and spent[codec, job] >= seconds):
                continue
            try:
                for i, image in enumerate(images):
                    work = _work(made[codec], job, image, settings[codec][i], files[codec][i], size)
                    start = time.perf_counter()
                    out = work()
                    took = time.perf_counter() - start
                    spent[codec, job] += took
                    best[codec, job][i] = min(best[codec, job][i], took)
                    if job == "encode":
                        files[codec][i] = out
                runs[codec, job] += 1
            except Exception as e:  # as above
                yield {"side": side, "codec": codec, "failed": f"{type(e).__name__}: {e}"}
                for other in JOBS:
                    best.pop((codec, other), None)
    for (codec, job), found in best.items():
        yield {
            "side": side, "codec": codec, "version": made[codec].version,
            "settings": described(settings[codec][0]), "job": job,
            "bytes": float(np.mean([len(f) for f in files[codec]])),
            "ms": 1e3 * float(np.mean(found)), "runs": runs[codec, job],
        }  # fmt: skip


def _work(
    made: Contender,
    job: str,
    image: Image.Image | None,
    settings: Settings,
    data: bytes,
    size: tuple[int, int],
) -> Callable[[], Any]:
    """A job as a call without arguments; `image` and `settings` are for encoding, `data` and `size`
    for the others.
    """
    if job == "encode":
        return lambda: made.encode(image, settings)  # type: ignore[arg-type]
    return lambda: getattr(made, job)(data, size)


def peak(
    codec: str, side: int, job: str, settings: str, picture: str, file: str
) -> Iterator[Found]:
    """Most memory that a job takes: {side, codec, job, base_mb, peak_mb}, in 10^6 bytes resident of
    this process, before the job and at its highest; None where the system does not tell.

    Before the job the codec is imported and its input loaded; what it loads at first use counts.

    Args:
        settings: as in the rows of `times`; not looked for here, as that would leave memory behind.
        picture: .npy file, uint8 (side, side, 3).
        file: where "encode" leaves what it made, for "decode" to find.
    """
    made = contender(codec, threads=1)
    image, data = None, b""
    if job == "encode":
        image = Image.fromarray(np.load(picture))
    else:
        data = Path(file).read_bytes()
    work = _work(made, job, image, parse_settings(settings), data, (side, side))
    base = start_peak()
    out = work()
    yield {"side": side, "codec": codec, "job": job, "base_mb": base, "peak_mb": highest()}
    if job == "encode":
        Path(file).write_bytes(out)


def start_peak() -> float | None:
    """Forget the highest resident memory so far (Linux); megabytes resident now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return highest()  # as it was before the job: at least as much as now
    return megabytes("VmRSS")


def highest() -> float | None:
    """Highest resident memory, in megabytes, since `start_peak`."""
    return megabytes("VmHWM")


def megabytes(field: str, pid: int | str | None = "self") -> float | None:
    """A field of /proc/PID/status, "VmRSS" as an example, from KiB to 10^6 bytes; None where there
    is no such file or field: processes that have ended hold no memory.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(x.split()[1]) * 1.024e-3 for x in lines if x.startswith(f"{field}:")), None)


def use_threads(threads: int) -> None:
    """Keep this process to so many processors, as some libraries start threads unasked. (Those that
    ask look at variables of the environment, torch among them; `speed.order` sets these.)
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main() -> None:
    """Read the order from stdin, write findings to stdout; what else is printed goes to stderr."""
    order, out = json.load(sys.stdin), sys.stdout
    sys.stdout = sys.stderr
    tasks: dict[str, Callable[..., Iterator[Found]]] = {"times": times, "peak": peak}
    task = tasks[order.pop("task")]
    use_threads(order.get("threads", 1))
    for found in task(**order):
        print(json.dumps(found), file=out, flush=True)


if __name__ == "__main__":
    main()
