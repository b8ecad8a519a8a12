"""The suffix .tkc in Pillow."""

from __future__ import annotations

import copy
import io
import pickle
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError
from skimage import data

import tokcodec
from tokcodec import registry
from tokcodec.errors import ArgumentError, InputError, TokCodecError, UnknownModelError
from tokcodec.registry import DEFAULT
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header


@pytest.fixture(autouse=True)
def registered(own_pillow: None) -> None:
    tokcodec.register_pillow()


def photo(side: int = 64) -> Image.Image:
    image = Image.fromarray(data.coffee())
    image.thumbnail((side, side))
    return image


def opened(stream: bytes) -> Image.Image:
    return Image.open(io.BytesIO(stream))


def same(one: Image.Image, other: Image.Image) -> bool:
    """Pixel for pixel; Pillow's own == compares `info`, too."""
    return one.mode == other.mode and np.array_equal(np.asarray(one), np.asarray(other))


def announcing(width: int, height: int) -> bytes:
    """A stream that is nothing but a header."""
    model = tokcodec.load().model
    return headers.write(Header(registry.code_of(model)[0], width, height), model.sha256)


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_, **__):
        raise AssertionError("decoded")

    monkeypatch.setattr(tokcodec, "decode", refuse)
    monkeypatch.setattr(tokcodec.Codec, "decode", refuse)


def test_opening_reads_the_header_only(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_decoding(monkeypatch)
    with opened(announcing(8000, 6000)) as image:
        assert image.size == (8000, 6000)
        assert (image.mode, image.format) == ("RGB", "TOKCODEC")
        assert image.info["model"] == DEFAULT
        assert "tokens" not in image.info


def test_opening_by_path(tmp_path: Path) -> None:
    file = tmp_path / "photo.tkc"
    file.write_bytes(tokcodec.encode(photo(), 40))
    with Image.open(file) as image:
        assert image.get_format_mimetype() == "image/vnd.tokcodec"
        assert same(image, tokcodec.decode(file.read_bytes()))


def test_loading_decodes_and_fills_info() -> None:
    stream = tokcodec.encode(photo(), 40)
    image = opened(stream)
    image.load()
    wanted = tokcodec.info(stream)
    assert same(image, tokcodec.decode(stream))
    assert image.info == {"model": DEFAULT, "tokens": wanted.tokens, "complete": False}
    assert wanted.tokens is not None
    assert wanted.tokens >= 40


def test_the_file_is_closed_once_loaded(tmp_path: Path) -> None:
    file = tmp_path / "photo.tkc"
    file.write_bytes(tokcodec.encode(photo(), 40))
    image = Image.open(file)
    handle = image.fp
    assert handle is not None
    image.load()
    assert handle.closed
    assert image.getpixel((0, 0)) == tokcodec.decode(file.read_bytes()).getpixel((0, 0))
    image.load()


def test_a_handle_of_the_caller_stays_open() -> None:
    handle = io.BytesIO(tokcodec.encode(photo(), 40))
    Image.open(handle).load()
    assert not handle.closed


@pytest.mark.parametrize("options", [{"budget": 30}, {"max_bytes": 50}, {"psnr": 20.0}])
def test_saving_with_a_limit(options: dict, tmp_path: Path) -> None:
    file = tmp_path / "photo.tkc"
    photo().save(file, **options)
    assert file.read_bytes() == tokcodec.encode(photo(), **options)


def test_saving_to_a_handle_and_with_a_background() -> None:
    image = photo().convert("RGBA")
    image.putalpha(100)
    out = io.BytesIO()
    image.save(out, "TOKCODEC", budget=30, background=(255, 0, 0))
    assert out.getvalue() == tokcodec.encode(image, 30, background=(255, 0, 0))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "I;16", "F"])
def test_saving_other_modes(mode: str, tmp_path: Path) -> None:
    image = photo().convert("I").convert(mode) if mode == "I;16" else photo().convert(mode)
    if mode == "F":
        image = image.point(lambda v: v * (1 / 255) + 0)
    image.save(tmp_path / "photo.tkc", budget=10)
    assert Image.open(tmp_path / "photo.tkc").size == image.size


def test_a_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TokCodecError):
        photo().save(tmp_path / "photo.tkc", max_bytes=3)
    with pytest.raises(InputError):
        Image.new("F", (4, 4), 7.0).save(tmp_path / "photo.tkc")
    assert list(tmp_path.iterdir()) == []


def test_round_trip_through_a_file(tmp_path: Path) -> None:
    photo().save(tmp_path / "photo.tkc", psnr=30)
    with Image.open(tmp_path / "photo.tkc") as image:
        error = np.asarray(image).astype(float) - np.asarray(photo())
    assert 10 * np.log10(255**2 / (error**2).mean()) >= 29.99


# ---- damage


@pytest.mark.parametrize(
    "garbage", [b"", b"\xb7", b"\xb7T", b"\xb7T" + bytes(30), b"\xb7TKB" + bytes(30), b"text" * 9]
)
def test_garbage_is_not_recognised(garbage: bytes) -> None:
    with pytest.raises(UnidentifiedImageError):
        opened(garbage)


def test_a_damaged_header_is_not_recognised() -> None:
    stream = bytearray(tokcodec.encode(photo(), 40))
    stream[5] ^= 4
    with pytest.raises(UnidentifiedImageError):
        opened(bytes(stream))


def test_a_truncated_stream_loads() -> None:
    stream = tokcodec.encode(photo(), 80)
    for n in range(8, len(stream), 7):
        image = opened(stream[:n])
        image.load()
        assert image.size == photo().size
        assert same(image, tokcodec.decode(stream[:n]))
        assert image.info["complete"] is False
        assert image.info["tokens"] == tokcodec.info(stream[:n]).tokens


