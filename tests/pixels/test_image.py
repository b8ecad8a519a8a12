"""Everything a person may hand in as a picture, and everything that is refused."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features
from skimage import data

import tokcodec
from tokcodec.errors import ArgumentError, ImageTooLargeError, InputError, TokCodecError
from tokcodec.pixels.image import is_grey, to_rgb


def photo(side: int = 40) -> Image.Image:
    """A small colour photograph, wider than high."""
    image = Image.fromarray(data.chelsea())
    image.thumbnail((side, side))
    return image


def see_through(mode: str = "RGBA") -> Image.Image:
    """A photograph that fades away from left to right."""
    image = photo()
    ramp = np.linspace(0, 255, image.width).astype(np.uint8)
    image.putalpha(Image.fromarray(np.tile(ramp, (image.height, 1))))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def laid(image: Image.Image, background: tuple[int, int, int] = (255, 255, 255)) -> np.ndarray:
    """What alpha blending in floating point gives."""
    rgba = np.asarray(image.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + np.array(background) * (1 - alpha)


def assert_near(found: np.ndarray, wanted: np.ndarray, by: float) -> None:
    assert found.dtype == np.uint8
    assert found.shape == wanted.shape
    assert np.abs(found.astype(float) - wanted).max() <= by


# ---- modes


@pytest.mark.parametrize("mode", ["RGB", "RGBX", "CMYK", "YCbCr", "HSV"])
def test_colour_modes_are_converted(mode: str) -> None:
    image = photo().convert(mode)
    assert np.array_equal(to_rgb(image), np.asarray(image.convert("RGB")))


def test_an_rgb_picture_is_taken_as_it_is() -> None:
    assert np.array_equal(to_rgb(photo()), np.asarray(photo()))


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_modes_give_three_equal_channels(mode: str) -> None:
    image = photo().convert(mode)
    found = to_rgb(image)
    assert np.array_equal(found, np.asarray(image.convert("L").convert("RGB")))
    assert is_grey(found)


def test_palette_without_transparency() -> None:
    image = photo().quantize(16)
    assert np.array_equal(to_rgb(image), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_alpha_is_seen_over_white(mode: str) -> None:
    image = see_through() if mode != "PA" else photo().quantize(16).convert("PA")
    image = image.convert(mode)
    assert_near(to_rgb(image), laid(image), 1)


@pytest.mark.parametrize(("mode", "plain"), [("La", "LA"), ("RGBa", "RGBA")])
def test_premultiplied_alpha_is_seen_over_white(mode: str, plain: str) -> None:
    image = see_through(plain)
    assert_near(to_rgb(image.convert(mode)), laid(image), 2)


@pytest.mark.parametrize("background", [(0, 0, 0), (10, 200, 30), [255, 0, 255]])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_over_a_background(mode: str, background: tuple[int, int, int]) -> None:
    image = see_through(mode)
    assert_near(to_rgb(image, background), laid(image, background), 1)


def test_the_first_column_is_all_background_and_the_last_all_picture() -> None:
    found = to_rgb(see_through(), (1, 2, 3))
    assert (found[:, 0] == (1, 2, 3)).all()
    assert np.array_equal(found[:, -1], np.asarray(photo())[:, -1])


def test_opaque_alpha_changes_nothing() -> None:
    assert np.array_equal(to_rgb(photo().convert("RGBA"), (9, 9, 9)), np.asarray(photo()))


def test_palette_with_one_transparent_colour() -> None:
    image = photo().quantize(8)
    image.info["transparency"] = 3
    holes = np.asarray(image) == 3
    found = to_rgb(image, (1, 2, 3))
    assert holes.any()
    assert (found[holes] == (1, 2, 3)).all()
    assert np.array_equal(found[~holes], np.asarray(image.convert("RGB"))[~holes])


def test_palette_with_an_alpha_for_each_colour() -> None:
    image = photo().quantize(8)
    image.info["transparency"] = bytes(range(0, 256, 32))
    assert_near(to_rgb(image, (0, 0, 255)), laid(image, (0, 0, 255)), 1)
    assert_near(to_rgb(saved(image, "PNG"), (0, 0, 255)), laid(image, (0, 0, 255)), 1)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_png_with_one_transparent_colour(mode: str) -> None:
    image = photo().convert(mode)
    colour = image.getpixel((5, 5))
    found = to_rgb(saved(image, "PNG", transparency=colour), (1, 2, 3))
    pixels = np.asarray(image).reshape(image.height, image.width, -1)
    holes = (pixels == colour).all(-1)
    assert holes[5, 5]
    assert (found[holes] == (1, 2, 3)).all()
    assert np.array_equal(found[~holes], np.asarray(image.convert("RGB"))[~holes])


def test_png_of_16_bits_with_one_transparent_value() -> None:
    values = deep()
    found = to_rgb(saved(Image.fromarray(values), "PNG", transparency=int(values[5, 5])), (1, 2, 3))
    holes = values == values[5, 5]
    assert (found[holes] == (1, 2, 3)).all()
    assert np.array_equal(found[~holes], to_rgb(values)[~holes])


def deep() -> np.ndarray:
    """16-bit values that use the whole range."""
    return (np.asarray(photo().convert("L")).astype(np.uint32) * 257).astype(np.uint16)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_16_bits_are_scaled_to_8(mode: str) -> None:
    image = Image.fromarray(deep())
    if mode == "I":
        image = Image.fromarray(deep().astype(np.int32))
    elif mode == "I;16B":
        image = Image.frombytes("I;16B", image.size, deep().astype(">u2").tobytes())
    assert image.mode == mode
    found = to_rgb(image)
    assert np.array_equal(found[..., 0], np.asarray(photo().convert("L")))
    assert is_grey(found)


def test_a_16_bit_png_file() -> None:
    found = to_rgb(saved(Image.fromarray(deep()), "PNG"))
    assert np.array_equal(found[..., 0], np.asarray(photo().convert("L")))


def test_a_float_picture() -> None:
    grey = np.asarray(photo().convert("L"))
    image = Image.fromarray(grey.astype(np.float32) / 255)
    assert image.mode == "F"
    assert np.array_equal(to_rgb(image)[..., 0], grey)


@pytest.mark.parametrize("value", [-1, 65536])
def test_an_integer_picture_beyond_16_bits_is_refused(value: int) -> None:
    with pytest.raises(InputError):
        to_rgb(Image.new("I", (4, 4), value))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_float_picture_outside_0_to_1_is_refused(value: float) -> None:
    with pytest.raises(InputError):
        to_rgb(Image.new("F", (4, 4), value))


# ---- orientation and colour profiles

UPRIGHT = {  # from the picture as stored to the picture as seen
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "turned.png"
    photo().save(file, exif=exif)
    wanted = UPRIGHT[orientation](np.asarray(photo()))
    assert np.array_equal(to_rgb(file), wanted)
    with Image.open(file) as image:
        assert np.array_equal(to_rgb(image), wanted)
    stream = tokcodec.encode(file, budget=10)
    assert tokcodec.decode(stream).size == (wanted.shape[1], wanted.shape[0])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_unreadable_exif_does_not_lose_the_picture(kind: str) -> None:
    file = saved(photo(), kind, exif=b"Exif\0\0no TIFF header here")
    with Image.open(io.BytesIO(file)) as image:
        wanted = np.asarray(image.convert("RGB"))
    assert np.array_equal(to_rgb(file), wanted)


def xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in (x, y, z))


def profile(space: bytes, primaries: dict[bytes, tuple[float, float, float]]) -> bytes:
    """A small ICC profile, version 2.1, whose curves are straight lines (linear light)."""
    curve = b"curv" + bytes(8)
    name = b"linear\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        **{k: xyz(*v) for k, v in primaries.items()},
        **dict.fromkeys((b"kTRC",) if space == b"GRAY" else (b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        table += key + struct.pack(">II", at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = bytearray(128)
    head[8:12] = b"\2\x10\0\0"
    head[12:24] = b"mntr" + space + b"XYZ "
    head[36:40] = b"acsp"
    head[68:80] = xyz(0.9642, 1.0, 0.8249)[8:]
    whole = bytes(head) + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


SRGB_PRIMARIES = {  # adapted to D50
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}


def from_linear(array: np.ndarray) -> np.ndarray:
    """sRGB's own formula (IEC 61966-2-1)."""
    x = array / 255
    return 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def test_a_linear_rgb_profile_is_converted_to_srgb() -> None:
    file = saved(photo(), "PNG", icc_profile=profile(b"RGB ", SRGB_PRIMARIES))
    wanted = from_linear(np.asarray(photo()))
    assert np.abs(wanted - np.asarray(photo())).max() > 50
    assert_near(to_rgb(file), wanted, 3)


