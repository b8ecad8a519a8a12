"""The codec's own numbers: bytes against PSNR, tokens, time as ratios, memory, what prefixes lose.

    python -m benchmarks.codec --kodak FOLDER [--only rd full tokens large speed memory prefixes]

Writes one TSV a part to benchmarks/results/codec/ and prints the means. Times are the best of
several runs with one thread, as ratios to WebP and AVIF (Pillow) in the same run.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image

import tokcodec
from tokcodec.coder import codestring
from tokcodec.psnr import psnr

RESULTS = Path(__file__).parent / "results" / "codec"
BYTES = (64, 128, 256, 512, 1024, 2048)
PREFIX_BYTES = 128
BUDGETS = (32, 128, 512, 2048)
FULL_BYTES = (4915, 12288)
RIVALS = {
    "WebP": ("WEBP", {"method": 6}),
    "AVIF": ("AVIF", {"speed": 4}),
}


def kodak(folder: Path, square: bool) -> dict[str, Image.Image]:
    """Pictures by name; `square`: centre square, Lanczos to 256x256."""
    found = {}
    for path in sorted(folder.glob("*.png")):
        image = Image.open(path).convert("RGB")
        if square:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            image = image.crop((left, top, left + side, top + side)).resize(
                (256, 256), Image.Resampling.LANCZOS
            )
        found[path.stem] = image
    if not found:
        raise SystemExit(f"no pictures (*.png) in {folder}")
    return found


def quality(stream: bytes, image: Image.Image) -> float:
    return psnr(
        np.asarray(tokcodec.decode(stream, decoder="linear", max_pixels=None)), np.asarray(image)
    )


def record(name: str, columns: list[str], rows: list[list[object]]) -> None:
    """Rows to RESULTS/name.tsv."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(columns)] + [
        "\t".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row) for row in rows
    ]
    (RESULTS / f"{name}.tsv").write_text("\n".join(lines) + "\n")


def say(title: str, values: dict[object, object]) -> None:
    shown = "   ".join(
        f"{k}: {v:.3f}" if isinstance(v, float) else f"{k}: {v}" for k, v in values.items()
    )
    print(f"{title}\n    {shown}", flush=True)


def mean_by(rows: list[list[object]], key: int, value: int) -> dict[object, object]:
    keys = list(dict.fromkeys(row[key] for row in rows))
    return {k: float(np.mean([row[value] for row in rows if row[key] == k])) for k in keys}  # type: ignore[arg-type]


def rd(folder: Path) -> None:
    rows = by_limit(folder, "kodak256", "max_bytes", BYTES)
    say("Kodak-256, mean PSNR (dB) by bytes of the whole stream", mean_by(rows, 1, 3))


def tokens(folder: Path) -> None:
    rows = by_limit(folder, "budgets", "budget", BUDGETS)
    say("Kodak-256, mean bytes by budget (tokens)", mean_by(rows, 1, 2))
    say("    mean PSNR (dB)", mean_by(rows, 1, 3))


def by_limit(folder: Path, name: str, limit: str, values: tuple[int, ...]) -> list[list[object]]:
    """Each Kodak-256 picture at each value of a limit: name, value, bytes, PSNR."""
    rows: list[list[object]] = []
    for picture, image in kodak(folder, square=True).items():
        for value in values:
            stream = tokcodec.encode(image, **{limit: value})  # type: ignore[arg-type]
            rows.append([picture, value, len(stream), quality(stream, image)])
    record(name, ["image", limit, "bytes", "psnr"], rows)
    return rows


def full(folder: Path) -> None:
    rows: list[list[object]] = []
    for name, image in kodak(folder, square=False).items():
        for n in FULL_BYTES:
            stream = tokcodec.encode(image, max_bytes=n)
            rows.append([name, n, "tokcodec", len(stream), quality(stream, image)])
            rows += [
                [name, n, k, *best]
                for k, best in ((k, rival(image, k, n)) for k in (*RIVALS, "JPEG2000"))
                if best
            ]
    record("kodak", ["image", "max_bytes", "codec", "bytes", "psnr"], rows)
    for n in FULL_BYTES:
        here = [r for r in rows if r[1] == n]
        say(f"Kodak 768x512 at {n} bytes, mean PSNR (dB) of those that fit", mean_by(here, 2, 4))
        fitting: dict[object, object] = {
            k: sum(r[2] == k for r in here) for k in ("tokcodec", *RIVALS, "JPEG2000")
        }
        say("    pictures that fit, of 24", fitting)


