"""Speed: contenders take turns, failures are named, peaks are seen; never how fast anything is."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from benchmarks import speed
from benchmarks.contenders import Limited, described
from benchmarks.scenes import scenes
from benchmarks.stopwatch import JOBS, highest, megabytes, times_of_side
from tokcodec.errors import ArgumentError

OURS = "tokcodec:pyramid@linear"
needs_proc = pytest.mark.skipif(highest() is None, reason="no /proc/self/status here")


@pytest.fixture
def photographs(photograph: Callable[[str, int, int], np.ndarray]) -> list[Image.Image]:
    sizes = {"astronaut": (96, 80), "coffee": (80, 96), "chelsea": (100, 70)}
    return [Image.fromarray(photograph(name, *size)) for name, size in sizes.items()]


@pytest.mark.parametrize("side", [16, 64, 256, 257, 400])
def test_scenes_have_the_size_asked_for(photographs: list[Image.Image], side: int) -> None:
    found = scenes(photographs, side)
    assert {s.size for s in found} == {(side, side)}
    assert [s.mode for s in found] == ["RGB"] * (3 if side <= 256 else 1)
    assert found == scenes(photographs, side)


def test_mosaic_is_not_enlarged(photographs: list[Image.Image]) -> None:
    colours = {c for p in photographs for _, c in p.getcolors(maxcolors=10**6)}
    (mosaic,) = scenes(photographs, 300)
    assert {c for _, c in mosaic.getcolors(maxcolors=10**6)} <= colours


@pytest.mark.parametrize("side", [0, -1])
def test_scenes_without_size_or_photographs(photographs: list[Image.Image], side: int) -> None:
    with pytest.raises(ArgumentError):
        scenes(photographs, side)
    with pytest.raises(ArgumentError):
        scenes([], 64)


class Stub:
    """A contender that notes what it was asked for, and fails at the job named."""

    version = "1"

    def __init__(self, name: str, log: list[tuple[str, str]], fails: str = "") -> None:
        self.name, self.log, self.fails = name, log, fails

    def _do(self, job: str, result: Any) -> Any:
        if job == self.fails:
            raise RuntimeError("out of luck")
        self.log.append((self.name, job))
        return result

    def prepare(self, image: Image.Image) -> dict[str, int]:
        return self._do("prepare", {"quality": 5})

    def encode(self, image: Image.Image, settings: dict[str, int]) -> bytes:
        assert settings == {"quality": 5}
        return self._do("encode", image.tobytes())

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        return self._do("decode", Image.frombytes("RGB", size, data))

    def thumbnail(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        return self._do("thumbnail", Image.frombytes("RGB", size, data))


def test_contenders_take_turns(photographs: list[Image.Image]) -> None:
    log: list[tuple[str, str]] = []
    made = {name: Stub(name, log) for name in "ab"}
    found = list(times_of_side(made, scenes(photographs, 16)[:1], rounds=3, seconds=1e9))
    turn = [(name, job) for job in JOBS for name in "ab"]
    assert [x for x in log if x[1] != "prepare"] == 3 * turn
    assert {(f["codec"], f["job"]) for f in found} == set(turn)
    assert all(f["runs"] == 3 and f["bytes"] == 16 * 16 * 3 and f["ms"] > 0 for f in found)
    assert found[0]["settings"] == "quality=5"


def test_slow_jobs_are_done_once(photographs: list[Image.Image]) -> None:
    log: list[tuple[str, str]] = []
    found = list(times_of_side({"a": Stub("a", log)}, scenes(photographs, 16), 5, seconds=0.0))
    assert {f["runs"] for f in found} == {1}
    assert log.count(("a", "encode")) == len(photographs)


@pytest.mark.parametrize("job", ["prepare", *JOBS])
def test_a_failing_contender_is_named_and_the_rest_goes_on(
    photographs: list[Image.Image], job: str
) -> None:
    log: list[tuple[str, str]] = []
    made = {"bad": Stub("bad", log, fails=job), "good": Stub("good", log)}
    found = list(times_of_side(made, scenes(photographs, 16), rounds=2, seconds=1e9))
    failed = [f for f in found if "failed" in f]
    assert failed == [{"side": 16, "codec": "bad", "failed": "RuntimeError: out of luck"}]
    assert [(f["codec"], f["job"], f["runs"]) for f in found if "failed" not in f] == [
        ("good", j, 2) for j in JOBS
    ]


def test_growth() -> None:
    pixels = [2.0**n for n in range(10, 20)]
    assert speed.growth(pixels, [3 * p**1.25 for p in pixels]) == pytest.approx(1.25)
    assert speed.growth([4.0, 4.0], [1.0, 2.0]) is None


def test_described() -> None:
    assert described({"quality": 5, "optimize": True}) == "quality=5 optimize=1"


@needs_proc
def test_peak_sees_what_was_there_for_a_moment() -> None:
    """In a process of its own: one that has run for long has free memory to take again."""
    code = """
