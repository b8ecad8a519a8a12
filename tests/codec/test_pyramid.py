"""What a user does: encode, decode, cut, tokenize, pack, and every promise made about it."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import tokcodec
from tokcodec import errors
from tokcodec.codec.options import DecodeOptions, EncodeOptions
from tokcodec.psnr import psnr
from tokcodec.register.codec import RegisterCodec
from tokcodec.stream import framing

FLEXTOK = ("steps", "guidance", "seed", "projected")  # what its tokenizers take besides
PHOTOGRAPHS = [("astronaut", 96, 80), ("coffee", 101, 67), ("camera", 64, 64), ("chelsea", 40, 130)]


@pytest.fixture(params=PHOTOGRAPHS, ids=lambda p: f"{p[0]}-{p[1]}x{p[2]}")
def picture(request, photograph):
    return photograph(*request.param)


def test_budget_is_the_shortest_stream_that_determines_so_many_tokens(picture):
    for budget in (1, 2, 7, 32, 200):
        data = tokcodec.encode(picture, budget=budget)
        assert tokcodec.info(data).tokens >= budget
        assert tokcodec.info(data[:-1]).tokens < budget


def test_max_bytes_is_met_to_the_byte(picture):
    for n in (8, 9, 20, 64, 222, 1000):
        assert len(tokcodec.encode(picture, max_bytes=n)) == n


def test_one_code_string_per_picture(picture):
    full = tokcodec.encode(picture, budget=10**6)
    assert tokcodec.info(full).complete
    for limit in ({"budget": 5}, {"budget": 100}, {"max_bytes": 77}, {"psnr": 24.0}, {"budget": 0}):
        data = tokcodec.encode(picture, **limit)
        assert full.startswith(data)
    assert tokcodec.encode(picture, max_bytes=10**7) == full


def test_cut_equals_encode(picture):
    full = tokcodec.encode(picture, psnr=33)
    for limit in (
        {"budget": 16},
        {"budget": 100},
        {"max_bytes": 51},
        {"budget": 64, "max_bytes": 60},
    ):
        assert tokcodec.cut(full, **limit) == tokcodec.encode(picture, **limit)
    assert tokcodec.cut(full, budget=10**6) == full
    assert tokcodec.cut(full, max_bytes=10**6) == full
    assert tokcodec.cut(tokcodec.cut(full, max_bytes=90), budget=16) == tokcodec.cut(
        full, budget=16
    )


@pytest.mark.parametrize(("model", "most"), [("pyramid", 160), ("pyramid-2", 50)])
def test_every_prefix_decodes_to_a_prefix_of_the_tokens(photograph, model, most):
    for name, width, height in (("astronaut", 64, 48), ("camera", 33, 20)):
        data = tokcodec.encode(photograph(name, width, height), max_bytes=most, model=model)
        whole = tokcodec.unpack(data)
        before = 0
        for n in range(8, len(data) + 1):
            tokens = tokcodec.unpack(data[:n])
            assert np.array_equal(tokens.ids, whole.ids[: len(tokens)])
            assert len(tokens) >= before
            before = len(tokens)
            assert tokcodec.decode(data[:n], decoder="linear").size == (width, height)


def test_psnr_is_reached_and_not_overshot(picture):
    for target in (20.0, 26.5, 31.0, 38.0):
        data = tokcodec.encode(picture, psnr=target)
        reached = psnr(np.asarray(tokcodec.decode(data, decoder="linear")), picture)
        assert reached >= target
        if reached > target + 0.1:  # then a single token makes the step
            tokens = tokcodec.info(data).tokens
            shorter = (tokcodec.cut(data, budget=k) for k in range(tokens, -1, -1))
            fewer = next(d for d in shorter if len(d) < len(data))
            assert psnr(np.asarray(tokcodec.decode(fewer, decoder="linear")), picture) < target


@pytest.mark.parametrize(
    ("name", "width", "height", "target"),
    [("chelsea", 256, 256, 20.0), ("coffee", 40, 40, 20.0), ("rocket", 60, 40, 21.0)],
)
def test_psnr_takes_no_more_than_it_needs(photograph, name, width, height, target):
    picture = photograph(name, width, height)
    data = tokcodec.encode(picture, psnr=target)
    cuts = (tokcodec.cut(data, budget=k) for k in range(tokcodec.info(data).tokens, -1, -1))
    fewer = next(d for d in cuts if len(d) < len(data))
    less, reached = (
        psnr(np.asarray(tokcodec.decode(d, decoder="linear")), picture) for d in (fewer, data)
    )
    assert target <= reached
    assert less < target or reached <= target + 0.1


def test_psnr_out_of_reach_gives_everything_and_a_warning(picture):
    with pytest.warns(tokcodec.TokCodecWarning, match="out of reach"):
        data = tokcodec.encode(picture, psnr=99)
    assert tokcodec.info(data).complete


@pytest.mark.parametrize("tighter", [{"max_bytes": 50}, {"budget": 30}, {"quality": 20}])
def test_a_psnr_out_of_reach_goes_without_saying_where_another_limit_is_tighter(picture, tighter):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = tokcodec.encode(picture, psnr=99, **tighter)
    assert not tokcodec.info(data).complete


def test_a_warning_names_the_line_that_encodes(photograph):
    picture = photograph("camera", 16, 16)
    for encode in (tokcodec.encode, tokcodec.load().encode):
        with pytest.warns(tokcodec.TokCodecWarning) as told:
            encode(picture, psnr=99)
        assert told[0].filename == __file__
    with pytest.warns(tokcodec.TokCodecWarning) as told:
        tokcodec.load().encode_batch([picture], psnr=99)
    assert told[0].filename == __file__


def test_the_tightest_limit_wins(picture):
    a = tokcodec.encode(picture, budget=20)
    b = tokcodec.encode(picture, max_bytes=500)
    c = tokcodec.encode(picture, psnr=35)
    assert tokcodec.encode(picture, budget=20, max_bytes=500, psnr=35) == min(a, b, c, key=len)


def test_without_a_limit_the_picture_looks_good(picture):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = tokcodec.encode(picture)
    assert 32 <= psnr(np.asarray(tokcodec.decode(data, decoder="linear")), picture) < 32.2


def test_more_bytes_look_better(picture):
    quality = [
        psnr(np.asarray(tokcodec.decode(tokcodec.encode(picture, max_bytes=n))), picture)
        for n in (8, 32, 128, 512, 2048)
    ]
    assert quality == sorted(quality)
    assert quality[-1] > quality[0] + 8


def test_a_header_alone_is_flat_grey(picture):
    image = tokcodec.decode(tokcodec.encode(picture, budget=0))
    assert image.size == picture.shape[1::-1]
    assert image.getextrema() == ((128, 128),) * 3


@pytest.mark.parametrize("verb", ["detokenize", "pack"])
def test_what_holds_no_tokens_is_refused(verb):
    for codec in (tokcodec, tokcodec.load("pyramid")):
        with pytest.raises(errors.ArgumentError, match="Tokens are wanted"):
            getattr(codec, verb)([1, 2, 3])


def test_tokens_there_and_back(picture):
    tokens = tokcodec.tokenize(picture, budget=256)
    assert len(tokens) == 256
    assert tokens.size == picture.shape[1::-1]
    assert tokens.vocabulary == 3**10
    data = tokcodec.encode(picture, psnr=30)
    assert tokcodec.unpack(data)[:256] == tokens[: len(tokcodec.unpack(data))]
    assert tokcodec.unpack(tokcodec.pack(tokens))[: len(tokens)] == tokens
    assert tokcodec.unpack(tokcodec.pack(tokens[:32]))[:32] == tokens[:32]
    assert tokcodec.pack(tokens[:0]) == tokcodec.encode(picture, budget=0)


def test_detokenize_draws_what_decode_draws(picture):
    tokens = tokcodec.tokenize(picture)
    full = tokcodec.encode(picture, budget=10**6)
    assert tokens == tokcodec.unpack(full)
    assert tokcodec.pack(tokens) == full
    assert tokcodec.detokenize(tokens).tobytes() == tokcodec.decode(full).tobytes()


def test_detokenize_draws_no_larger_picture_than_decode(picture):
    tokens = tokcodec.tokenize(picture, budget=2)
    huge = replace(tokens, size=(65_536, 65_536))
    for draw in (tokcodec.detokenize, lambda t: tokcodec.decode(tokcodec.pack(t))):
        with pytest.raises(errors.ImageTooLargeError):
            draw(huge)
    with pytest.raises(errors.ImageTooLargeError, match="1000"):
        tokcodec.detokenize(tokens, max_pixels=1000)
    assert tokcodec.detokenize(tokens, max_pixels=None).size == tokens.size


def test_the_last_token_has_nothing_beyond_the_picture():
    tokens = tokcodec.tokenize(np.zeros((4, 4, 3), np.uint8))
    wrong, longer = tokens.ids.copy(), np.append(tokens.ids, 0)
    wrong[-1] = 0
    with pytest.raises(errors.TokensError, match="beyond the end"):
        tokcodec.pack(replace(tokens, ids=wrong))
    with pytest.raises(errors.TokensError, match="more than a picture"):
        tokcodec.pack(replace(tokens, ids=longer))


def test_thumbnails(picture):
    data = tokcodec.encode(picture, max_bytes=400)
    whole = tokcodec.decode(data)
    for frame in ((40, 40), (17, 90), (1, 1), (1000, 1000)):
        small = tokcodec.decode(data, size=frame)
        expected = whole.copy()
        expected.thumbnail(frame)
        assert small.size == expected.size
        if min(frame) > 10:
            assert psnr(np.asarray(small), np.asarray(expected)) > 24


def test_bare_streams(picture):
    full = tokcodec.encode(picture, max_bytes=200)
    size, grey = picture.shape[1::-1], tokcodec.info(full).grey
    bare = tokcodec.encode(picture, max_bytes=192, bare=True)
    assert bare == full[8:]
    drawn = tokcodec.decode(bare, model="pyramid", original_size=size, grey=grey)
    assert drawn.tobytes() == tokcodec.decode(full).tobytes()
    sized = tokcodec.encode(picture, max_bytes=196, bare="size")
    assert sized[4:] == bare
    assert tokcodec.decode(sized, bare="size").tobytes() == drawn.tobytes()
    mirrored = tokcodec.decode(bare, bare=True, original_size=size, grey=grey)
    assert mirrored.tobytes() == drawn.tobytes()
    assert tokcodec.decode(b"", original_size=size).size == size
    many = tokcodec.load().decode_batch([bare, bare], original_size=size, grey=grey)
    assert [p.tobytes() for p in many] == [drawn.tobytes()] * 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"bare": True}, "give original_size"),
        ({"bare": "size", "original_size": (64, 64)}, "leave original_size out"),
        ({"bare": "whole"}, "bare must be"),
        ({"bare": 1}, "bare must be"),
    ],
)
def test_bare_as_it_was_not_written(picture, given, told):
    with pytest.raises(errors.ArgumentError, match=told):
        tokcodec.decode(tokcodec.encode(picture, 9, bare="size"), **given)


def test_options_are_those_of_the_codecs():
    """What editors and type checkers are told is what the verbs take."""
    for options, verb, more in (
        (EncodeOptions, "encode", ()),
        (DecodeOptions, "decode", FLEXTOK),
    ):
        taken = {
            name
            for kind in (tokcodec.Codec, RegisterCodec)
            for name, p in inspect.signature(getattr(kind, verb)).parameters.items()
            if p.kind is p.KEYWORD_ONLY
        }
        assert set(options.__annotations__) == taken | set(more)


def test_decibels_of_any_number(picture):
    for kind in (int, np.float16, np.float32, np.int64):
        assert tokcodec.encode(picture, psnr=kind(30)) == tokcodec.encode(picture, psnr=30.0)


def test_options_of_another_family_are_refused(picture):
    with pytest.raises(errors.ArgumentError, match="fit"):
        tokcodec.encode(picture, 5, fit="crop")
    for option in ({"decoder": "linear"}, {"effort": 3}, {"quality": 50}, {"psnr": 20}):
        with pytest.raises(errors.ArgumentError, match="register-small"):
            tokcodec.encode(picture, 5, model="register-small", **option)


def test_a_model_in_a_folder_that_is_closed(monkeypatch):
    def closed(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", closed)
    with pytest.raises(errors.InputError, match="Permission denied"):
        tokcodec.load("/closed/mine.safetensors")


def test_grey_pictures_carry_no_chroma(photograph):
    grey = photograph("camera", 64, 64)
    info = tokcodec.info(tokcodec.encode(grey, budget=10**6))
    assert info.grey
    tinted = grey.copy()
    tinted[0, 0, 0] ^= 8
    assert not tokcodec.info(tokcodec.encode(tinted, budget=10)).grey
    assert info.digits < 0.4 * tokcodec.info(tokcodec.encode(tinted, budget=10**6)).digits
    decoded = np.asarray(tokcodec.decode(tokcodec.encode(grey, max_bytes=300)))
    assert (decoded[..., 0] == decoded[..., 1]).all()


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 2), (2, 1), (3, 3), (1, 300), (300, 1), (5, 4), (9, 8), (30, 1000), (700, 3)],
)
def test_any_size_converges(shape):
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    data = tokcodec.encode(noise, budget=10**9)
    assert tokcodec.info(data).complete
    assert psnr(np.asarray(tokcodec.decode(data)), noise) > 42
    assert tokcodec.decode(tokcodec.encode(noise, max_bytes=12)).size == shape[::-1]


@pytest.mark.parametrize(
    "kind", ["checkerboard", "red-green", "black-white noise", "text", "photograph"]
)
def test_any_picture_converges(kind, photograph):
    board = np.indices((65, 90)).sum(0) % 2 * 255
    picture = {
        "checkerboard": np.stack([board] * 3, -1),
        "red-green": np.stack([board, 255 - board, 0 * board], -1),
        "black-white noise": np.random.default_rng(5).integers(0, 2, (60, 60, 3)) * 255,
        "text": photograph("page", 200, 100),
        "photograph": photograph("rocket", 120, 90),
    }[kind].astype(np.uint8)
    decoded = np.asarray(tokcodec.decode(tokcodec.encode(picture, budget=10**9), decoder="linear"))
    assert psnr(decoded, picture) > 46


def test_a_cut_is_even_over_the_picture(photograph):
    half = photograph("chelsea", 128, 192)
    rng = np.random.default_rng(11)
    for axis in (0, 1):
        picture = np.concatenate([half, np.flip(half, axis)], axis)
        full = tokcodec.encode(picture, psnr=34)
        for n in rng.integers(40, len(full), 10):
            decoded = np.asarray(tokcodec.decode(full[:n], decoder="linear"))
            a, b = np.split(decoded, 2, axis)
            c, d = np.split(picture, 2, axis)
            assert abs(psnr(a, c) - psnr(b, d)) < 0.3


def test_batches(photograph):
    pictures = [photograph("coffee", 50, 40), photograph("camera", 30, 60)]
    codec = tokcodec.load("pyramid")
    streams = codec.encode_batch(pictures, budget=40)
    assert streams == [tokcodec.encode(p, budget=40) for p in pictures]
    assert [i.size for i in codec.decode_batch(streams)] == [(50, 40), (30, 60)]


@pytest.mark.parametrize("model", ["pyramid", "register-small"])
def test_a_batch_is_no_single_picture(model, photograph, tmp_path):
    pytest.importorskip("torch")
    codec, picture = tokcodec.load(model), photograph("coffee", 48, 64)
    image = Image.fromarray(picture)
    for one in (picture, picture[..., 0], image, "photo.jpg", tmp_path, b"bytes", None, 5):
        with pytest.raises(errors.ArgumentError, match="not one"):
            codec.encode_batch(one, 5)
    with pytest.raises(errors.ArgumentError, match="not one bytes"):
        codec.decode_batch(codec.encode(picture, 5))
    assert codec.encode_batch(np.stack([picture] * 2), 5, 60) == [codec.encode(picture, 5, 60)] * 2
    assert codec.encode_batch([]) == []


def test_what_a_header_tells_is_not_told_again(picture):
    data = tokcodec.encode(picture, max_bytes=100)
    height, width = picture.shape[:2]
    with pytest.raises(errors.ArgumentError, match="leave grey out"):
        tokcodec.decode(data, grey=True)
    with pytest.warns(tokcodec.TokCodecWarning, match="leave original_size out"):
        tokcodec.decode(data, original_size=(width, height), decoder="linear")


@pytest.mark.parametrize(
    "wrong", [{"psnr": 10**400}, {"background": [[1], [2, 3], [4]]}, {"background": "red"}]
)
def test_values_of_any_shape_are_refused_as_what_they_are(picture, wrong):
    with pytest.raises(errors.ArgumentError, match=next(iter(wrong))):
        tokcodec.encode(picture, **wrong)


def test_views_need_not_lie_in_one_piece(picture):
    data = tokcodec.encode(picture, max_bytes=100)
    spread = memoryview(bytes(v for byte in data for v in (byte, 0)))[::2]
    assert tokcodec.info(spread).bytes == 100
    assert list(tokcodec.progressive([spread], decoder="linear"))
    with pytest.raises(errors.InputError, match="no image format"):
        tokcodec.encode(spread)


def test_a_bundle_is_told_from_a_stream(picture, tmp_path):
    tokcodec.Bundle.write(tmp_path / "b", [tokcodec.encode(picture, budget=3)])
    with pytest.raises(errors.BadMagicError, match="bundle"):
        tokcodec.decode((tmp_path / "b").read_bytes())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_draws_what_its_parent_has_drawn():
    """By fork, as multiprocessing makes children on Linux: OpenMP's threads stay behind."""
    pytest.importorskip("torch")
    code = (
        "import os, sys, numpy as np, tokcodec\n"
        "data = tokcodec.encode(np.arange(96 * 96 * 3, dtype='u1').reshape(96, 96, 3), 200)\n"
        "tokcodec.decode(data, decoder='neural')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(tokcodec.decode(data, decoder='neural').size != (96, 96))\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    env = os.environ | {"OMP_NUM_THREADS": "2"}
    assert subprocess.run([sys.executable, "-c", code], env=env, timeout=200).returncode == 0


def test_info_counts_or_reads_the_header_alone(astronaut):
    data = tokcodec.encode(astronaut, budget=100)
    info = tokcodec.info(data)
    assert (info.model, info.width, info.height) == ("pyramid", 96, 80)
    assert info.tokens == info.digits // 10 >= 100
    assert info.bytes == len(data)
    assert info.bits_per_pixel == pytest.approx(8 * len(data) / (96 * 80))
    assert info.complete is False
    quick = tokcodec.info(data, count=False)
    assert (quick.tokens, quick.digits, quick.complete) == (None, None, None)
    assert (quick.width, quick.bytes) == (96, len(data))


def test_models_are_listed_and_loaded():
    pyramid, *_ = tokcodec.models()
    assert (pyramid.name, pyramid.code, pyramid.vocabulary) == ("pyramid", 1, 59049)
    assert tokcodec.load().model is tokcodec.load("pyramid").model
    with pytest.raises(errors.UnknownModelError, match="no model 'nosuch'"):
        tokcodec.load("nosuch")


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "a/" * 3000])
def test_what_no_model_can_be_called(name):
    with pytest.raises(errors.ArgumentError, match="a model is a name or a path"):
        tokcodec.load(name)