def test_an_rgb_profile_with_red_and_blue_exchanged_is_converted_to_srgb() -> None:
    swapped = {b"rXYZ": SRGB_PRIMARIES[b"bXYZ"], b"bXYZ": SRGB_PRIMARIES[b"rXYZ"]}
    file = saved(photo(), "PNG", icc_profile=profile(b"RGB ", SRGB_PRIMARIES | swapped))
    assert_near(to_rgb(file), from_linear(np.asarray(photo()))[..., ::-1], 3)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_converted_and_the_picture_stays_grey(mode: str) -> None:
    image = photo().convert(mode)
    found = to_rgb(saved(image, "PNG", icc_profile=profile(b"GRAY", {})))
    grey = np.asarray(photo().convert("L"))
    assert_near(found, from_linear(np.stack([grey] * 3, -1)), 3)
    assert is_grey(found)


def test_a_profile_is_used_below_alpha_too() -> None:
    image = see_through()
    found = to_rgb(saved(image, "PNG", icc_profile=profile(b"RGB ", SRGB_PRIMARIES)), (0, 0, 0))
    rgba = np.asarray(image).astype(float)
    wanted = from_linear(rgba[..., :3]) * rgba[..., 3:] / 255
    assert_near(found, wanted, 3)


def test_a_lab_picture_is_converted_through_its_profile() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(photo(), srgb, lab, outputMode="LAB")
    assert image is not None
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(lab).tobytes()
    assert_near(to_rgb(image), np.asarray(photo()), 8)


