"""Files are opened without trusting them, and without keeping others waiting."""

from __future__ import annotations

import io
import os
import struct
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pixels.pictures import photo, saved
from tests.pixels.profiles import profile
from tokcodec.errors import ImageTooLargeError, InputError
from tokcodec.pixels.image import suffixes, to_rgb

# A GIF of 16 x 16 pixels, whose frame is said to have 65,535 a side: readers fill it at once.
BOMB = (
    b"GIF89a" + struct.pack("<HHBBB", 16, 16, 0x80, 0, 0) + bytes(6)
    + b"\x21\xf9\x04\x08\0\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    + b"\x02\x02\x44\x01\x00\x3b"
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_size_that_is_told_late_is_refused_before_there_is_room_for_it() -> None:
    tracemalloc.start()
    with pytest.raises(ImageTooLargeError, match="1000 pixels"):
        to_rgb(BOMB, max_pixels=1000)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_the_limit_of_pillow_is_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    to_rgb(saved(photo(), "PNG"), max_pixels=5000)
    with pytest.raises(ImageTooLargeError):
        to_rgb(saved(photo(), "PNG"), max_pixels=1000)
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_program_is_no_picture() -> None:
    """EPS would have Ghostscript run."""
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(InputError, match="EPS"):
        to_rgb(text)
    assert ".eps" not in suffixes()


class Slow(io.RawIOBase):
    """An upload that stops after its first bytes, until it is let go on."""

    def __init__(self, data: bytes) -> None:
        self._file, self.begun, self.on = io.BytesIO(data), threading.Event(), threading.Event()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self.begun.set()
        self.on.wait(30)
        return self._file.readinto(buffer)


def test_nobody_waits_for_a_slow_file() -> None:
    data = saved(photo(), "PNG")
    slow, found = Slow(data), []
    thread = threading.Thread(target=lambda: found.append(to_rgb(slow)))
    before = Image.MAX_IMAGE_PIXELS
    thread.start()
    assert slow.begun.wait(30)
    assert before == Image.MAX_IMAGE_PIXELS
    mine = to_rgb(data)  # while the other is waiting
    assert not found
    slow.on.set()
    thread.join(30)
    assert np.array_equal(found[0], mine)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path, data = tmp_path / "pipe", saved(photo(), "PNG")
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    assert np.array_equal(to_rgb(path), to_rgb(data))
    writer.join(30)


def test_open_files_are_read_from_their_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(photo(), "PNG"))
    with path.open("rb") as f:
        f.read(10)
        assert np.array_equal(to_rgb(f), to_rgb(path))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_have_profiles_too(kind: str) -> None:
    """Whatever their depth, greys of one profile look alike."""
    grey = photo().convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    straight = profile(b"GRAY", {})
    plain, found = (to_rgb(saved(image, kind, icc_profile=straight)) for image in (grey, deep))
    assert np.array_equal(plain, found)
    assert np.abs(plain.astype(int) - to_rgb(grey)).max() > 20


@pytest.mark.parametrize("mode", ["I", "I;16"])
def test_transparency_that_deep_pictures_cannot_have(mode: str) -> None:
    image = photo()
    image.info["transparency"] = (1, 2, 3)  # of the picture that it was made from
    deep = image.convert("L").convert(mode)
    deep.info["transparency"] = (1, 2, 3)
    assert to_rgb(deep).shape == (image.height, image.width, 3)


def test_what_interpolation_overshoots_is_no_fault() -> None:
    one = np.ones((8, 8, 3), np.float32)
    assert to_rgb(one + np.float32(1e-7)).min() == 255
    with pytest.raises(InputError, match=r"1\.0001"):
        to_rgb(one * np.float32(1.0001))
