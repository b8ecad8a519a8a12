"""The `tokcodec` command, as it is typed."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tokcodec
from tokcodec import weights
from tokcodec.cli import main
from tokcodec.model import Model


def photo(name: str = "chelsea", side: int = 48) -> Image.Image:
    image = Image.fromarray(getattr(data, name)())
    image.thumbnail((side, side))
    return image


def run(*args: object) -> int:
    return main([str(a) for a in args])


def names(folder: Path) -> list[str]:
    """Every file below, with its folders."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def pixels(picture: Path | bytes | Image.Image) -> np.ndarray:
    if isinstance(picture, Image.Image):
        return np.asarray(picture)
    with Image.open(picture if isinstance(picture, Path) else io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB"))


def one_line(text: str) -> str:
    """The only line on stderr, told to be ours."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("tokcodec: ")
    return lines[0]


class Stdin:
    """What `sys.stdin` is when bytes are piped in."""

    def __init__(self, contents: bytes) -> None:
        self.buffer = io.BytesIO(contents)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a picture and a stream of it."""
    monkeypatch.chdir(tmp_path)
    photo().save("cat.png")
    (tmp_path / "cat.tkc").write_bytes(tokcodec.encode(photo(), 60))
    return tmp_path


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `in` of pictures, some of them in folders inside."""
    monkeypatch.chdir(tmp_path)
    for name, at in [("chelsea", "cat.png"), ("coffee", "a/cup.JPG"), ("rocket", "a/b/rocket.bmp")]:
        (tmp_path / "in" / at).parent.mkdir(parents=True, exist_ok=True)
        photo(name).save(tmp_path / "in" / at)
    (tmp_path / "in" / "a" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a model that is not shipped and not yet known."""
    arrays = {k: v.copy() for k, v in tokcodec.load().model.arrays.items()}
    arrays["centroids"].flat[0] += 1
    path = tmp_path / "own.safetensors"
    path.write_bytes(Model("own", arrays).save_bytes())
    monkeypatch.setattr(weights, "_opened", {})
    return path


# ---- encode


def test_encode_writes_beside_the_picture(folder: Path, capsys) -> None:
    (folder / "cat.tkc").unlink()
    assert run("encode", "cat.png", "-b", 40) == 0
    assert (folder / "cat.tkc").read_bytes() == tokcodec.encode(folder / "cat.png", 40)
    assert names(folder) == ["cat.png", "cat.tkc"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ([], {}),
        (["--budget", 25], {"budget": 25}),
        (["-m", 50], {"max_bytes": 50}),
        (["--max-bytes", 50, "-b", 10], {"max_bytes": 50, "budget": 10}),
        (["--psnr", 22.5], {"psnr": 22.5}),
        (["--model", "pyramid", "-b", 9], {"budget": 9}),
    ],
)
def test_encode_with_limits(folder: Path, options: list, limits: dict) -> None:
    assert run("encode", "cat.png", "-o", "out.tkc", *options) == 0
    assert (folder / "out.tkc").read_bytes() == tokcodec.encode(folder / "cat.png", **limits)


def test_encode_on_a_background(folder: Path) -> None:
    image = photo().convert("RGBA")
    image.putalpha(90)
    image.save("ghost.png")
    assert run("encode", "ghost.png", "-b", 40, "--background", "255,0,10") == 0
    wanted = tokcodec.encode(image, 40, background=(255, 0, 10))
    assert (folder / "ghost.tkc").read_bytes() == wanted != tokcodec.encode(image, 40)


def test_a_psnr_out_of_reach_is_a_warning(folder: Path, capsys) -> None:
    assert run("encode", "cat.png", "-o", "full.tkc", "--psnr", 100) == 0
    assert "warning" in one_line(capsys.readouterr().err)
    assert tokcodec.info((folder / "full.tkc").read_bytes()).complete


def test_encode_makes_missing_folders(folder: Path) -> None:
    assert run("encode", "cat.png", "-b", 5, "-o", "new/deep/cat.tkc") == 0
    assert "new/deep/cat.tkc" in names(folder)


@pytest.mark.parametrize("out", ["there", "there/"])
def test_encode_into_a_folder(folder: Path, out: str) -> None:
    (folder / "there").mkdir()
    assert run("encode", "cat.png", "-b", 5, "-o", out) == 0
    assert names(folder / "there") == ["cat.tkc"]