def rival(image: Image.Image, codec: str, n: int) -> tuple[int, float] | None:
    """Bytes and PSNR of the best quality at full size that fits `n` bytes."""
    if codec == "JPEG2000":
        rate, data = 8 * image.width * image.height * 3 / (8 * n), b""
        for _ in range(12):
            data = saved(
                image, "JPEG2000", quality_mode="rates", quality_layers=[rate], irreversible=True
            )
            if len(data) <= n:
                break
            rate *= 1.01
    else:
        kind, options = RIVALS[codec]
        low, high, data = 0, 100, b""
        while low <= high:
            q = (low + high) // 2
            out = saved(image, kind, quality=q, **options)
            if len(out) <= n:
                data, low = out, q + 1
            else:
                high = q - 1
    if not data or len(data) > n:
        return None
    return len(data), psnr(
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), np.asarray(image)
    )


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def large_pictures(folder: Path) -> dict[str, Image.Image]:
    """12 megapixels as a mosaic of photographs and as one enlarged; 100 megapixels of fractal
    noise; a strip.
    """
    photographs = list(kodak(folder, square=False).values())
    mosaic = Image.new("RGB", (768 * 6, 512 * 5))
    for i in range(30):
        mosaic.paste(
            photographs[i % len(photographs)].resize((768, 512)), (i % 6 * 768, i // 6 * 512)
        )
    rng = np.random.default_rng(0)
    fractal = np.zeros((10000, 10000, 3), np.float32)
    for octave in range(2, 12):
        grid = rng.normal(0, 0.5**octave, (2**octave, 2**octave, 3))
        for c in range(3):
            layer = Image.fromarray(grid[..., c].astype(np.float32)).resize(
                (10000, 10000), Image.Resampling.BICUBIC
            )
            fractal[..., c] += np.asarray(layer)
    fractal = np.clip(128 + fractal * 300, 0, 255)
    return {
        "mosaic-12mp": mosaic.resize((4243, 2828), Image.Resampling.LANCZOS),
        "enlarged-12mp": photographs[0].resize((4243, 2828), Image.Resampling.LANCZOS),
        "fractal-100mp": Image.fromarray(fractal.astype(np.uint8)),
        "strip-4000x30": mosaic.resize((4000, 2222)).crop((0, 1000, 4000, 1030)),
    }


def large(folder: Path) -> None:
    rows: list[list[object]] = []
    for name, image in large_pictures(folder).items():
        n = image.width * image.height // 80
        start = time.perf_counter()
        stream = tokcodec.encode(image, max_bytes=n, max_pixels=None)
        seconds = time.perf_counter() - start
        rows.append(
            [name, f"{image.width}x{image.height}", len(stream), quality(stream, image), seconds]
        )
        say(
            f"{name} at 0.1 bit per pixel",
            dict(zip(("size", "bytes", "PSNR", "encode s"), rows[-1][1:], strict=True)),
        )
    record("large", ["picture", "size", "bytes", "psnr", "encode_seconds"], rows)


def best(work: Callable[[], object], runs: int) -> float:
    """Milliseconds of the fastest run."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def speed(folder: Path) -> None:
    rows: list[list[object]] = []
    small = list(kodak(folder, square=True).values())[:6]
    big = large_pictures(folder)["mosaic-12mp"]
    for label, images, n, runs in (
        ("256x256 to 512 bytes", small, 512, 7),
        ("12 MP to 20 kB", [big], 20000, 2),
    ):
        times: dict[str, list[float]] = {}
        for image in images:
            stream = tokcodec.encode(image, max_bytes=n)
            webp, avif = (saved(image, k, quality=5, **o) for k, o in RIVALS.values())
            jobs: dict[str, Callable[[], object]] = {
                "encode": lambda image=image, n=n: tokcodec.encode(image, max_bytes=n),
                "WebP encode": lambda image=image: saved(image, "WEBP", quality=5, method=6),
                "AVIF encode": lambda image=image: saved(
                    image, "AVIF", quality=5, speed=4, max_threads=1
                ),
                "decode": lambda stream=stream: tokcodec.decode(stream, decoder="linear"),
                "WebP decode": lambda webp=webp: Image.open(io.BytesIO(webp)).load(),
                "AVIF decode": lambda avif=avif: Image.open(io.BytesIO(avif)).load(),
                "thumbnail": lambda stream=stream: tokcodec.decode(
                    stream, (160, 120), decoder="linear"
                ),
            }
            for job, work in jobs.items():
                times.setdefault(job, []).append(best(work, runs))
        mean = {job: float(np.mean(t)) for job, t in times.items()}
        rows += [[label, job, t] for job, t in mean.items()]
        say(f"{label}: milliseconds, one thread", mean)
        ratios = {
            f"{job} / {k}": mean[job] / mean[f"{k} {job}"]
            for job in ("encode", "decode")
            for k in RIVALS
        }
        say("    ratios", ratios)
    importing = [sys.executable, "-X", "importtime", "-c", "import tokcodec"]
    took = []
    for _ in range(5):
        last = subprocess.run(
            importing, capture_output=True, text=True, check=True
        ).stderr.splitlines()[-1]
        took.append(int(last.split("|")[1]) / 1000)
    rows.append(["import tokcodec", "ms", min(took)])
    say("import tokcodec", {"ms": min(took)})
    record("speed", ["what", "job", "milliseconds"], rows)


def memory(folder: Path) -> None:
    """Peak resident memory of a fresh process that does one job with the 12-megapixel picture."""
    big = large_pictures(folder)["mosaic-12mp"]
    program = (
        "import sys, time, tokcodec\n"
        "from PIL import Image\n"
        "image = Image.open(sys.argv[1]).convert('RGB'); image.load()\n"
        "start = time.perf_counter()\n"
        "data = tokcodec.encode(image, max_bytes=20000)\n"
        "there = time.perf_counter() - start\n"
        "def high():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(x.split()[1]) for x in lines if x.startswith('VmHWM')) / 1e6\n"
        "peak = high()\n"
        "start = time.perf_counter(); tokcodec.decode(data, decoder='linear')\n"
        "print(there, peak, time.perf_counter() - start, high())\n"
    )
    path = RESULTS / "big.tmp.png"
    RESULTS.mkdir(parents=True, exist_ok=True)
    big.save(path, compress_level=1)
    try:
        out = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
        )
    finally:
        path.unlink()
    values = [float(v) for v in out.stdout.split()]
    names = ["encode s", "peak GB after encode", "decode s", "peak GB after decode"]
    record("memory", names, [list(values)])
    say("12 MP to 20 kB in a fresh process", dict(zip(names, values, strict=True)))


def prefixes(folder: Path) -> None:
    """Tokens lost at each cut, against the information bound: the digits that ideal codes of so
    many bytes could hold. Every prefix is decoded and compared with the truth.
    """
    rows: list[list[object]] = []
    codec = tokcodec.load()
    for name, image in list(kodak(folder, square=True).items())[:20]:
        _, order, source = codec._open(np.asarray(image), bare=True)
        script = codestring.Script(order, source.digits)
        string = codestring.code(script, max_bytes=PREFIX_BYTES)
        bits, digits = [], []
        for number in range(len(order.passes)):
            line = script.line(number)
            bits.append(24 - np.log2(line.tables.frequencies[line.rows, line.digits + 1]))
            digits.append(line.digits)
            if sum(b.sum() for b in bits) > 8 * PREFIX_BYTES + 64:
                break
        cost, truth = np.cumsum(np.concatenate(bits)), np.concatenate(digits)
        for n in range(len(string) + 1):
            read = codestring.read(order, string[:n], keep=True)
            if not np.array_equal(read.digits, truth[: read.total]):
                raise SystemExit(f"{name}: a prefix of {n} bytes gives a wrong token")
            could = int(np.searchsorted(cost, 8 * n, side="right"))
            unused = 8 * n - (cost[read.total - 1] if read.total else 0.0)
            rows.append([name, n, read.total, could, could // 10 - read.total // 10, float(unused)])
    columns = ["image", "bytes", "digits", "digits_at_best", "tokens_lost", "bits_unused"]
    record("prefixes", columns, rows)
    lost = np.array([row[4] for row in rows], float)
    say(
        f"{len(rows)} prefixes of 20 streams, none with a wrong token",
        {
            "mean tokens lost": float(lost.mean()),
            "in the first 64 bytes": float(np.mean([row[4] for row in rows if row[1] <= 64])),  # type: ignore[operator]
            "none lost in": f"{np.mean(lost == 0):.0%}",
            "most": int(lost.max()),
            "mean bits unused": float(np.mean([row[5] for row in rows])),
        },
    )


PARTS = {f.__name__: f for f in (rd, full, tokens, large, speed, memory, prefixes)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.codec", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--kodak", type=Path, required=True, help="folder with the 24 Kodak PNGs")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    args = parser.parse_args(argv)
    for part in args.only:
        PARTS[part](args.kodak)
    return 0


if __name__ == "__main__":
    sys.exit(main())
