"""The run: rows end to end, resuming, and what goes wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.codecs import OPPONENTS
from benchmarks.rd import CODECS, Job, file_name, work
from benchmarks.rows import FULL_SIZE, PSNR, read, write
from benchmarks.workers import in_parallel
from tokcodec.registry import DEFAULT

OURS = "tokcodec:pyramid@linear"
FAST = ["--metrics", "psnr,ms_ssim", "--workers", "1"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.conftest import load_photograph

    folder = tmp_path_factory.mktemp("images")
    for name in ("astronaut", "coffee"):
        Image.fromarray(load_photograph(name, 72, 56)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def measured(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of tokcodec and WebP for two small photographs at three targets."""
    out = tmp_path_factory.mktemp("results")
    assert run(images, out, f"{OURS},webp", "20,128,600") == 0
    return out


@pytest.fixture
def results(measured: Path, tmp_path: Path) -> Path:
    """The same in a folder that a test may change."""
    return shutil.copytree(measured, tmp_path / "results")


def run(images: Path | str, out: Path, codecs: str, targets: str, *more: str) -> int:
    arguments = ["--images", str(images), "--codecs", codecs, "--bytes", targets]
    return main(["rd", *arguments, "--out", str(out), *FAST, *more])


def test_rows_hold_files_within_their_targets(results: Path) -> None:
    rows = read(results / file_name("webp"))
    assert len(rows) == 2 * 3 * 2  # LPIPS-Alex was not asked for
    assert {r.chosen_by for r in rows} == {PSNR, FULL_SIZE}
    for row in rows:
        if row.target == 20:
            assert row.bytes is None
            assert row.settings.startswith("nothing fits: smallest")
        elif row.bytes is not None:
            assert row.bytes <= row.target
            assert 5 < (row.psnr or 0) < 60
            assert 0 < (row.ms_ssim or 0) < 1
            assert (row.encode_ms or 0) > 0
            assert row.dists is None


def test_more_bytes_are_never_worse_and_any_scale_beats_full_size(results: Path) -> None:
    best = {(r.image, r.target, r.chosen_by): r.psnr for r in read(results / file_name("webp"))}
    for image in ("astronaut.png", "coffee.png"):
        small, large = (best[image, t, PSNR] for t in (128, 600))
        full = best[image, 600, FULL_SIZE]
        assert small is not None
        assert large is not None
        assert small < large
        assert full is None or full <= large


def test_tokcodec_has_one_row_a_target(results: Path) -> None:
    rows = read(results / file_name(OURS))
    assert [(r.image, r.target) for r in rows] == [
        (i, t) for i in ("astronaut.png", "coffee.png") for t in (20, 128, 600)
    ]
    assert all(r.bytes is not None and r.bytes <= r.target for r in rows)


def test_rows_can_be_made_again_from_their_settings(results: Path, images: Path) -> None:
    from benchmarks.codecs import find, parse_settings
    from tokcodec.psnr import psnr

    for spec in ("webp", OURS):
        for row in read(results / file_name(spec)):
            if row.bytes is None:
                continue
            image = Image.open(images / row.image)
            data = find(spec).encode(image, parse_settings(row.settings))
            shown = np.asarray(find(spec).decode(data, image.size))
            assert len(data) == row.bytes
            assert psnr(np.asarray(image), shown) == pytest.approx(row.psnr, abs=1e-3)


def test_a_second_run_measures_only_what_is_missing(results: Path, images: Path) -> None:
    before = {r.key: r for r in read(results / file_name("webp"))}
    assert run(images, results, "webp", "128,300,600") == 0
    after = {r.key: r for r in read(results / file_name("webp"))}
    assert {k: after[k] for k in before} == before  # the times, too: nothing was run again
    assert {k[2] for k in after} - {k[2] for k in before} == {300}


def test_rows_are_not_taken_for_those_of_another_folder(
    results: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "coffee.png").write_bytes((images / "astronaut.png").read_bytes())
    assert run(folder, results, OURS, "128") == 1
    assert "another coffee.png" in capsys.readouterr().err
    (folder / "coffee.png").rename(folder / "more.png")
    (folder / "coffee.png").write_bytes((images / "coffee.png").read_bytes())
    assert run(folder, results, OURS, "128") == 0  # one is new


def test_rows_of_another_tokcodec_are_measured_again(results: Path, images: Path) -> None:
    path = results / file_name(OURS)
    current = read(path)[0].version
    path.write_text(path.read_text().replace(current, "tokcodec 0.0.1, model 00000000, linear"))
    assert run(images, results, OURS, "20,128,600") == 0
    assert {r.version for r in read(path)} == {current}


def test_older_rows_of_what_is_not_asked_for_stay(
    results: Path, images: Path, capsys: pytest.CaptureFixture
) -> None:
    path = results / file_name(OURS)
    before = {r.key: r for r in read(path)}
    write(path, [r._replace(version="tokcodec 0.0.1") for r in before.values()])
    assert run(images, results, OURS, "128") == 0
    after = {r.key: r for r in read(path)}
    assert set(after) == set(before)
    older = {key for key, row in after.items() if row.version == "tokcodec 0.0.1"}
    assert older == {key for key in before if key[2] != 128}
    assert f"{path}: {len(older)} rows of another version stay" in capsys.readouterr().err
    assert run(images, results, OURS, "20,128,600") == 0
    assert {r.version for r in read(path)} == {r.version for r in before.values()}
    assert "another version" not in capsys.readouterr().err