def test_a_trailing_slash_means_a_folder(folder: Path) -> None:
    assert run("encode", "cat.png", "-b", 5, "-o", "new/") == 0
    assert names(folder / "new") == ["cat.tkc"]


def test_several_files_into_a_folder(folder: Path) -> None:
    photo("coffee").save("cup.png")
    assert run("encode", "cat.png", "cup.png", "-b", 5, "-o", "out") == 0
    assert names(folder / "out") == ["cat.tkc", "cup.tkc"]
    assert (folder / "out/cup.tkc").read_bytes() == tokcodec.encode(folder / "cup.png", 5)


def test_trees_are_recreated_there_and_back(tree: Path, capsys) -> None:
    assert run("encode", "in", "-b", 30, "-o", "streams") == 0
    assert names(tree / "streams") == ["a/b/rocket.tkc", "a/cup.tkc", "cat.tkc"]
    assert run("decode", "streams", "-o", "pictures") == 0
    assert names(tree / "pictures") == ["a/b/rocket.png", "a/cup.png", "cat.png"]
    assert run("cut", "streams", "-m", 14, "-o", "short") == 0
    assert names(tree / "short") == names(tree / "streams")
    for name in names(tree / "streams"):
        stream = (tree / "streams" / name).read_bytes()
        assert (tree / "short" / name).read_bytes() == stream[:14]
        picture = (tree / "pictures" / name).with_suffix(".png")
        assert np.array_equal(pixels(picture), pixels(tokcodec.decode(stream)))
    assert capsys.readouterr() == ("", "")


def test_a_folder_without_out_is_filled_in_place(tree: Path) -> None:
    assert run("encode", "in", "-b", 5) == 0
    wanted = ["a/b/rocket.bmp", "a/b/rocket.tkc", "a/cup.JPG", "a/cup.tkc", "a/notes.txt"]
    assert names(tree / "in") == [*wanted, "cat.png", "cat.tkc"]


def test_two_pictures_never_become_one_stream(tree: Path, capsys) -> None:
    photo("rocket").save("in/cat.jpg")
    for options in (["-o", "out"], ["-o", "out", "-f"], ["-f"], []):
        assert run("encode", "in", "-b", 5, *options) == 1
        assert one_line(capsys.readouterr().err)
        assert not list(tree.rglob("*.tkc"))


def test_two_pictures_of_one_name_are_refused(tree: Path, capsys) -> None:
    photo("rocket").save("cat.png")
    assert run("encode", "cat.png", "in/cat.png", "-b", 5, "-o", "out") == 1
    said = one_line(capsys.readouterr().err)
    assert "cat.png and in/cat.png would both be written to out/cat.tkc" in said
    assert not (tree / "out").exists()


def test_an_empty_folder_is_told(folder: Path, capsys) -> None:
    (folder / "empty").mkdir()
    for command in ("encode", "decode", "info"):
        assert run(command, "empty") == 1
        assert "holds no file" in one_line(capsys.readouterr().err)


# ---- decode and cut


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".PNG", ".tiff"])
def test_decode_to_a_named_file(folder: Path, suffix: str) -> None:
    assert run("decode", "cat.tkc", "-o", f"back{suffix}") == 0
    wanted = tokcodec.decode((folder / "cat.tkc").read_bytes())
    assert np.array_equal(pixels(folder / f"back{suffix}"), pixels(wanted))


@pytest.mark.parametrize("suffix", [".bmp", "bmp"])
def test_decode_with_a_suffix(folder: Path, suffix: str) -> None:
    assert run("decode", "cat.tkc", "--suffix", suffix) == 0
    with Image.open(folder / "cat.bmp") as image:
        assert image.format == "BMP"


@pytest.mark.parametrize("frame", ["20x20", "20X1000", "1x1", "999x999"])
def test_decode_into_a_frame(folder: Path, frame: str) -> None:
    assert run("decode", "cat.tkc", "--size", frame, "-o", "small.png") == 0
    wanted = photo()
    wanted.thumbnail(tuple(int(v) for v in frame.lower().split("x")))
    with Image.open(folder / "small.png") as image:
        assert image.size == wanted.size