@pytest.mark.parametrize(
    "limit",
    [
        {"budget": -1},
        {"budget": 1.5},
        {"max_bytes": True},
        {"psnr": -3},
        {"psnr": "a"},
        {"psnr": True},
        {"psnr": np.complex64(30)},
        {"quality": np.complex64(30)},
    ],
)
def test_senseless_limits(astronaut, limit):
    with pytest.raises(errors.ArgumentError):
        tokcodec.encode(astronaut, **limit)


def test_numbers_of_numpy_are_numbers(astronaut):
    data = tokcodec.encode(astronaut, budget=100)
    assert tokcodec.encode(astronaut, budget=np.uint8(100)) == data
    assert tokcodec.cut(data, np.uint8(26)) == tokcodec.cut(data, 26)
    assert tokcodec.cut(data, max_bytes=np.uint8(90)) == data[:90]
    assert len(tokcodec.tokenize(astronaut, np.int16(4000))) == len(
        tokcodec.tokenize(astronaut, 4000)
    )


def test_max_bytes_below_the_header(astronaut):
    with pytest.raises(errors.ArgumentError, match="smaller than the header"):
        tokcodec.encode(astronaut, max_bytes=7)
    with pytest.raises(errors.ArgumentError, match="smaller than the header"):
        tokcodec.cut(tokcodec.encode(astronaut, max_bytes=70), max_bytes=7)


