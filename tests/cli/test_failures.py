"""What goes wrong is one line and an exit status, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

import tokcodec
from tests.cli.typed import names, one_line, photo, run


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


def test_what_is_no_stream_is_told_before_what_is_there(folder: Path, capsys) -> None:
    photo().save("cat.jpg")
    assert run("decode", "cat.jpg") == 1
    assert "this is a picture (JPEG)" in one_line(capsys.readouterr().err)


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
        (["decode", "cat.png", "-o", "x.png"], "a picture (PNG), no stream: encode it first"),
        (
            ["decode", "cat.tkc", "x.png"],
            "x.png is no input; to give the result that name: -o x.png",
        ),
        (["encode", "cat.png", "x.tkc"], "to give the result that name: -o x.tkc"),
        (["cut", "cat.png", "-m", 20], "this is a picture (PNG)"),
        (["encode", "cat.png", "cat.tkc"], "to give the result that name: -o cat.tkc"),
        (["cut", "cat.tkc", "x.tkc", "-m", 20], "to give the result that name: -o x.tkc"),
        (
            ["encode", "cat.png", "-o", "x.jpg"],
            "x.jpg is the name of a picture: name the stream x.tkc",
        ),
        (["cut", "cat.tkc", "-m", 20, "-o", "x.png"], "name the stream x.tkc"),
        (["encode", "cat.png", "-o", "x.tkc", "--fit", "crop"], "pyramid-3 takes pictures of any"),
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
        (["decode", "cat.tkc", "-o", "x.png", "--model", "pyramid-2"], "by pyramid-3"),
        (["info", "cat.tkc", "--model", "pyramid-2"], "another model"),
        (["cut", "cat.tkc", "-m", 20, "-o", "x.tkc", "--model", "pyramid-2"], "another model"),
        (["cut", "cat.tkc", "-m", 20], "shorten it in its place with -f"),
        (["export", "decoder", "--onnx", "x.txt"], ".onnx"),
        (["decode", "cat.tkc", "-o", "x.psd"], ".psd"),  # Pillow reads these, but writes none
        (["decode", "cat.tkc", "-o", "x.hdf"], ".hdf"),
        (["decode", "cat.tkc", "-o", "x.xbm"], ""),  # of black and white alone
        (["info", "gone.tkc"], "gone.tkc"),
        (["encode", "cat.tkc", "-o", "x.tkc"], "a stream already: `tokcodec cut` shortens it"),
        (["encode", "cat.tkc"], "a stream already: `tokcodec cut` shortens it"),
        (["encode", "cat.png", "-o", "cat.png/x.tkc"], "it is a file"),
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


@pytest.mark.parametrize(
    "args",
    [
        ["encode", "cat.png", "-o", ""],
        ["decode", "cat.tkc", "-o", ""],
        ["cut", "cat.tkc", "-b", 5, "-o", ""],
        ["bundle", "cat.tkc", "-o", ""],
        ["unbundle", "many.tkb", "-o", ""],
        ["demo", "-o", ""],
        ["serve", ""],
        ["receive", "--from", "udp://127.0.0.1:0", "-o", ""],
        ["send", "--to", "udp://127.0.0.1:9", "--watch", ""],
    ],
)
def test_a_name_that_is_empty_is_not_the_working_folder(folder: Path, capsys, args: list) -> None:
    before = names(folder)
    with pytest.raises(SystemExit, match="2"):
        run(*args)
    assert "the name is empty" in capsys.readouterr().err
    assert names(folder) == before


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


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("--qualty", "--quality"),
        ("--max_bytes", "--max-bytes"),
        ("--bytes", "--max-bytes"),
        ("--modell=x", "--model"),
    ],
)
def test_an_option_that_is_misspelt_is_told(wrong: str, meant: str, folder: Path, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("encode", "cat.png", wrong, 100, "-o", "x.tkc")
    said = capsys.readouterr().err
    assert "usage: tokcodec encode" in said
    assert f"is {meant} meant?" in said


def test_what_is_like_no_option_is_not_taken_for_one(folder: Path, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("encode", "cat.png", "--bogus")
    assert "meant" not in capsys.readouterr().err


def test_a_folder_may_be_called_as_a_stream(folder: Path) -> None:
    (folder / "more.tkc").mkdir()
    photo().save(folder / "more.tkc" / "dog.png")
    assert run("encode", "cat.png", "more.tkc", "-b", 5, "-f") == 0
    assert (folder / "more.tkc" / "dog.tkc").exists()


def test_a_stream_of_its_header_alone_is_told(folder: Path, capsys) -> None:
    assert run("encode", "cat.png", "-m", 8, "-o", "x.tkc") == 0
    assert "header alone" in one_line(capsys.readouterr().err)
    assert run("encode", "cat.png", "-m", 9, "-o", "y.tkc") == 0
    assert capsys.readouterr().err == ""
    given = ["--psnr", 15, "--reference", "cat.tkc"]  # of which nothing has changed
    assert run("encode", "cat.png", "-o", "z.tkc", *given) == 0
    assert capsys.readouterr().err == ""


def test_a_bundle_is_no_picture(folder: Path, capsys) -> None:
    assert run("bundle", "cat.tkc", "-o", "b.tkb") == 0
    assert run("encode", "b.tkb", "-o", "x.tkc") == 1
    assert "tokcodec unbundle" in one_line(capsys.readouterr().err)