def test_cut_as_encode(folder: Path) -> None:
    assert run("cut", "cat.tkc", "-b", 20, "-o", "short.tkc") == 0
    assert (folder / "short.tkc").read_bytes() == tokcodec.encode(photo(), 20)
    assert run("cut", "cat.tkc", "-m", 20, "-f") == 0
    assert (folder / "cat.tkc").read_bytes() == tokcodec.encode(photo(), max_bytes=20)


def test_cut_wants_a_limit(folder: Path, capsys) -> None:
    assert run("cut", "cat.tkc", "-o", "short.tkc") == 1
    assert "--max-bytes" in one_line(capsys.readouterr().err)


def test_a_model_of_ones_own(folder: Path, own: Path, monkeypatch, capsys) -> None:
    assert run("encode", "cat.png", "-b", 30, "--model", own, "-o", "own.tkc") == 0
    stream = (folder / "own.tkc").read_bytes()
    assert tokcodec.info(stream).header_bytes == 12
    monkeypatch.setattr(weights, "_opened", {})
    assert run("decode", "own.tkc", "-o", "no.png") == 1
    assert tokcodec.load(own).model.id[:8] in one_line(capsys.readouterr().err)
    monkeypatch.setattr(weights, "_opened", {})
    assert run("decode", "own.tkc", "-o", "yes.png", "--model", own) == 0
    assert not (folder / "no.png").exists()
    assert np.array_equal(pixels(folder / "yes.png"), pixels(tokcodec.decode(stream, model=own)))


def test_info_and_cut_of_a_model_of_ones_own(folder: Path, own: Path, monkeypatch, capsys) -> None:
    stream = tokcodec.encode(photo(), 30, model=own)
    (folder / "own.tkc").write_bytes(stream)
    monkeypatch.setattr(weights, "_opened", {})
    assert run("info", "own.tkc", "--json", "--model", own) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "own"
    monkeypatch.setattr(weights, "_opened", {})
    assert run("cut", "own.tkc", "-m", 20, "-o", "short.tkc", "--model", own) == 0
    assert (folder / "short.tkc").read_bytes() == stream[:20]