def test_an_srgb_profile_leaves_the_pixels_unchanged() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = to_rgb(saved(photo(), "PNG", icc_profile=srgb))
    assert np.array_equal(found, np.asarray(photo()))


@pytest.mark.parametrize(
    "broken",
    [
        b"no profile at all",
        profile(b"RGB ", SRGB_PRIMARIES)[:140],
        profile(b"GRAY", {}),
        bytes(200),
    ],
    ids=["text", "cut off", "of a grey picture", "zeros"],
)
def test_an_unusable_profile_is_ignored(broken: bytes) -> None:
    found = to_rgb(saved(photo(), "PNG", icc_profile=broken))
    assert np.array_equal(found, np.asarray(photo()))


# ---- arrays and tensors


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1)])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "bool", "float16", "float32", "float64"])
def test_grey_arrays(kind: str, shape: tuple[int, ...]) -> None:
    white = {"uint8": 255, "uint16": 65535}.get(kind, 1)
    array = np.zeros(shape, kind)
    array[1:3] = white
    found = to_rgb(array)
    assert found.shape == (6, 9, 3)
    assert is_grey(found)
    assert (found[1:3] == 255).all()
    assert found.sum() == 2 * 9 * 3 * 255


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "float64"])
def test_colour_arrays(kind: str) -> None:
    pixels = np.asarray(photo())
    array = {
        "uint8": pixels,
        "uint16": pixels.astype(np.uint16) * 257,
        "float32": pixels.astype(np.float32) / 255,
        "float64": pixels / 255,
    }[kind]
    assert np.array_equal(to_rgb(array), pixels)


def test_uint16_arrays_are_rounded() -> None:
    array = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(to_rgb(array)[..., 0], np.rint(array / 257).astype(np.uint8))


