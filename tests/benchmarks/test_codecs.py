"""Every codec keeps size and limits at odd sizes; what is our own agrees with what is published."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks.codecs import NAMES, find, parse_settings, settings_text
from benchmarks.codecs import blurhash as blur
from benchmarks.codecs.jpeg import slim
from benchmarks.codecs.jpeg2000 import without_comment
from benchmarks.codecs.ladder import Ladder
from benchmarks.codecs.memo import Memo
from benchmarks.codecs.pillow import opened, saved
from benchmarks.pictures import KODAK, pictures
from tokcodec.errors import ArgumentError
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT


def find_or_skip(name):
    """The codec, with fewer scales than usual: AVIF and JPEG XL take their time."""
    try:
        codec = find(name)
    except ArgumentError as e:
        pytest.skip(str(e))
    if hasattr(codec, "scales"):
        codec.scales = (1.0, 0.25, 0.125)
    return codec


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (53, 37)])
def test_any_size_comes_back_from_any_file(name, size, photograph):
    codec = find_or_skip(name)
    image = Image.fromarray(photograph("coffee", *size))
    smallest = codec.smallest(image)
    assert not list(codec.fitting(image, smallest - 1))
    for full_size in (False, True):
        files = list(codec.fitting(image, 600, full_size))
        assert files
        for settings, data in files:
            assert smallest <= len(data) <= 600
            assert parse_settings(settings_text(settings)) == settings
            assert not full_size or settings.get("scale", 1) == 1
        settings, data = files[0]
        assert codec.encode(image, settings) == data
        picture = codec.decode(data, size)
        assert picture.mode == "RGB"
        assert picture.size == size


@pytest.mark.parametrize("name", NAMES)
def test_more_bytes_show_more(name, photograph):
    codec, pixels = find_or_skip(name), photograph("chelsea", 64, 48)
    image = Image.fromarray(pixels)
    best = []
    for limit in (codec.smallest(image), 1500):
        found = [codec.decode(data, image.size) for _, data in codec.fitting(image, limit)]
        best.append(max(psnr(np.asarray(picture), pixels) for picture in found))
    few, many = best
    if name in ("thumbhash", "blurhash"):  # made for the fewest bytes
        assert 15 < few <= many < 30
    else:
        assert few > 12
        assert many > 29


def test_another_picture_of_the_same_size_is_not_mistaken(photograph):
    codec = find("webp")
    one, two = (Image.fromarray(photograph(n, 40, 30)) for n in ("coffee", "chelsea"))
    first = list(codec.fitting(one, 200))
    assert {data for _, data in codec.fitting(two, 200)}.isdisjoint(data for _, data in first)
    assert list(codec.fitting(one, 200)) == first


@pytest.mark.parametrize(
    "spec", ["png", "webp:90", "", "tokcodecs", "tokcodec:nowhere", "tokcodec:pyramid@magic"]
)
def test_an_unknown_codec_is_refused_by_name(spec):
    with pytest.raises(ArgumentError) as e:
        find(spec)
    assert f'codec "{spec}"' in str(e.value)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(ArgumentError, match="pip install pillow-jxl-plugin"):
        find("jxl")
    monkeypatch.setattr("PIL.features.check", lambda name: False)
    with pytest.raises(ArgumentError, match="pip install --upgrade pillow"):
        find("webp")


# ---- somebody's own

OWN = """
class Mean:
    name, version, searched = "NAME:make", "1", False

    def encode(self, image, settings):
        return bytes(image.resize((1, 1)).getpixel((0, 0)))

    def decode(self, data, size):
        return Image.new("RGB", size, tuple(data))

    def fitting(self, image, max_bytes, full_size=False):
        if max_bytes >= 3:
            yield {}, self.encode(image, {})

    def smallest(self, image, full_size=False):
        return 3

make = another = Mean
fails = lambda: 1 / 0
nothing = lambda: None

def of(spec, **more):
    return type("Wrong", (Mean,), {"name": "NAME:" + spec} | more)()