def test_a_closed_folder_is_told_and_the_rest_goes_on(
    folder: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    closed = folder / "closed"
    closed.mkdir()
    scan = os.scandir

    def refused(path):
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert run("encode", folder, "-b", 3, "-o", tmp_path / "out") == 1
    assert str(closed) in one_line(capsys.readouterr().err)
    assert names(tmp_path / "out")
    for more in ([], ["-o", tmp_path / "out"]):
        assert run("encode", closed, "-b", 3, *more) == 1
        assert str(closed) in one_line(capsys.readouterr().err)


def test_folders_give_what_can_be_read(tmp_path: Path) -> None:
    photo().save(tmp_path / "a.png")
    for name in ("b.pdf", "c.mpg", "d.h5", "e.txt"):
        (tmp_path / name).write_bytes(b"%PDF-1.4")
    assert run("encode", tmp_path, "-b", 3, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["a.tkc"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    stream = tmp_path / os.fsdecode(b"caf\xe9.tkc")
    stream.write_bytes(tokcodec.encode(photo(), 3))
    command = [sys.executable, "-m", "tokcodec", "info", str(tmp_path)]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b"caf\xe9.tkc: 48x" in done.stdout


def test_streams_of_large_pictures_are_cut_and_told_of_when_asked_for(
    tmp_path: Path, capsys
) -> None:
    stream = tmp_path / "wide.tkc"
    picture = np.zeros((40, 50, 3), np.uint8)
    picture[:, ::7] = 200
    stream.write_bytes(tokcodec.encode(picture, 30))
    few, many = ["--max-pixels", "1999"], ["--max-pixels", "2000"]
    cut = ["cut", stream, "-b", 3, "-o", tmp_path / "cut.tkc"]
    assert run("info", stream, *few) == run(*cut, *few) == 1
    assert "max_pixels" in capsys.readouterr().err
    assert run("info", stream, *many) == run(*cut, *many) == 0


# ---- stdin and stdout


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed otherwise there")
def test_closed_stdin_and_stdout(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    photo().save(picture)

    def typed(arguments: str) -> subprocess.CompletedProcess:
        command = f"exec {sys.executable} -m tokcodec {arguments}"
        return subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, cwd=tmp_path)

    done = typed("encode p.png -b 3 >&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "p.tkc").exists()
    for arguments, said in (("info - <&-", "stdin"), ("decode p.tkc -o - >&-", "stdout")):
        done = typed(arguments)
        assert done.returncode == 1
        assert said in one_line(done.stderr)


def test_pipes(folder: Path, monkeypatch, capfdbinary) -> None:
    picture = (folder / "cat.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", Stdin(picture))
    assert run("encode", "-", "-b", 60) == 0
    stream = capfdbinary.readouterr().out
    assert stream == (folder / "cat.tkc").read_bytes()
    monkeypatch.setattr(sys, "stdin", Stdin(stream))
    assert run("cut", "-", "-b", 20, "-o", "-") == 0
    assert capfdbinary.readouterr().out == tokcodec.cut(stream, 20)
    monkeypatch.setattr(sys, "stdin", Stdin(stream))
    assert run("decode", "-", "--suffix", ".bmp", "--size", "20x20") == 0
    out = capfdbinary.readouterr().out
    assert out.startswith(b"BM")
    assert np.array_equal(pixels(out), pixels(tokcodec.decode(stream, (20, 20))))
    monkeypatch.setattr(sys, "stdin", Stdin(stream))
    assert run("info", "-", "--json") == 0
    assert json.loads(capfdbinary.readouterr().out)["bytes"] == len(stream)


def test_from_a_file_to_stdout_and_from_stdin_to_a_file(folder: Path, monkeypatch, capfdbinary):
    assert run("decode", "cat.tkc", "-o", "-") == 0
    out = capfdbinary.readouterr().out
    assert out.startswith(b"\x89PNG")
    monkeypatch.setattr(sys, "stdin", Stdin(out))
    assert run("encode", "-", "-m", 30, "-o", "piped.tkc") == 0
    assert (folder / "piped.tkc").stat().st_size == 30


def test_one_stdout_takes_one_result(folder: Path, capfdbinary) -> None:
    (folder / "dog.tkc").write_bytes((folder / "cat.tkc").read_bytes())
    for inputs in (["cat.tkc", "dog.tkc"], ["cat.tkc", "cat.tkc"], ["."]):
        assert run("cut", *inputs, "-b", 20, "-o", "-") == 1
        out, err = capfdbinary.readouterr()
        assert out == b""
        assert "stdout" in one_line(err.decode())
    (folder / "dog.tkc").unlink()
    assert run("cut", ".", "-b", 20, "-o", "-") == 0
    assert capfdbinary.readouterr().out == tokcodec.cut((folder / "cat.tkc").read_bytes(), 20)


@pytest.mark.parametrize(
    ("inputs", "out"), [(["-"], "there"), (["-"], "new/"), (["-", "cat.png"], "new")]
)
def test_stdin_has_no_name_in_a_folder(folder: Path, capsys, inputs: list, out: str) -> None:
    (folder / "there").mkdir()
    assert run("encode", *inputs, "-b", 5, "-o", out) == 1
    assert "stdin has no name" in one_line(capsys.readouterr().err)
    assert names(folder) == ["cat.png", "cat.tkc"]


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell with `tokcodec` standing for the command."""
    line = re.sub(r"\btokcodec\b", f"'{sys.executable}' -m tokcodec", command)
    root = Path(tokcodec.__file__).parent.parent
    env = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(["sh", "-c", line], cwd=folder, env=env, capture_output=True, check=False)


def test_a_real_pipe(folder: Path) -> None:
    line = "tokcodec encode - -b 60 <cat.png | tokcodec cut - -b 20 | tokcodec decode - >back.png"
    done = shell(folder, line)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    wanted = tokcodec.decode(tokcodec.cut((folder / "cat.tkc").read_bytes(), 20))
    assert np.array_equal(pixels(folder / "back.png"), pixels(wanted))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", ["info cat.tkc", "decode cat.tkc -o -"])
def test_a_full_stdout_is_one_line_and_1(folder: Path, command: str) -> None:
    done = shell(folder, f"tokcodec {command} >/dev/full")
    assert done.returncode == 1
    assert "No space left" in one_line(done.stderr.decode())


def test_a_reader_that_goes_away_is_no_traceback(folder: Path) -> None:
    many = " ".join(["cat.tkc"] * 900)
    done = shell(folder, f"tokcodec info --no-count {many} | head -1")
    assert done.stdout.startswith(b"cat.tkc: ")
    assert done.stderr == b""


# ---- info and models


def test_info_in_words(folder: Path, capsys) -> None:
    assert run("info", "cat.tkc") == 0
    out = capsys.readouterr().out
    found = tokcodec.info((folder / "cat.tkc").read_bytes())
    for part in ("cat.tkc: 48x32", "pyramid", f"{found.bytes} bytes", f"{found.tokens} tokens"):
        assert part in out
    assert out.endswith("cut\n")
    assert "grey" not in out


def test_info_tells_grey_and_complete(folder: Path, capsys) -> None:
    flat = np.full((4, 4), 77, np.uint8)
    stream = tokcodec.encode(flat, 10**6)
    (folder / "flat.tkc").write_bytes(stream)
    assert tokcodec.info(stream).complete
    assert run("info", "flat.tkc") == 0
    out = capsys.readouterr().out
    assert "4x4, grey" in out
    assert out.endswith("complete\n")


def test_info_as_json(folder: Path, capsys) -> None:
    (folder / "empty.tkc").write_bytes(tokcodec.encode(photo(), budget=0))
    assert run("info", "--json", "cat.tkc", "empty.tkc") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.pop("file") for line in lines] == ["cat.tkc", "empty.tkc"]
    assert lines[0] == tokcodec.info((folder / "cat.tkc").read_bytes()).as_dict()
    assert lines[1]["tokens"] == 0


def test_info_of_the_header_only(folder: Path, capsys) -> None:
    assert run("info", "--json", "--no-count", "cat.tkc") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["width"], found["height"]) == (48, 32)
    assert found["tokens"] is found["digits"] is found["complete"] is None
    assert run("info", "--no-count", "cat.tkc") == 0
    out = capsys.readouterr().out
    assert "tokens" not in out
    assert out.endswith("pixel)\n")


def test_info_of_a_tree(tree: Path, capsys) -> None:
    assert run("encode", "in", "-b", 5) == 0
    assert run("info", "in", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == ["in/a/b/rocket.tkc", "in/a/cup.tkc", "in/cat.tkc"]


def test_models_in_words_and_as_json(capsys) -> None:
    assert run("models") == 0
    assert capsys.readouterr().out.startswith("pyramid: ")
    assert run("models", "--json") == 0
    found, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert found["name"] == "pyramid"
    assert found["id"] == tokcodec.load().model.id


# ---- what goes wrong


def test_nothing_is_overwritten_without_f(folder: Path, capsys) -> None:
    before = (folder / "cat.tkc").read_bytes()
    assert run("encode", "cat.png", "-b", 5) == 1
    assert "cat.tkc exists already" in one_line(capsys.readouterr().err)
    assert run("decode", "cat.tkc") == 1
    assert "-f" in one_line(capsys.readouterr().err)
    assert run("cut", "cat.tkc", "-b", 5) == 1
    assert (folder / "cat.tkc").read_bytes() == before
    assert run("encode", "cat.png", "-b", 5, "-f") == 0
    assert (folder / "cat.tkc").read_bytes() == tokcodec.encode(photo(), 5)


def test_one_bad_file_does_not_stop_the_rest(folder: Path, capsys) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    photo("coffee").save("cup.png")
    assert run("encode", "bad.png", "gone.png", "cup.png", "-b", 5, "-o", "out") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("tokcodec: bad.png: ")
    assert lines[1].startswith("tokcodec: gone.png: ")
    assert names(folder / "out") == ["cup.tkc"]


LONG = "a" * 300  # no file system takes such a name


@pytest.mark.parametrize("options", [[], ["-f"], ["-o", "out"], ["-o", "out", "-f"]])
def test_a_name_too_long_does_not_stop_the_rest(folder: Path, capsys, options: list) -> None:
    photo("coffee").save("cup.png")
    assert run("encode", f"{LONG}.png", "cup.png", "-b", 5, *options) == 1
    said = one_line(capsys.readouterr().err)
    assert said.startswith(f"tokcodec: {LONG}.png: cannot ")
    assert "too long" in said
    assert len(list(folder.rglob("cup.tkc"))) == 1


def test_names_too_long_are_told_as_what_they_are(folder: Path, capsys) -> None:
    for options in ([], ["-f"]):
        assert run("encode", "cat.png", "-o", f"{LONG}.tkc", *options) == 1
        assert f"cannot write {LONG}.tkc" in one_line(capsys.readouterr().err)
    assert run("info", LONG, "cat.tkc") == 1
    out, err = capsys.readouterr()
    assert f"cannot read {LONG}" in one_line(err)
    assert out.startswith("cat.tkc: ")


def test_what_fails_at_a_file_is_not_told_of_stdout(monkeypatch, capsys) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "models")

    monkeypatch.setattr(tokcodec, "models", refuse)
    assert run("models") == 1
    assert "models: Permission denied" in one_line(capsys.readouterr().err)
    assert sys.stdout is not None


def test_one_bad_stream_does_not_stop_the_rest(folder: Path, capsys) -> None:
    (folder / "bad.tkc").write_bytes(b"\xb7T")
    (folder / "good.tkc").write_bytes((folder / "cat.tkc").read_bytes())
    assert run("decode", "bad.tkc", "gone.tkc", "good.tkc", "-o", "out") == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert names(folder / "out") == ["good.png"]
    assert run("cut", "bad.tkc", "good.tkc", "-m", 12, "-o", "short") == 1
    assert names(folder / "short") == ["good.tkc"]
    capsys.readouterr()
    assert run("info", "bad.tkc", "good.tkc") == 1
    out, err = capsys.readouterr()
    assert out.startswith("good.tkc: 48x32")
    assert "bad.tkc" in one_line(err)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["encode", "gone.png"], "gone.png: No such file"),
        (["encode", ""], "name of an input is empty"),
        (["encode", "cat.png", "-o", "x.tkc", "--model", ""], "a model is a name"),
        (["encode", "cat.png", "-o", "x.tkc", "-b", "-1"], "budget"),
        (["encode", "cat.png", "-o", "x.tkc", "-m", 3], "smaller than the header"),
        (["encode", "cat.png", "-o", "x.tkc", "--psnr", "nan"], "psnr"),
        (["encode", "cat.png", "-o", "x.tkc", "--max-pixels", 99], "48 x 32"),
        (["encode", "cat.png", "-o", "x.tkc", "--model", "nosuch"], "nosuch"),
        (["encode", "cat.png", "-o", "x.tkc", "--model", "cat.png"], "cat.png"),
        (["encode", "cat.png", "-o", "x.tkc", "--device", "cpu"], "for register tokenizers"),
        (["encode", "cat.png", "-o", "cat.tkc/x.tkc"], "cat.tkc"),
        (["decode", "cat.png", "-o", "x.png"], "no tokcodec stream"),
        (["decode", "cat.tkc", "-o", "x.png", "--max-pixels", 99], "48 x 32"),
        (["decode", "cat.tkc", "-o", "x.png", "--size", "0x9"], "0 x 9"),
        (["decode", "cat.tkc", "-o", "x.png", "--decoder", "nosuch"], "nosuch"),
        (["decode", "cat.tkc", "-o", "x.png", "--device", "tape"], "no device"),
        (["decode", "cat.tkc", "-o", "x.png", "--device", "cuda:99"], "no such CUDA device"),
        (["decode", "cat.tkc", "-o", "x.png", "--steps", 9, "--seed", 1], "--steps and --seed out"),
        (["decode", "cat.tkc", "-o", "x.nosuch"], ".nosuch"),
        (["decode", "cat.tkc", "-o", "x"], "suffix"),
        (["decode", "cat.tkc", "-o", "x/", "--suffix", ""], "suffix"),
        (["decode", "cat.tkc", "--suffix", "../../evil.png"], "suffix"),
        (["decode", "cat.tkc", "-o", "x.png", "--model", "pyramid-2"], "code 1"),
        (["info", "cat.tkc", "--model", "pyramid-2"], "another model"),
        (["cut", "cat.tkc", "-m", 20, "-o", "x.tkc", "--model", "pyramid-2"], "another model"),
        (["cut", "cat.tkc", "-m", 20], "the input itself"),
        (["export", "decoder", "--onnx", "x.txt"], ".onnx"),
        (["decode", "cat.tkc", "-o", "x.psd"], ".psd"),  # Pillow reads these, but writes none
        (["decode", "cat.tkc", "-o", "x.hdf"], ".hdf"),
        (["decode", "cat.tkc", "-o", "x.xbm"], ""),  # of black and white alone
        (["info", "gone.tkc"], "gone.tkc"),
        (["cut", "cat.tkc", "-m", 7, "-o", "x.tkc"], "smaller than the header"),
    ],
)
def test_a_failure_is_one_line_and_1(folder: Path, capsys, args: list, told: str) -> None:
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    assert run(*args) == 1
    out, err = capsys.readouterr()
    assert told in one_line(err)
    assert out == ""
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before


def test_a_picture_beyond_its_format_is_one_line(folder: Path, capsys) -> None:
    (folder / "long.tkc").write_bytes(tokcodec.encode(np.zeros((1, 16_400), np.uint8), 1))
    assert run("decode", "long.tkc", "-o", "long.webp") == 1  # WebP ends at 16,383
    assert one_line(capsys.readouterr().err)
    assert not (folder / "long.webp").exists()


def test_a_failure_to_write_leaves_nothing_half_written(folder: Path, capsys) -> None:
    resource = pytest.importorskip("resource")
    stream = (folder / "cat.tkc").read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        codes = run("encode", "cat.png", "-f"), run("decode", "cat.tkc", "-o", "big.png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert codes == (1, 1)
    assert capsys.readouterr().err.count("tokcodec: cannot write") == 2
    assert names(folder) == ["cat.png", "cat.tkc"]
    assert (folder / "cat.tkc").read_bytes() == stream


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["nosuch"],
        ["encode"],
        ["encode", "cat.png", "-b", "many"],
        ["encode", "cat.png", "--background", "1,2"],
        ["encode", "cat.png", "--background", "1,2,256"],
        ["encode", "cat.png", "--background", "red"],
        ["encode", "cat.png", "--nosuch"],
        ["decode", "cat.tkc", "--size", "20"],
        ["decode", "cat.tkc", "--size", "axb"],
        ["decode", "cat.tkc", "--size", "1x2x3"],
    ],
)
def test_wrong_usage_is_2(folder: Path, capsys, args: list[str]) -> None:
    with pytest.raises(SystemExit) as e:
        run(*args)
    assert e.value.code == 2
    assert "usage: tokcodec" in capsys.readouterr().err
    assert names(folder) == ["cat.png", "cat.tkc"]


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["encode", "--help"]])
def test_help_and_version_are_0(args: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as e:
        run(*args)
    assert e.value.code == 0
    assert "tokcodec" in capsys.readouterr().out


# ---- demo


def test_the_demo_writes_a_sheet(tmp_path: Path, capsys) -> None:
    out = tmp_path / "demo"
    assert run("demo", "-o", out, "--bytes", 64, 24, 64, "--side", 24) == 0
    table, err = capsys.readouterr()
    assert err == ""
    assert "tokcodec" in table
    assert "64 B" in table
    assert {"sheet.png", "chelsea-24.tkc", "chelsea-64.png", "rocket-64.tkc"} <= set(names(out))
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width > 3 * 24
        assert sheet.height > 5 * 3 * 18
    for file in out.glob("*.tkc"):
        size = int(file.stem.rsplit("-", 1)[1])
        assert file.stat().st_size <= size
        wanted = tokcodec.decode(file.read_bytes())
        assert np.array_equal(pixels(file.with_suffix(".png")), pixels(wanted))


def test_the_demo_refuses_what_it_cannot_show(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert run("demo", "-o", tmp_path / "new", "--bytes", 4) == 1
    assert "16 bytes" in one_line(capsys.readouterr().err)
    assert run("demo", "-o", tmp_path / "file", "--bytes", 16, "--side", 16) == 1
    assert "file" in one_line(capsys.readouterr().err)
    assert names(tmp_path) == ["file"]