def test_arrays_of_the_other_byte_order() -> None:
    pixels = np.asarray(photo())
    assert np.array_equal(to_rgb((pixels.astype(">u2") * 257).astype(">u2")), pixels)
    assert np.array_equal(to_rgb((pixels / 255).astype(">f4")), pixels)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_arrays_with_alpha(kind: str) -> None:
    image = see_through()
    pixels = np.asarray(image)
    array = {
        "uint8": pixels,
        "uint16": pixels.astype(np.uint16) * 257,
        "float32": pixels.astype(np.float32) / 255,
    }[kind]
    assert_near(to_rgb(array), laid(image), 0.51)
    assert_near(to_rgb(array, (10, 200, 30)), laid(image, (10, 200, 30)), 0.51)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1, ::2],
        lambda a: a.transpose(1, 0, 2),
        lambda a: np.asfortranarray(a),
        lambda a: a[..., ::-1],
        lambda a: np.broadcast_to(a[:1], a.shape),
    ],
    ids=["strided", "transposed", "fortran", "bgr", "broadcast"],
)
def test_arrays_that_are_not_contiguous(view) -> None:
    array = view(np.asarray(photo()))
    assert not array.flags.c_contiguous
    assert np.array_equal(to_rgb(array), array)
    assert tokcodec.encode(array, 20) == tokcodec.encode(np.ascontiguousarray(array), 20)


def test_a_read_only_array_is_fine() -> None:
    array = np.array(photo())
    array.flags.writeable = False
    assert tokcodec.encode(array, 20) == tokcodec.encode(photo(), 20)


def test_what_is_handed_in_is_not_changed() -> None:
    array, image = np.array(see_through()), see_through()
    before = array.copy()
    tokcodec.encode(array, 20, background=(0, 0, 0))
    tokcodec.encode(image, 20, background=(0, 0, 0))
    assert np.array_equal(array, before)
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image), before)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "float64", "bfloat16"])
def test_tensors_have_channels_first(kind: str) -> None:
    torch = pytest.importorskip("torch")
    pixels = np.asarray(photo())
    tensor = torch.from_numpy(pixels.copy()).movedim(-1, 0)
    if kind == "uint16":
        tensor = (tensor.to(torch.int32) * 257).to(torch.uint16)
    elif kind != "uint8":
        tensor = (tensor.double() / 255).to(getattr(torch, kind))
    by = 1 if kind == "bfloat16" else 0  # eight bits of mantissa
    assert_near(to_rgb(tensor), pixels, by)


def test_tensors_of_one_and_four_channels_and_of_none() -> None:
    torch = pytest.importorskip("torch")
    image = see_through()
    rgba = torch.from_numpy(np.array(image)).movedim(-1, 0)
    assert_near(to_rgb(rgba, (0, 0, 0)), laid(image, (0, 0, 0)), 0.51)
    assert np.array_equal(to_rgb(rgba[:1])[..., 1], np.asarray(image)[..., 0])
    assert np.array_equal(to_rgb(rgba[1])[..., 0], np.asarray(image)[..., 1])


def test_a_tensor_with_a_gradient_is_fine() -> None:
    torch = pytest.importorskip("torch")
    assert (to_rgb(torch.ones(3, 5, 4, requires_grad=True)) == 255).all()


@pytest.mark.parametrize("shape", [(2, 5, 5), (1, 3, 5, 5), (5,), (0, 5, 5), (3, 0, 5), (8, 8, 3)])
def test_tensors_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError):
        to_rgb(torch.zeros(shape))


@pytest.mark.parametrize("kind", ["int64", "int8", "complex64"])
def test_tensors_of_other_types_are_refused(kind: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError):
        to_rgb(torch.zeros(3, 4, 4, dtype=getattr(torch, kind)))


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), 255.0])
def test_floats_outside_0_to_1_are_refused(value: float) -> None:
    array = np.zeros((4, 4, 3))
    array[2, 2, 1] = value
    with pytest.raises(InputError, match=r"finite|lie in"):
        to_rgb(array)


