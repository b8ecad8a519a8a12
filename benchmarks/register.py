"""Register tokenizers with random weights, sized as published ones, to seconds and megabytes; and
parity vectors to differences from the reference implementations.

Every model, batch and job has a process of its own: a process's peak of memory never falls. With
one processor its time counts, not the clock's, so that other programs do not.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from benchmarks.lists import whole_numbers
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.speed import THREADS, machine
from benchmarks.stopwatch import highest, start_peak, use_threads
from benchmarks.tables import Cell, markdown, write_tsv

OUT = Path(__file__).parent / "results" / "register"
VECTORS = "TOKCODEC_VECTORS"  # environment variable: folder of the parity vectors
MODELS = {"titok-s128": 128, "one-d-piece-s": 256}  # tokens; all else is the same
JOBS = ("encode", "decode")
REST = "pictures, coder"
PARTS = {
    "encoder": "encoder", "quantize": "codebook", "decoder": "decoder",
    "pixel_quantize": "proxy codes", "pixel_decoder": "pixel decoder",
}  # fmt: skip
TIMES = (
    "machine", "threads", "model", "batch", "job", "seconds", "base_mb", "peak_mb", "tokens",
    "raw_bits", "code_bytes", "stream_bytes",
)  # fmt: skip
Found = dict[str, Any]
Clock = Callable[[], float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks register`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--batches", default="1,8", help="pictures at a time (default: 1,8)")
    parser.add_argument("--threads", default="1", help="processors (default: 1)")
    parser.add_argument("--runs", type=int, default=2, help="the best of so many counts")
    parser.add_argument("--parity-only", action="store_true", help="leave the times out")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the rows")


def run(args: argparse.Namespace) -> int:
    """Measure, write parity.tsv, times-SET.tsv and parts-SET.tsv, print tables; 0."""
    named = set_name(args.images, args.out, OUT)
    shown = parity(args.out)
    if not args.parity_only:
        images = args.images if args.images in SETS else str(Path(args.images).resolve())
        orders = [
            (model, batch, job, threads)
            for threads in whole_numbers(args.threads, "threads")
            for model in MODELS
            for batch in whole_numbers(args.batches, "batches")
            for job in JOBS
        ]
        bar = tqdm(orders, disable=not sys.stderr.isatty(), unit="time")
        found = [alone(*order, args.runs, images) for order in bar]
        shown += times(args.out, named, found)
    print(shown)
    return 0


def parity(out: Path) -> str:
    """Differences from the vectors, where they are at hand."""
    from benchmarks.parity import NAMES, differences

    root = Path(os.environ.get(VECTORS, ""))
    rows: list[list[Cell]] = [
        [name, step, apart]
        for name in NAMES
        if (root / name / "io.safetensors").is_file()
        for step, apart in differences(root / name)
    ]
    if not rows:
        return f"{VECTORS} names no folder of parity vectors: none compared\n\n"
    write_tsv(out / "parity.tsv", ("vector", "step", "difference"), rows)
    largest: list[list[Cell]] = []
    for name in dict.fromkeys(r[0] for r in rows):
        own = {str(r[1]): float(str(r[2])) for r in rows if r[0] == name}
        wrong = int(own.pop("tokens"))
        largest.append([name, wrong, own["latents"], own["decoder_out"], max(own.values())])
    columns = ("vector", "other tokens", "latents", "decoder's output", "largest difference")
    return markdown(columns, largest) + "\n"


def alone(model: str, batch: int, job: str, threads: int, runs: int, images: str) -> Found:
    """`measure` in a fresh process with so many processors."""
    os.environ.update({f"{name}_NUM_THREADS": str(threads) for name in THREADS})
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, model, batch, job, threads, runs, images).result()


def measure(model: str, batch: int, job: str, threads: int, runs: int, images: str) -> Found:
    """Seconds for a batch (the best of several runs), memory, bytes, and seconds of each part."""
    use_threads(threads)
    codec = random_codec(model, batch)
    some = list(pictures(images).values())
    photographs = [some[i % len(some)]() for i in range(batch)]
    streams: list[bytes] = []
    if job == "encode":
        work = lambda: streams.__setitem__(slice(None), codec.encode_batch(photographs))  # noqa: E731
    else:
        streams = noise_streams(codec, photographs)
        work = lambda: codec.decode_batch(streams)  # noqa: E731
    base = start_peak()
    clock = time.process_time if threads == 1 else time.perf_counter
    best, parts = timed(work, codec.model.tokenizer, runs, clock)
    head = codec.info(streams[0]).header_bytes
    return {
        "machine": machine(), "threads": threads, "model": model, "batch": batch, "job": job,
        "seconds": best, "base_mb": base, "peak_mb": highest(), "parts": parts,
        "tokens": codec.model.tokenizer.length,
        "raw_bits": codec.model.tokenizer.length * 12,
        "code_bytes": sum(len(s) - head for s in streams) / len(streams),
        "stream_bytes": sum(map(len, streams)) / len(streams),
    }  # fmt: skip


def random_codec(model: str, batch: int) -> Any:
    """A codec with random weights, built in memory."""
    import torch

    from tokcodec.register.codec import RegisterCodec
    from tokcodec.register.model import RegisterModel
    from tokcodec.register.prior.uniform import Uniform
    from tokcodec.register.titok.onedpiece import OneDPiece
    from tokcodec.register.titok.shape import TiTokShape, ViT
    from tokcodec.register.titok.tokenizer import TiTok

    small = ViT(width=512, layers=8, heads=8)
    shape = TiTokShape(
        side=256, patch=16, latents=MODELS[model], vocabulary=4096, code=12, normalised=True,
        legacy=True, encoder=small, decoder=small, proxies=1024, proxy=256, channels=128,
    )  # fmt: skip
    torch.manual_seed(0)
    kind = TiTok if model.startswith("titok") else OneDPiece
    tokenizer = kind(shape).eval().requires_grad_(False)
    made = RegisterModel(model, "random", tokenizer, bytes(32), Uniform(tokenizer.levels))
    return RegisterCodec(made, batch)


def noise_streams(codec: Any, photographs: list[Image.Image]) -> list[bytes]:
    """Streams of random tokens, so that decoding need not encode first."""
    import numpy as np

    from tokcodec.tokens.tokens import Tokens

    rng, model = np.random.default_rng(0), codec.model
    vocabulary, length = model.tokenizer.vocabulary, model.tokenizer.length
    return [
        codec.pack(Tokens(rng.integers(0, vocabulary, length), model.id, p.size, False, vocabulary))
        for p in photographs
    ]


def timed(
    work: Callable[[], Any], network: Any, runs: int, clock: Clock
) -> tuple[float, dict[str, float]]:
    """Seconds of the best run, and of each part in it."""
    spent: dict[str, float] = {}
    for name, part in PARTS.items():
        inner = getattr(network, name)
        call = "ids" if name == "quantize" else "forward"
        setattr(inner, call, _watched(getattr(inner, call), part, spent, clock))
    best, parts = float("inf"), {}
    for _ in range(runs):
        spent.clear()
        start = clock()
        work()
        took = clock() - start
        if took < best:
            best, parts = took, {**spent, REST: took - sum(spent.values())}
    return best, parts


def _watched(call: Callable, part: str, spent: dict[str, float], clock: Clock) -> Callable:
    def watched(*arguments, **named):
        start = clock()
        out = call(*arguments, **named)
        spent[part] = spent.get(part, 0.0) + clock() - start
        return out

    return watched


def times(out: Path, named: str, found: list[Found]) -> str:
    """Write times-SET.tsv and parts-SET.tsv; both as tables."""
    write_tsv(out / f"times-{named}.tsv", TIMES, [[f[c] for c in TIMES] for f in found])
    parts: list[list[Cell]] = list(_parts(found))
    columns = ("model", "batch", "job", "part", "share")
    write_tsv(out / f"parts-{named}.tsv", columns, parts)
    rows: list[list[Cell]] = [
        [
            f["model"], f["batch"], f["job"], f["seconds"] / f["batch"], f["peak_mb"],
            f["tokens"], f["raw_bits"] / 8, f["code_bytes"], f["stream_bytes"],
        ]
        for f in found
    ]  # fmt: skip
    heads = (
        "model", "batch", "job", "seconds a picture", "peak MB", "tokens", "raw bytes",
        "code string, bytes", "stream, bytes",
    )  # fmt: skip
    return markdown(heads, rows) + "\n" + markdown(columns, parts)


def _parts(found: list[Found]) -> Iterator[list[Cell]]:
    for f in found:
        for part, seconds in f["parts"].items():
            yield [f["model"], f["batch"], f["job"], part, seconds / f["seconds"]]