@pytest.mark.parametrize("model", [5, 3.5, b"pyramid", ["pyramid"], "", "x" * 5000, "a\0b"])
def test_what_names_no_model(astronaut, model):
    data = tokcodec.encode(astronaut, budget=4)
    for call in (tokcodec.load, lambda m: tokcodec.encode(astronaut, model=m)):
        with pytest.raises(errors.ArgumentError, match="a model is a name or a path"):
            call(model)
    with pytest.raises(errors.ArgumentError, match="a model is a name or a path"):
        tokcodec.decode(data, model=model)
    assert tokcodec.encode(astronaut, budget=4, model=None) == data


def test_a_limit_of_pixels_is_a_number(astronaut):
    data = tokcodec.encode(astronaut, budget=4)
    for call in (
        lambda m: tokcodec.encode(astronaut, max_pixels=m),
        lambda m: tokcodec.decode(data, max_pixels=m),
    ):
        with pytest.raises(errors.ArgumentError, match="max_pixels is a number"):
            call("many")
        with pytest.raises(errors.ArgumentError, match="max_pixels is a number"):
            call(float("nan"))


def test_bombs_are_refused_before_anything_large_is_made(astronaut):
    head = framing.head(tokcodec.load("pyramid").model, (40000, 40000), grey=True)
    with pytest.raises(errors.ImageTooLargeError, match="max_pixels"):
        tokcodec.decode(head)
    with pytest.raises(errors.ImageTooLargeError):
        tokcodec.decode(head, size=(10, 10))
    with pytest.raises(errors.ImageTooLargeError):
        tokcodec.cut(head, budget=10)
    assert tokcodec.cut(head, max_bytes=100) == head  # nothing needs counting
    assert tokcodec.info(head, count=False).width == 40000