@pytest.mark.parametrize(
    "shape", [(), (5,), (5, 5, 2), (5, 5, 5), (1, 5, 5, 3), (3, 5, 5), (0, 5), (5, 0, 3), (0, 0)]
)
def test_arrays_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        to_rgb(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "kind", ["int8", "int16", "int64", "uint32", "complex64", "O", "U1", "M8[s]"]
)
def test_arrays_of_other_types_are_refused(kind: str) -> None:
    with pytest.raises(InputError, match="uint8"):
        to_rgb(np.zeros((4, 4), kind))


@pytest.mark.parametrize("thing", [None, 5, [[1, 2], [3, 4]], object(), {"a": 1}])
def test_other_things_are_refused(thing: object) -> None:
    with pytest.raises(InputError, match="path, bytes or an open file"):
        to_rgb(thing)


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_transparency_that_does_not_fit_the_mode(mode: str) -> None:
    image = photo().convert(mode)
    image.info["transparency"] = b"\x00\xff"  # which palettes have
    with pytest.raises(InputError, match="cannot be read"):
        to_rgb(image)


def test_premultiplied_grey_with_transparency() -> None:
    image = photo().convert("L").convert("LA").convert("La")
    plain = to_rgb(image)
    image.info["transparency"] = 7
    assert np.array_equal(to_rgb(image), plain)


@pytest.mark.parametrize(
    "background",
    [(1, 2), (1, 2, 3, 4), (0, 0, 256), (-1, 0, 0), (0.5, 0, 0), "red", None, 7, np.array(5)],
)
def test_a_background_that_is_no_colour_is_refused(background: object) -> None:
    with pytest.raises(ArgumentError, match="background"):
        to_rgb(photo(), background)  # type: ignore[arg-type]


# ---- files


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".ppm", ".tga"])
def test_files_by_path(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"a picture{suffix}"
    photo().save(file)
    assert np.array_equal(to_rgb(file), np.asarray(photo()))
    assert np.array_equal(to_rgb(str(file)), np.asarray(photo()))


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_files_as_bytes(kind: str, form: type) -> None:
    file = saved(photo(), kind)
    with Image.open(io.BytesIO(file)) as image:
        assert np.array_equal(to_rgb(form(file)), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (12, 8), colour) for colour in ("red", "lime", "blue")]
    exact = {"lossless": True} if kind == "WEBP" else {}
    file = saved(frames[0], kind, save_all=True, append_images=frames[1:], **exact)
    with Image.open(io.BytesIO(file)) as image:
        assert image.n_frames == 3
    assert (to_rgb(file) == (255, 0, 0)).all()


def test_r_g_b_alike_become_grey_in_the_stream() -> None:
    grey = photo().convert("L").convert("RGB")
    assert tokcodec.info(tokcodec.encode(grey, 10)).grey
    assert tokcodec.encode(grey, 10) == tokcodec.encode(photo().convert("L"), 10)
    nearly = np.array(grey)
    nearly[-1, -1, 2] ^= 1
    assert not tokcodec.info(tokcodec.encode(nearly, 10)).grey


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.png does not exist"):
        to_rgb(tmp_path / "nowhere.png")


