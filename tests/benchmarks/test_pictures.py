"""Image sets: what is in them, and what is said of those that are not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.pictures import KODAK, pictures, set_name
from tokcodec.errors import ArgumentError, InputError, TokCodecWarning

few = pytest.mark.filterwarnings("ignore:.*of Kodak's 24 pictures")


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """kodim01.png, kodim02.png and a note."""
    image = Image.fromarray(astronaut)
    image.resize((60, 40)).save(tmp_path / "kodim01.png")
    image.resize((40, 60)).save(tmp_path / "kodim02.png")
    (tmp_path / "note.txt").write_text("no picture")
    return tmp_path


def test_the_default_set_is_of_real_colour_photographs() -> None:
    found = {name: load() for name, load in pictures("scikit-image").items()}
    assert len(found) >= 5
    for image in found.values():
        assert image.mode == "RGB"
        assert max(image.size) == 256
        assert image.info == {}
        assert np.ptp(np.asarray(image, int), axis=2).max() > 30  # not a grey one


@few
def test_kodak_is_found_by_its_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KODAK, str(folder))
    assert {k: load().size for k, load in pictures("kodak").items()} == {
        "kodim01": (60, 40),
        "kodim02": (40, 60),
    }
    assert {load().size for load in pictures("kodak256").values()} == {(256, 256)}


@few
def test_kodak256_is_the_centre_square(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    striped = np.zeros((100, 300, 3), np.uint8)
    striped[:, 100:200] = 200
    Image.fromarray(striped).save(tmp_path / "kodim01.png")
    monkeypatch.setenv(KODAK, str(tmp_path))
    assert np.all(np.asarray(pictures("kodak256")["kodim01"]())[:, 8:-8] == 200)


def test_kodak_is_its_own_files_alone_and_says_which_are_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KODAK, str(folder))
    (folder / "kodim01.png").rename(folder / "mine.png")
    with pytest.warns(TokCodecWarning, match="holds 1 of Kodak's 24 pictures"):
        assert set(pictures("kodak")) == {"kodim02"}
    (folder / "kodim02.png").unlink()
    with pytest.raises(InputError, match="no Kodak pictures"):
        pictures("kodak")


def test_a_folder_gives_its_pictures_by_path(folder: Path, astronaut: np.ndarray) -> None:
    (folder / "more").mkdir()
    Image.fromarray(astronaut).convert("LA").save(folder / "more" / "grey.png")
    found = pictures(str(folder))
    assert sorted(found) == ["kodim01.png", "kodim02.png", "more/grey.png"]
    assert found["more/grey.png"]().mode == "RGB"


@pytest.mark.parametrize("name", ["kodak", "kodak256"])
def test_kodak_elsewhere_says_what_to_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KODAK, raising=False)
    with pytest.raises(InputError, match=KODAK):
        pictures(name)


def test_an_unknown_set_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"kodak256"):
        pictures("clic")
    with pytest.raises(InputError, match="no picture"):
        pictures(str(tmp_path))


def test_rows_are_named_after_a_set_or_the_last_folder_of_a_path(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set_name("kodak256") == "kodak256"
    assert set_name(f"{folder}/") == folder.name
    monkeypatch.chdir(folder)
    assert set_name(".") == folder.name


def test_rows_of_a_folder_do_not_get_among_those_of_a_set(folder: Path, tmp_path: Path) -> None:
    named = folder / "more" / "kodak256"
    for usual in (None, tmp_path / "rows"):
        with pytest.raises(ArgumentError, match=r"named like the set kodak256.*--out"):
            set_name(str(named), usual, usual)
        assert set_name(str(named), tmp_path / "others", usual) == "kodak256"
        assert set_name("kodak256", usual, usual) == "kodak256"


@pytest.mark.parametrize(
    "command",
    ["rd", "effort", "tokens", "storage", "bandwidth", "prior", "order", "latency", "robust",
     "quality", "loss", "mx", "reference"],
)  # fmt: skip
def test_every_command_refuses_such_a_folder_first(
    command: str, folder: Path, capsys: pytest.CaptureFixture
) -> None:
    named = folder / "more" / "scikit-image"
    named.mkdir(parents=True)
    (folder / "kodim01.png").rename(named / "kodim01.png")
    given = [str(named)] if command == "reference" else ["--images", str(named)]
    assert main([command, *given]) == 1
    assert "named like the set scikit-image" in capsys.readouterr().err