def test_verify_passes_a_sound_stream_and_tells_damage() -> None:
    stream = tokcodec.encode(photo(), 40)
    opened(stream).verify()
    handle = io.BytesIO(stream)
    image = Image.open(handle)
    handle.seek(5)
    handle.write(bytes((stream[5] ^ 4,)))
    with pytest.raises(TokCodecError, match="damaged"):
        image.verify()


def test_a_bomb_is_refused_when_opened() -> None:
    with pytest.raises(Image.DecompressionBombError):
        opened(announcing(65_536, 65_536))


def test_pictures_inside_have_the_limit_of_who_opened_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "a.tkc"
    path.write_bytes(tokcodec.encode(photo(), max_bytes=60))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert len(tokcodec.encode(path, max_bytes=40, max_pixels=None)) <= 40


def test_a_file_keeps_its_header(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="bare"):
        photo().save(tmp_path / "a.tkc", budget=8, bare=True)


def test_large_pictures_open_where_pillow_lets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = announcing(12_000, 9_000)  # more than tokcodec decodes unasked
    seen = []
    small = photo()
    monkeypatch.setattr(
        tokcodec, "info", lambda *_, **how: (seen.append(how), told(*_, count=False))[1]
    )
    monkeypatch.setattr(tokcodec, "decode", lambda *_, **how: (seen.append(how), small)[1])
    told = tokcodec.load().info
    for limit, passed in ((None, None), (60_000_000, 120_000_000)):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        seen.clear()
        with pytest.warns(Image.DecompressionBombWarning) if limit else nullcontext():
            image = opened(wide)
        image._size = small.size  # type: ignore[attr-defined]
        image.load()
        assert [how["max_pixels"] for how in seen if "max_pixels" in how] == [passed, passed]


def test_a_stream_of_a_model_that_is_not_loaded_says_so() -> None:
    stream = headers.write(Header(registry.HASHED, 8, 8, hash=b"abcd"), b"abcd" + bytes(28))
    with pytest.raises(UnknownModelError, match="61626364"):
        opened(stream)


# ---- smaller


def test_thumbnail_has_the_usual_size() -> None:
    stream = tokcodec.encode(photo(100), 60)
    for frame in [(10, 10), (33, 50), (64, 64), (99, 20), (100, 100), (1, 1), (500, 500)]:
        found, wanted = opened(stream), tokcodec.decode(stream)
        found.thumbnail(frame)
        wanted.thumbnail(frame)
        assert found.size == wanted.size
        error = np.asarray(found).astype(float) - np.asarray(wanted)
        assert np.abs(error).mean() < 8


@pytest.mark.parametrize(
    ("size", "frame"), [((405, 540), (14, 19)), ((615, 728), (117, 182)), ((3, 401), (50, 50))]
)
def test_thumbnail_of_awkward_shapes(size: tuple[int, int], frame: tuple[int, int]) -> None:
    stream = tokcodec.encode(Image.new("RGB", size, (9, 99, 200)), 5)
    found, wanted = opened(stream), Image.new("1", size)
    found.thumbnail(frame)
    wanted.thumbnail(frame)
    assert found.size == wanted.size


def test_thumbnail_does_not_decode_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = tokcodec.decode

    def watching(stream: bytes, size=None, **options):
        asked.append(size)
        return real(stream, size, **options)

    monkeypatch.setattr(tokcodec, "decode", watching)
    image = opened(announcing(8000, 6000))
    image.thumbnail((60, 60))
    assert image.size == (60, 45)
    assert len(asked) == 1
    assert max(asked[0]) <= 240


def test_draft_then_load() -> None:
    stream = tokcodec.encode(photo(100), 60)
    image = opened(stream)
    image.draft(None, (20, 20))
    assert image.size < (100, 67)
    assert min(image.size) >= 20
    promised = image.size
    image.load()
    assert image.size == promised
    assert np.asarray(image).shape == (promised[1], promised[0], 3)
    assert same(image, tokcodec.decode(stream, promised))


def test_draft_never_enlarges_and_comes_too_late_once_loaded() -> None:
    image = opened(tokcodec.encode(photo(), 30))
    assert image.draft(None, (1000, 1000)) is None
    assert image.size == photo().size
    image.load()
    assert image.draft(None, (8, 8)) is None
    assert image.size == photo().size


# ---- as any other image


@pytest.mark.parametrize("loaded", [False, True])
def test_an_opened_stream_can_be_copied_and_sent(loaded: bool) -> None:
    stream = tokcodec.encode(photo(), 30)
    wanted = tokcodec.decode(stream)
    for send in (copy.copy, copy.deepcopy, lambda i: pickle.loads(pickle.dumps(i))):
        image = opened(stream)
        if loaded:
            image.load()
        sent = send(image)
        assert same(sent, wanted)
        assert same(sent.resize((8, 8)), wanted.resize((8, 8)))


def test_an_opened_stream_can_be_encoded_again() -> None:
    stream = tokcodec.encode(photo(), 30)
    assert tokcodec.encode(stream, 30) == tokcodec.encode(tokcodec.decode(stream), 30)


def test_registering_again_is_harmless(tmp_path: Path) -> None:
    tokcodec.register_pillow()
    assert Image.registered_extensions()[".tkc"] == "TOKCODEC"
    photo().save(tmp_path / "photo.tkc", budget=5)
    assert Image.open(tmp_path / "photo.tkc").size == photo().size