@pytest.mark.parametrize(
    "contents", [b"", b"\0", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_unreadable_files_are_refused(contents: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(contents)
    with pytest.raises(InputError, match=r"broken\.png cannot be read"):
        to_rgb(file)
    with pytest.raises(InputError, match="cannot be read"):
        to_rgb(contents)


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        to_rgb(tmp_path)


@pytest.mark.parametrize("path", ["", "a\0b", "a" * 5000])
def test_impossible_paths_are_refused(path: str) -> None:
    with pytest.raises(InputError):
        to_rgb(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    file = saved(photo(), kind)
    with pytest.raises(InputError, match="read"):
        to_rgb(file[: len(file) // 2])


def test_a_truncated_file_that_the_caller_opened_is_refused() -> None:
    with pytest.raises(InputError, match="truncated"):
        to_rgb(Image.open(io.BytesIO(saved(photo(), "JPEG")[:-200])))


DAMAGED_KINDS = ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "JPEG2000", "DDS", "AVIF"]


@pytest.mark.parametrize("kind", DAMAGED_KINDS)
def test_damaged_files_give_a_picture_or_our_own_error(kind: str) -> None:
    if (kind == "AVIF" and not features.check("avif")) or (
        kind == "JPEG2000" and not features.check("jpg_2000")
    ):
        pytest.skip(f"Pillow without {kind}")
    file, rng = saved(photo(16), kind), random.Random(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about EXIF and the like
        for _ in range(200):
            damaged = bytearray(file)
            for _ in range(rng.choice((1, 2, 5))):
                at = rng.randrange(min(len(file), 200))
                damaged[at] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
            if rng.random() < 0.3:
                damaged = damaged[: rng.randrange(len(damaged))]
            with contextlib.suppress(TokCodecError):
                assert to_rgb(bytes(damaged), max_pixels=100_000).ndim == 3


# ---- sizes


def announced(width: int, height: int) -> bytes:
    """A PNG file that says it is this large, and ends before its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"\x78\x9c")


def test_a_large_file_is_refused_before_its_pixels_are_read() -> None:
    with pytest.raises(ImageTooLargeError, match="max_pixels"):
        to_rgb(announced(9000, 9000), max_pixels=80_000_000)
    with pytest.raises(InputError):  # small enough: now its pixels are missed
        to_rgb(announced(90, 90), max_pixels=8100)


def test_encode_refuses_large_pictures_unless_told_otherwise() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the limit is ours: no warning of Pillow's on top
        with pytest.raises(ImageTooLargeError):
            tokcodec.encode(announced(10_000, 10_000))
    with pytest.raises(ImageTooLargeError):
        tokcodec.encode(np.broadcast_to(np.uint8(7), (10_000, 10_000)))
    with pytest.raises(ImageTooLargeError):
        tokcodec.encode(photo(), 10, max_pixels=40)
    assert tokcodec.encode(photo(), 10, max_pixels=None) == tokcodec.encode(photo(), 10)


def test_the_limit_itself_is_allowed() -> None:
    pixels = photo().width * photo().height
    assert to_rgb(photo(), max_pixels=pixels).shape[2] == 3
    with pytest.raises(ImageTooLargeError):
        to_rgb(photo(), max_pixels=pixels - 1)


def test_the_limit_is_ours_and_pillows_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond twice its own limit Pillow would refuse the file."""
    original = photo()
    file = saved(original, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(to_rgb(file), np.asarray(original))
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(ImageTooLargeError, match="more than 1000000000 pixels"):
        to_rgb(announced(60_000, 60_000), max_pixels=10**9)
    with pytest.raises(InputError):
        to_rgb(b"no picture")
    assert Image.MAX_IMAGE_PIXELS == 100


def test_filters_of_warnings_stay_when_many_threads_read() -> None:
    file, before = saved(photo(), "PNG"), list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(to_rgb, [file] * 200))
    assert warnings.filters == before


@pytest.mark.parametrize("shape", [(1, 65_537), (65_537, 1)])
def test_a_side_beyond_the_format_is_too_large(shape: tuple[int, int]) -> None:
    with pytest.raises(ImageTooLargeError, match="65536"):
        to_rgb(np.zeros(shape, np.uint8))
    assert to_rgb(np.zeros(shape, np.uint8)[:65_536, :65_536]).size == 3 * 65_536


def test_one_pixel_is_a_picture() -> None:
    stream = tokcodec.encode(np.array([[[200, 30, 90]]], np.uint8), max_bytes=100)
    assert tokcodec.decode(stream).size == (1, 1)
    assert_near(np.asarray(tokcodec.decode(stream)), np.array([[[200, 30, 90]]]), 2)


def test_an_open_file_is_as_good_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    photo().save(path)
    with path.open("rb") as file:
        assert np.array_equal(to_rgb(file), to_rgb(path))
        assert not file.closed
    with (tmp_path / "text").open("w+b") as file, pytest.raises(InputError, match="cannot be read"):
        to_rgb(file)