import numpy as np
from benchmarks.stopwatch import highest, start_peak
np.ones(100_000_000, np.uint8).sum()  # an earlier peak, to be forgotten
base = start_peak()
np.ones(50_000_000, np.uint8).sum()
print(highest() - base)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert 45 < float(done.stdout) < 60


@needs_proc
def test_memory_that_the_system_does_not_tell_is_none() -> None:
    """Of a process that has ended and was not waited for, the file is there, but not its memory."""
    assert megabytes("VmRSS") == pytest.approx(megabytes("VmRSS", os.getpid()), rel=0.5)
    assert megabytes("VmNothing") is None
    assert megabytes("VmRSS", None) is None
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert megabytes("VmRSS", ended.pid) is None


@needs_proc
def test_memory_of_what_was_timed(tmp_path: Path, photographs: list[Image.Image]) -> None:
    photographs[0].save(tmp_path / "0.png")
    timed = {"side": 64, "codec": "webp", "settings": "quality=5 method=6"}
    failures: list[dict] = []
    found = list(speed.memory_of(str(tmp_path), [timed], failures))
    assert [(f["codec"], f["side"], f["job"]) for f in found] == [
        ("webp", 64, "encode"), ("webp", 64, "decode"),
    ]  # fmt: skip
    assert all(5 < f["base_mb"] <= f["peak_mb"] < 1000 for f in found)
    assert not failures
    assert "| webp, encode | " in speed.peaks(found)


def test_a_process_that_dies_is_a_failure() -> None:
    (found,) = speed.order(1, task="peak", codec="webp", side=64)  # arguments are missing
    assert found == {"side": 64, "codec": "webp", "failed": "exit code 1"}


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity here")
def test_one_thread_is_one_processor() -> None:
    program = (
        "import os; from benchmarks.stopwatch import use_threads; use_threads(1); "
        "print(len(os.sched_getaffinity(0)))"
    )
    root = Path(speed.__file__).parent.parent
    out = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, check=True)
    assert out.stdout.strip() == b"1"


def test_limit_of_the_contenders(photographs: list[Image.Image]) -> None:
    ours = Limited(OURS)
    for side, limit in ((32, 64), (200, 500)):
        (scene,) = scenes(photographs, side)[:1]
        data = ours.encode(scene, ours.prepare(scene))
        assert limit - 8 <= len(data) <= limit
        assert ours.decode(data, scene.size).size == (side, side)
        assert max(ours.thumbnail(data, scene.size).size) == min(side, 128)


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], photographs: list[Image.Image]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(photographs):
        image.save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG no more")
    parser = argparse.ArgumentParser()
    speed.add_arguments(parser)
    out = tmp_path / "out"
    given = [
        "--quick",
        "--no-memory",
        "--images",
        str(folder),
        "--sides",
        "16,20",
        "--threads",
        "1",
    ]
    given += ["--codecs", f"{OURS},nonsense", "--out", str(out)]
    assert speed.run(parser.parse_args(given)) == 1
    said = capfd.readouterr()
    assert "broken.png: " in said.err
    assert "nonsense" in said.err

    times = (out / "times-pictures.tsv").read_text()
    lines = [line.split("\t") for line in times.splitlines()]
    assert tuple(lines[0]) == speed.TIMES
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert {(r["side"], r["codec"], r["job"]) for r in rows} == {
        (side, codec, job)
        for side in ("16", "20")
        for codec in ("webp", "avif", OURS)
        for job in JOBS
    }
    assert all(float(r["ms"]) > 0 and float(r["bytes"]) > 0 for r in rows)
    assert "quality=5 speed=4" in {r["settings"] for r in rows}
    assert f"{OURS}, 1 thread\n" in said.out
    assert "| growth with pixels | threads | encode | decode | thumbnail |" in said.out
    assert float((out / "import.tsv").read_text().split()[-1]) > 0


def test_a_quick_run_leaves_the_rows_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"side": 16, "codec": "webp", "version": "1", "settings": "quality=5", "job": "encode",
           "bytes": 99, "ms": 1.5, "runs": 1}  # fmt: skip
    monkeypatch.setattr(speed, "order", lambda *_, **__: [one])
    monkeypatch.setattr(speed, "import_time", lambda runs: 1.0)
    monkeypatch.setattr(speed, "OUT", tmp_path / "rows")
    parser = argparse.ArgumentParser()
    speed.add_arguments(parser)
    given = ["--no-memory", "--threads", "1"]
    assert speed.run(parser.parse_args(["--quick", *given])) == 0
    assert "import tokcodec 1 ms" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert speed.run(parser.parse_args(["--quick", *given, "--out", str(tmp_path / "asked")])) == 0
    assert speed.run(parser.parse_args(given)) == 0
    written = {"times-scikit-image.tsv", "import.tsv"}  # no other set's rows are touched
    for name in ("asked", "rows"):
        assert {p.name for p in (tmp_path / name).iterdir()} == written


def test_unknown_set_is_refused_at_once(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    speed.add_arguments(parser)
    given = ["--images", "no such set", "--out", str(tmp_path)]
    with pytest.raises(ArgumentError, match="no such set"):
        speed.run(parser.parse_args(given))
