"""stdin and stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tests.cli.typed import Stdin, names, one_line, photo, pixels, run, shell


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
    small = "quantize pyramid-decoder --format mxfp4 -o small.safetensors >&-"
    some = [small] if find_spec("ml_dtypes") else []
    for arguments in ("info p.tkc >&-", "info --json p.tkc >&-", "models >&-", *some):
        done = typed(arguments)
        assert (done.returncode, done.stderr) == (0, "")
    for arguments, said in (("info - <&-", "stdin"), ("decode p.tkc -o - >&-", "stdout")):
        done = typed(arguments)
        assert done.returncode == 1
        assert said in one_line(done.stderr)


def test_letters_that_stdout_does_not_have(folder: Path) -> None:
    (folder / "cat.tkc").rename(folder / "é☃.tkc")
    command = [sys.executable, "-m", "tokcodec", "info", "é☃.tkc"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, cwd=folder, env=os.environ | {"PYTHONIOENCODING": "cp1252"}
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"\xe9\\u2603.tkc: ")


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed otherwise there")
def test_closed_stderr(folder: Path) -> None:
    """Nobody hears the warning; the work is done."""
    assert shell(folder, "tokcodec encode cat.png --psnr 99 -o full.tkc 2>&-").returncode == 0
    assert (folder / "full.tkc").exists()
    line = "tokcodec encode cat.png gone.png -b 3 -o out/ 2>&-"
    assert shell(folder, line).returncode == 1
    assert names(folder / "out") == ["cat.tkc"]


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
