"""Files and archives to the photographs in them."""

from __future__ import annotations

import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.train.images.named import file_names
from tokcodec.errors import InputError
from tokcodec.pixels.image import to_rgb
from tokcodec.train.images import files


def test_a_tar_file_holds_what_its_folder_does(folder: Path, tar: Path) -> None:
    inside, packed = ({p.name: p for p in files.places([path])} for path in (folder, tar))
    assert len(inside) == 7
    assert inside.keys() == packed.keys()
    for name in inside:
        one, two = (files.photograph(found[name]) for found in (inside, packed))
        assert np.array_equal(np.asarray(one), np.asarray(Image.open(folder / name)))
        assert one == two
        assert inside[name].held_out == packed[name].held_out
    assert len(files.places([folder, tar, folder / file_names(True, 1)[0]])) == 15
    for name, place in inside.items():  # as tar writes the inside of a folder
        assert place._replace(name=f"./{name}").held_out == place.held_out


def test_photographs_are_what_the_encoder_sees(tmp_path: Path, photograph: Callable) -> None:
    """Of 16 bits, transparent or lying, as any camera may write them."""
    ramp = np.linspace(0, 65535, 80 * 70).reshape(70, 80).astype(np.uint16)
    clear = Image.fromarray(photograph("coffee", 80, 70)).convert("RGBA")
    clear.putalpha(0)
    lying = Image.fromarray(photograph("rocket", 80, 70))
    exif = lying.getexif()
    exif[0x0112] = 6  # orientation: on its side
    for name, image, more in (
        ("a.png", Image.fromarray(ramp), {}),
        ("b.png", clear, {}),
        ("c.png", lying, {"exif": exif}),
    ):
        image.save(tmp_path / name, **more)
        place = files.Place(tmp_path / name, name, 0, None)
        assert np.array_equal(files.photograph(place), to_rgb(tmp_path / name))
    assert files.photograph(place).size == (70, 80)


def test_what_is_no_picture_is_not_read_whole(tmp_path: Path, photograph: Callable) -> None:
    """Videos lie among photographs; in a tar file, too."""
    video, picture = tmp_path / "holiday.mov", tmp_path / "a.jpg"
    with open(video, "wb") as f:
        f.truncate(200 << 20)
    Image.fromarray(photograph("coffee", 96, 80)).save(picture)
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        tar.add(video, "holiday.mov")
        tar.add(picture, "a.jpg")
    for paths in ([video, picture], [tmp_path / "all.tar"]):
        tracemalloc.start()
        found = [files.photograph(place) for place in files.places(paths)]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found[0] is None
        assert np.array_equal(np.asarray(found[1]), np.asarray(Image.open(picture)))
        assert peak < 8 << 20


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "no.tar").write_bytes(b"no tar file" * 100)
    for name in ("nowhere", "nowhere.tar", "no.tar"):
        with pytest.raises(InputError, match=name):
            files.places([tmp_path / name])


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are others there")
def test_a_folder_that_cannot_be_looked_into(folder: Path, monkeypatch) -> None:
    """It would be another run without its photographs."""
    closed, scandir = folder / "closed", os.scandir
    closed.mkdir()

    def refuse(path: object) -> object:
        if Path(os.fspath(path)) == closed:  # as root, nothing is closed
            raise PermissionError(13, "Permission denied", str(closed))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        files.places([folder])


def test_an_archive_is_told_by_what_it_holds(folder: Path, tar: Path, tmp_path: Path) -> None:
    """Whatever it is called; a compressed one is refused instead of passed over."""
    same = tmp_path / "photographs.bin"
    same.write_bytes(tar.read_bytes())
    assert [p.name for p in files.places([same])] == [p.name for p in files.places([tar])]
    packed = tmp_path / "photographs.tar.gz"
    with tarfile.open(packed, "w:gz") as f:
        f.add(folder, "photographs")
    with pytest.raises(InputError, match="compressed"):
        files.places([packed])