def test_a_metric_that_rows_lack_is_measured_and_nothing_else(results: Path, images: Path) -> None:
    for spec in (OURS, "webp"):
        path = results / file_name(spec)
        before = read(path)
        files = [r for r in before if r.bytes is not None]
        write(path, [r._replace(ms_ssim=None, dists=0.5) if r in files else r for r in before])
        assert run(images, results, spec, "20,128,600", "--metrics", "psnr") == 0
        assert {r.ms_ssim for r in read(path)} == {None}  # not asked for
        assert run(images, results, spec, "20,128,600") == 0
        assert read(path) == [r._replace(dists=0.5) if r in files else r for r in before]


def test_a_metric_without_a_value_for_so_small_a_picture_is_not_missing(
    results: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Job] = []
    monkeypatch.setattr("benchmarks.rd.in_parallel", lambda _, jobs, __: given.extend(jobs) or ())
    assert run(images, results, f"{OURS},webp", "128", "--metrics", "psnr,ssimulacra2") == 0
    assert given == []
    assert run(images, results, f"{OURS},webp", "128,129", "--metrics", "psnr,ssimulacra2") == 0
    assert {job.targets for job in given} == {(129,)}


def test_the_network_and_every_opponent_are_measured_by_default() -> None:
    ours = tuple(f"tokcodec:{DEFAULT}{drawn}" for drawn in ("", "@realism=0", "@linear"))
    assert (*ours, *OPPONENTS) == CODECS


def test_failures_are_named_and_the_rest_goes_on(
    images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "good.png").write_bytes((images / "coffee.png").read_bytes())
    (folder / "broken.png").write_bytes((images / "coffee.png").read_bytes()[:200])
    out = tmp_path / "out"
    assert run(folder, out, f"nosuch,{OURS}", "64") == 1
    said = capfd.readouterr().err
    assert "nosuch" in said
    assert "broken.png" in said
    assert [r.image for r in read(out / file_name(OURS))] == ["good.png"]


@pytest.mark.parametrize("name", ["a\tb.png", "b\udcff.png"])
def test_a_name_that_cannot_be_in_a_row_does_not_hold_up_the_others(
    name: str, images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    for to in ("coffee.png", name):
        try:
            (folder / to).write_bytes((images / "coffee.png").read_bytes())
        except OSError:
            pytest.skip("no such file names here")
    assert run(folder, out, OURS, "64") == 1
    assert "a tab or a line break" in (said := capfd.readouterr().err) or "no UTF-8" in said
    assert [r.image for r in read(out / file_name(OURS))] == ["coffee.png"]


def test_unknown_sets_metrics_and_targets_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("no-such-set", tmp_path, OURS, "64") == 1
    assert "no-such-set" in capfd.readouterr().err
    assert main(["rd", "--metrics", "psnr,taste"]) == 1
    assert "taste" in capfd.readouterr().err
    assert run("scikit-image", tmp_path, ",", "64") == 1
    assert "--codecs names none" in capfd.readouterr().err


def test_file_names_hold_no_separators() -> None:
    assert file_name("tokcodec:hf-hub:a/b") == "tokcodec-hf-hub-a-b.tsv"
    assert file_name(OURS) == "tokcodec-pyramid@linear.tsv"


def test_a_crash_is_told_with_its_job(images: Path) -> None:
    jobs = [Job(c, str(images), "coffee.png", (64,), ("psnr",)) for c in ("nosuch", OURS)]
    found = {job.codec: result for job, result in in_parallel(work, jobs, 1)}
    assert "nosuch" in str(found["nosuch"])
    assert isinstance(found[OURS], list)


def test_a_file_found_again_is_not_measured_again(results: Path, images: Path) -> None:
    path = results / file_name("webp")
    before = {r.key: r for r in read(path)}
    assert run(images, results, "webp", "128", "--again") == 0
    after = {r.key: r for r in read(path)}
    assert after == before  # the times of one run among them


def test_a_row_that_does_not_fit_its_file_is_measured_again(results: Path, images: Path) -> None:
    path = results / file_name("webp")
    before = {r.key: r for r in read(path)}
    wrong = [
        r if r.psnr is None or r.target != 128 else r._replace(psnr=r.psnr - 1, ms_ssim=0.123)
        for r in before.values()
    ]
    write(path, wrong)
    assert run(images, results, "webp", "128", "--again") == 0
    after = {r.key: r for r in read(path)}
    assert {k: (r.psnr, r.ms_ssim) for k, r in after.items()} == {
        k: (r.psnr, r.ms_ssim) for k, r in before.items()
    }


@pytest.mark.parametrize("named", ["a set", "a folder"])
def test_rows_where_there_can_be_no_folder_are_refused(
    named: str, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").touch()
    pictures = "scikit-image" if named == "a set" else images
    assert run(pictures, tmp_path / "file", OURS, "20") == 1
    assert "cannot make the folder" in capsys.readouterr().err