unversioned = lambda: of("unversioned", version="")
unsure = lambda: of("unsure", searched="no")
mute = lambda: of("mute", encode=None, smallest=None)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module with codecs, in the working folder."""
    name = f"own_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(
        "from PIL import Image\n" + OWN.replace("NAME", name), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


def test_a_codec_of_ones_own(own, astronaut):
    codec, image = find(f"{own}:make"), Image.fromarray(astronaut)
    [(settings, data)] = codec.fitting(image, 24)
    assert codec.decode(data, image.size).size == image.size
    assert settings == {}


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("missing", "no attribute"),
        ("fails", "ZeroDivisionError"),
        ("nothing", "another name or none"),
        ("another", "another name or none"),
        ("unversioned", "version"),
        ("unsure", "searched"),
        ("mute", "no method encode, smallest"),
    ],
)
def test_what_is_wrong_with_a_codec_of_ones_own_is_said(function, said, own):
    with pytest.raises(ArgumentError, match=said) as e:
        find(f"{own}:{function}")
    assert f'codec "{own}:{function}"' in str(e.value)


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ArgumentError, match=r'codec "no.such.thing:make": ModuleNotFoundError'):
        find("no.such.thing:make")


def test_names_of_this_benchmark_are_no_modules(tmp_path, monkeypatch):
    (tmp_path / "webp.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ArgumentError, match="no codec"):
        find("webp:make")
    assert find("tokcodec:pyramid@linear").version.startswith("tokcodec ")


# ---- tokcodec itself


def test_tokcodec_names_its_model_and_decoder(astronaut):
    codec, image = find("tokcodec:pyramid@linear"), Image.fromarray(astronaut)
    identity = tokcodec.load("pyramid").model.id[:8]
    assert codec.name == "tokcodec:pyramid@linear"
    assert codec.version == f"tokcodec {tokcodec.__version__}, model {identity}, linear"
    [(settings, data)] = codec.fitting(image, 100)
    assert data == tokcodec.encode(astronaut, max_bytes=100, model="pyramid")
    decoded = tokcodec.decode(data, decoder="linear")
    assert codec.decode(data, image.size).tobytes() == decoded.tobytes()
    assert settings == {"max_bytes": 100}


@pytest.mark.parametrize("spec", ["tokcodec", "tokcodec:default", "tokcodec@linear"])
def test_no_model_is_the_default_one(spec):
    assert tokcodec.load("default").model.id[:8] in find_or_skip(spec).version


@pytest.mark.parametrize("spec", ["tokcodec:pyramid", "tokcodec:pyramid@realism=0"])
def test_the_linear_decoder_is_not_called_the_network(spec, monkeypatch):
    monkeypatch.setattr("tokcodec.decoders.best_way", lambda: None)
    with pytest.raises(ArgumentError, match=r"torch or ONNX Runtime.*tokcodec:pyramid@linear"):
        find(spec)
    assert find("tokcodec:pyramid@linear").version.endswith("linear")


def test_a_path_may_hold_what_separates_elsewhere(tmp_path):
    shipped = Path(tokcodec.__file__).parent / "weights" / f"{DEFAULT}.safetensors"
    path = tmp_path / "a@b:c.safetensors"
    path.write_bytes(shipped.read_bytes())
    assert find(f"tokcodec:{path}@decoder=linear").version == find("tokcodec@linear").version


def test_a_trained_decoder_is_told_from_another(tmp_path):
    pytest.importorskip("torch")
    from tokcodec.decoders.network import Network, Shape
    from tokcodec.decoders.torch_file import write

    path, versions = tmp_path / "mine.safetensors", []
    for width in (4, 5):
        write(path, Network(Shape((width,), (1,), 8)), {})
        versions.append(find(f"tokcodec:pyramid@{path}").version)
        assert versions[-1] == find(f"tokcodec:pyramid@decoder={path}").version
    assert versions[0] != versions[1]


def test_an_exported_decoder_and_one_run_by_name_are_told_apart(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from tokcodec import cli, decoders
    from tokcodec.decoders.network import Network, Shape
    from tokcodec.decoders.torch_file import write

    path = tmp_path / "mine.onnx"
    monkeypatch.setattr(decoders, "SHIPPED", tmp_path / "shipped.safetensors")
    write(decoders.SHIPPED, Network(Shape((4,), (1,), 8)), {})
    assert cli.main(["export", "decoder", "--onnx", str(path)]) == 0
    drawn = [find(f"tokcodec:pyramid@{way}").version for way in ("auto", "onnx", str(path))]
    assert ["shipped" in version for version in drawn] == [True, True, False]
    assert drawn[1] == f"{drawn[0]} by ONNX Runtime"
    assert "mine " in drawn[2]


def test_a_register_tokenizer_and_its_prior(tmp_path, astronaut):
    pytest.importorskip("torch")
    from tests.register.own.tiny import pictures as small_pictures
    from tests.register.own.tiny import taught
    from tokcodec.register.own.tokenizer import write
    from tokcodec.register.prior.file import write as write_prior
    from tokcodec.train.register.prior_tables import counted

    path, prior = tmp_path / "mine.safetensors", tmp_path / "prior.safetensors"
    tokenizer = taught()
    write(path, tokenizer, {})
    bare = tokcodec.load(path)
    digits = tokenizer.fsq.digits(tokenizer.latents(small_pictures().float() / 255))
    found = counted(digits.flatten(1).numpy().astype(np.int64), tokenizer.levels)
    write_prior(prior, found, bare.model.checkpoint.hex(), {})
    image = Image.fromarray(astronaut)
    plain, told = (find(f"tokcodec:{path}{more}") for more in ("", f"@prior={prior}@linear"))
    assert plain.version != told.version
    streams = [next(codec.fitting(image, 30))[1] for codec in (plain, told)]
    assert streams[0] != streams[1]
    assert told.decode(streams[1], image.size).size == image.size
    assert max(told.reduced(streams[1], (20, 20)).size) == 20
    assert f"({sha256(path.read_bytes()).hexdigest()[:8]})" in plain.version


def test_effort_is_of_encoding_and_told(astronaut):
    codec, image = find("tokcodec@linear@effort=1"), Image.fromarray(astronaut)
    [(_, data)] = codec.fitting(image, 100)
    assert data == tokcodec.encode(astronaut, max_bytes=100, effort=1)
    assert codec.version.endswith("linear, effort 1")


@pytest.mark.parametrize(
    "option",
    ["decoder=magic", "realism=much", "linear@linear", "effort=10", "effort=1.5", "effort=much"],
)
def test_a_wrong_option_is_refused(option):
    with pytest.raises(ArgumentError, match="codec"):
        find(f"tokcodec:pyramid@{option}")


# ---- files as small as they can be


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("quality", [1, 30, 100])
def test_a_slim_jpeg_is_the_same_picture(progressive, subsampling, quality, astronaut):
    image = Image.fromarray(astronaut)
    options = {"quality": quality, "subsampling": subsampling, "progressive": progressive}
    whole = saved(image, "JPEG", optimize=True, comment=b"hello", **options)
    small = slim(whole)
    assert len(small) <= len(whole) - 27  # JFIF segment and comment
    assert b"JFIF" not in small
    assert opened(small, "JPEG").tobytes() == opened(whole, "JPEG").tobytes()


def test_jpeg2000_without_its_comment_is_the_same_picture(astronaut):
    image = Image.fromarray(astronaut)
    whole = saved(image, "JPEG2000", no_jp2=True, irreversible=True, mct=1)
    small = without_comment(whole)
    assert len(small) < len(whole)
    assert opened(small, "JPEG2000").tobytes() == opened(whole, "JPEG2000").tobytes()


# ---- ladder and memo


def test_a_ladder_looks_across_dips_in_few_encodings():
    lengths = [int(100 * 1.05**level) for level in range(100)]
    lengths[42], asked = lengths[38], []
    ladder = Ladder(100, lambda level: asked.append(level) or lengths[level])
    assert ladder.fitting(lengths[40], above=3, below=1) == [42, 40, 39]
    assert ladder.fitting(lengths[40], above=3, below=0) == [42, 40]
    assert ladder.fitting(99, above=3, below=1) == []
    assert ladder.fitting(10**6, above=3, below=0) == [99]
    assert len(asked) == len(set(asked)) < 25


def test_a_ladder_gives_more_levels_where_files_are_of_one_length():
    ladder = Ladder(100, lambda level: 40 + 10 * (level // 20))
    assert ladder.fitting(65, above=3, below=1) == list(range(59, 46, -1))


def test_a_memo_forgets_the_oldest_and_makes_it_again():
    made = []
    memo = Memo(lambda n: made.append(n) or bytes(n), len, 10)
    assert [len(memo(n)) for n in (4, 5, 4, 6, 4)] == [4, 5, 4, 6, 4]
    assert made == [4, 5, 6, 4]


# ---- placeholders against what is published


def test_blurhash_writes_the_strings_of_its_package(photograph):
    """Strings from the package blurhash-python 1.2.2."""
    pixels = np.add.outer(np.arange(30) * 4, np.arange(40) * 3)[..., None] * [0.5, 1, 0.2]
    terms = blur.terms(pixels.astype(np.uint8))
    assert blur.encode(terms, 4, 3) == b"LO7N7OL.kTagL.o_fjfQkAfjfQfQ"
    assert blur.encode(terms, 1, 1) == b"007N7O"


@pytest.fixture(scope="module")
def kodak256():
    if not os.environ.get(KODAK):
        pytest.skip(f"{KODAK} names no folder with the Kodak pictures")
    return [load() for load in pictures("kodak256").values()]


def mean_bytes_and_psnr(name, images, **settings):
    codec, found = find(name), []
    for image in images:
        data = codec.encode(image, settings)
        picture = np.asarray(codec.decode(data, image.size))
        found.append((len(data), psnr(picture, np.asarray(image))))
    return np.mean(found, axis=0)


@pytest.mark.parametrize(
    ("name", "settings", "count", "decibels"),
    [
        ("thumbhash", {}, 24, 17.37),
        ("blurhash", {"x": 4, "y": 4}, 36, 16.6),
        ("webp", {"scale": 0.25, "quality": 0}, 163, 20.4),
        ("webp", {"scale": 1, "quality": 0}, 1126, 24.53),
    ],
)
def test_known_means_on_kodak(name, settings, count, decibels, kodak256):
    """Measured with the formats' own programs, apart from this code."""
    length, fidelity = mean_bytes_and_psnr(name, kodak256, **settings)
    assert length == pytest.approx(count, rel=0.01)
    assert fidelity == pytest.approx(decibels, abs=0.05)