def test_unknown_decoder_and_size(astronaut):
    data = tokcodec.encode(astronaut, budget=5)
    with pytest.raises(errors.ArgumentError, match="no decoder"):
        tokcodec.decode(data, decoder="crayon")
    for size in ((0, 5), (5,), "big"):
        with pytest.raises(errors.ArgumentError):
            tokcodec.decode(data, size=size)
    with pytest.raises(errors.ArgumentError, match="bytes"):
        tokcodec.decode("not bytes")
    with pytest.raises(errors.ArgumentError, match="bytes"):
        tokcodec.load().cut("not bytes", 5)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_bytes_give_a_picture_or_a_tokcodec_error(astronaut, data):
    good = tokcodec.encode(astronaut, max_bytes=120)
    kind = data.draw(st.sampled_from(["random", "flip", "tail", "splice"]))
    if kind == "random":
        bad = data.draw(st.binary(max_size=60))
    elif kind == "flip":
        bits = data.draw(st.lists(st.integers(0, 8 * len(good) - 1), min_size=1, max_size=4))
        number = int.from_bytes(good, "big")
        for bit in bits:
            number ^= 1 << bit
        bad = number.to_bytes(len(good), "big")
    elif kind == "tail":
        bad = good[: data.draw(st.integers(0, 60))] + data.draw(st.binary(max_size=40))
    else:
        bad = good[:8] + data.draw(st.sampled_from([b"\0", b"\xff", b"\xaa"])) * data.draw(
            st.integers(0, 300)
        )
    try:
        image = tokcodec.decode(bad, max_pixels=1 << 20)
    except tokcodec.TokCodecError:
        return
    assert image.mode == "RGB"
    assert tokcodec.info(bad).digits is not None


def test_no_torch_is_loaded_and_none_needed():
    program = (
        "import sys, numpy, tokcodec\n"
        "picture = numpy.zeros((40, 30, 3), numpy.uint8)\n"
        "data = tokcodec.encode(picture, budget=9)\n"
        "tokcodec.info(tokcodec.cut(data, budget=3)); tokcodec.decode(data, decoder='linear')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
