"""Register tokenizers have the verbs and keep the promises of every other model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tests.register.conftest import written
from tests.register.flextok import tiny as tiny_flextok
from tokcodec import cli, errors, link
from tokcodec.stream import header as headers


@pytest.fixture(scope="module")
def picture(photograph) -> np.ndarray:
    return photograph("astronaut", 96, 80)


def test_a_stream_is_decoded_by_name_of_its_header(piece, picture) -> None:
    data = piece.encode(picture, budget=9)
    decoded = tokcodec.decode(data)
    assert decoded.size == (96, 80)
    assert np.array_equal(decoded, piece.decode(data))
    assert tokcodec.info(data).tokens == 9
    assert tokcodec.unpack(data) == piece.tokenize(picture)[:9]


def test_every_prefix_gives_the_tokens_that_it_determines(piece, picture) -> None:
    data, tokens = piece.encode(picture), piece.tokenize(picture)
    head = piece.info(data).header_bytes
    assert len(set(tokens.ids.tolist())) > 4
    counts = []
    for n in range(head, len(data) + 1):
        found = tokcodec.unpack(data[:n])
        assert found == tokens[: len(found)]
        counts.append(len(found))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == len(tokens) == 16
    assert all(8 * (n + 1) // 6 >= found >= 8 * n // 6 - 2 for n, found in enumerate(counts))


def test_cut_is_encode_with_less(piece, picture) -> None:
    data = piece.encode(picture)
    for limits in ({"budget": 5}, {"max_bytes": 17}, {"budget": 9, "max_bytes": 16}, {"budget": 0}):
        shorter = piece.encode(picture, **limits)
        assert piece.cut(data, **limits) == shorter == tokcodec.cut(data, **limits)
        assert data.startswith(shorter)
    assert piece.cut(data, budget=99) == data == piece.encode(picture, budget=99)
    assert piece.info(piece.cut(data, budget=5)).tokens == 5


def test_no_token_is_a_grey_picture(piece, picture) -> None:
    data = piece.encode(picture, budget=0)
    assert len(data) == piece.info(data).header_bytes
    assert (np.asarray(piece.decode(data)) == 128).all()


def test_a_few_tokens_draw_another_picture_than_all(piece, picture) -> None:
    data = piece.encode(picture)
    few, whole = (np.asarray(piece.decode(d), float) for d in (piece.cut(data, budget=2), data))
    assert np.abs(few - whole).mean() > 1


def test_pack_detokenize_and_info(piece, picture) -> None:
    tokens = tokcodec.tokenize(picture, 7, model=_folder(piece))
    assert (len(tokens), tokens.vocabulary, tokens.size) == (7, 64, (96, 80))
    data = tokcodec.pack(tokens)
    assert tokcodec.unpack(data) == tokens
    assert np.array_equal(tokcodec.detokenize(tokens), tokcodec.decode(data))
    found = tokcodec.info(data)
    assert (found.model, found.model_id) == ("piece", piece.model.id)
    assert (found.tokens, found.digits, found.complete, found.shortest) == (7, 7, False, 1)
    assert tokcodec.info(piece.encode(picture)).complete
    assert tokcodec.info(data, count=False).tokens is None


def _folder(codec) -> Path:
    from tokcodec.register import load

    return next(key[0][0].parent for key, kept in load._loaded.items() if kept is codec.model)


def test_batches_are_the_same_as_one_by_one(piece, photograph) -> None:
    pictures = [photograph(n, 60 + 9 * i, 50) for i, n in enumerate(("coffee", "rocket", "camera"))]
    alone = [piece.encode(p, 6) for p in pictures]
    piece.batch = 2
    streams = piece.encode_batch(pictures, 6)
    assert streams == alone
    mixed = [streams[0], piece.cut(streams[1], budget=3), piece.cut(streams[2], budget=0)]
    for one, data in zip(piece.decode_batch(mixed, size=(40, 40)), mixed, strict=True):
        alone = np.asarray(piece.decode(data, (40, 40)), int)
        assert np.abs(alone - np.asarray(one, int)).max() <= 1
        assert max(one.size) == 40


def test_a_grey_picture_stays_grey(piece, photograph) -> None:
    data = piece.encode(photograph("camera", 64, 48))
    decoded = np.asarray(piece.decode(data))
    assert tokcodec.info(data).grey
    assert (decoded == decoded[..., :1]).all()


@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
def test_every_way_to_fit_comes_back_at_the_original_size(piece, picture, fit: str) -> None:
    data = piece.encode(picture, fit=fit)
    assert piece.decode(data).size == (96, 80)
    assert piece.decode(data, size=(48, 48)).size == (48, 40)
    assert piece.unpack(data).fit == fit
    assert tokcodec.pack(tokcodec.unpack(data)) == data
    assert piece.info(data).header_bytes == (12 if fit == "squash" else 16)


def test_squares_need_no_fit(piece, photograph) -> None:
    square = photograph("rocket", 50, 50)
    assert len({piece.encode(square, fit=fit) for fit in ("squash", "crop", "pad")}) == 1


def test_a_cropped_picture_lacks_its_ends(piece, photograph) -> None:
    wide = photograph("coffee", 120, 40)
    middle = wide[:, 40:80]
    assert (piece.tokenize(wide, fit="crop").ids == piece.tokenize(middle).ids).all()
    decoded = np.asarray(piece.decode(piece.encode(wide, fit="crop")))
    assert (decoded[:, :40] == decoded[0, 0]).all()
    assert (decoded[:, 80:] == decoded[0, 0]).all()
    assert decoded[:, 40:80].std() > 0


def test_without_a_header(piece, picture) -> None:
    data = piece.encode(picture, 8)
    head = piece.info(data).header_bytes
    assert piece.encode(picture, 8, bare=True) == data[head:]
    with_size = piece.encode(picture, 8, bare="size")
    assert len(with_size) == 4 + len(data) - head
    whole = piece.decode(data)
    assert np.array_equal(piece.decode(data[head:], original_size=(96, 80)), whole)
    assert np.array_equal(piece.decode(with_size, bare="size"), whole)
    assert np.array_equal(
        tokcodec.decode(with_size, bare="size", model=_folder(piece)), whole
    )  # fmt: skip
    middle = piece.encode(picture, 8, bare=True, fit="crop")
    wanted = piece.decode(piece.encode(picture, 8, fit="crop"))
    for drawn in piece.decode_batch([middle] * 2, original_size=(96, 80), fit="crop"):
        assert np.array_equal(drawn, wanted)


def test_a_fixed_length_says_so_and_draws_what_it_can(titok, picture) -> None:
    data = titok.encode(picture)
    found = titok.info(data)
    assert (found.tokens, found.shortest, found.complete) == (16, 16, True)
    assert titok.decode(data).size == (96, 80)
    with pytest.warns(errors.TokCodecWarning, match="draw from all 16 tokens; from 5"):
        short = titok.encode(picture, budget=5)
    with pytest.warns(errors.TokCodecWarning, match="draws badly"):
        assert titok.decode(short).size == (96, 80)
    assert titok.cut(data, budget=5) == short


def test_the_network_may_work_in_half_precision(piece_folder, picture) -> None:
    exact = tokcodec.load(piece_folder)
    half = tokcodec.load(piece_folder, dtype="bfloat16")
    assert half.model.id == exact.model.id
    assert half.model is not exact.model
    assert tokcodec.load(piece_folder).model is exact.model
    data = exact.encode(picture)
    assert half.unpack(data) == exact.unpack(data)
    apart = np.asarray(half.decode(data), float) - np.asarray(exact.decode(data), float)
    assert 0 < np.abs(apart).mean() < 8
    assert tokcodec.info(half.encode(picture)).tokens == 16


def test_a_stream_of_a_model_that_is_not_loaded(piece, picture, monkeypatch) -> None:
    data = piece.encode(picture)
    monkeypatch.setattr("tokcodec.registry._opened", {})
    with pytest.raises(errors.UnknownModelError, match="load its file"):
        tokcodec.decode(data)
    assert tokcodec.decode(data, model=_folder(piece)).size == (96, 80)


def test_streams_of_others_are_refused(piece, titok, picture) -> None:
    with pytest.raises(errors.ModelMismatchError, match="another model"):
        piece.decode(titok.encode(picture))
    with pytest.raises(errors.ModelMismatchError, match="another model"):
        piece.decode(tokcodec.encode(picture, 5))
    with pytest.raises(errors.ModelMismatchError, match="belong to the model"):
        piece.pack(titok.tokenize(picture))
    damaged = bytearray(piece.encode(picture))
    damaged[9] ^= 1
    with pytest.raises(errors.DamagedHeaderError):
        piece.decode(bytes(damaged))


def test_a_newer_way_to_fit_is_refused(piece, picture) -> None:
    header, _ = headers.parse(piece.encode(picture, fit="pad"))
    newer = headers.Header(
        header.model, header.width, header.height, False, header.hash, ((headers.FIT, b"\x09"),)
    )
    with pytest.raises(errors.UnsupportedVersionError, match="newer"):
        piece.decode(headers.write(newer, piece.model.sha256))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda c, p: c.encode(p, psnr=30.0), "decibels"),
        (lambda c, p: c.encode(p, quality=60), "no measure of quality"),
        (lambda c, p: c.encode(p, effort=3), "one way to encode"),
        (lambda c, p: c.encode(p, reference=[c.encode(p)]), "no pictures with a reference"),
        (lambda c, p: c.encode(p, budget="auto"), "budget must be a whole number"),
        (lambda c, p: c.encode(p, budget=-1), "budget"),
        (lambda c, p: c.encode(p, max_bytes=11), "smaller than the header"),
        (lambda c, p: c.encode(p, fit="stretch"), "fit is one of"),
        (lambda c, p: c.encode(p, bare="all"), "bare must be"),
        (lambda c, p: c.decode(c.encode(p), decoder="linear"), "their own decoder"),
        (lambda c, p: c.decode(c.encode(p), realism=1.0), "their own decoder"),
        (lambda c, p: c.decode(c.encode(p), seed=3), "no option seed"),
        (lambda c, p: c.decode(c.encode(p), size=(0, 4)), "a size lies in"),
        (lambda c, p: c.decode("text"), "a stream is bytes"),
    ],
)
def test_senseless_arguments(piece, picture, call, match: str) -> None:
    with pytest.raises(errors.ArgumentError, match=match):
        call(piece, picture)


def test_what_says_nothing_is_as_good_as_left_out(piece, picture) -> None:
    data = piece.encode(picture, quality=None, effort=0, reference=None)
    assert data == piece.encode(picture)
    for reference in (None, data):  # these streams stand alone
        assert np.array_equal(piece.decode(data, reference=reference), piece.decode(data))


def test_pictures_that_cannot_be_used(piece) -> None:
    with pytest.raises(errors.InputError):
        piece.encode(np.zeros((4, 4, 5), np.uint8))
    with pytest.raises(errors.ImageTooLargeError):
        piece.encode(np.zeros((40, 40), np.uint8), max_pixels=1000)
    assert piece.decode(piece.encode(Image.new("LA", (1, 7)))).size == (1, 7)


def test_too_many_tokens(piece, picture) -> None:
    tokens = piece.tokenize(picture)
    long = tokcodec.Tokens(np.zeros(17, np.int32), tokens.model, tokens.size, False, 64)
    with pytest.raises(errors.TokensError, match="more than a picture has"):
        piece.detokenize(long)
    with pytest.raises(errors.ImageTooLargeError):
        piece.detokenize(tokens, max_pixels=3)
    wrong = tokcodec.Tokens(np.array([64]), tokens.model, tokens.size)
    with pytest.raises(errors.TokensError, match="must lie in"):
        piece.pack(wrong)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"device": "toaster"}, "no device"),
        ({"device": "cuda:99"}, "cannot be used"),
        ({"dtype": "float8"}, "dtype is one of"),
        ({"dtype": False}, "dtype is one of"),
    ],
)
def test_devices_and_precisions_that_are_not_there(piece_folder, arguments, match) -> None:
    with pytest.raises(errors.ArgumentError, match=match):
        tokcodec.load(piece_folder, **arguments)


def test_a_device_is_said_when_it_is_loaded(piece, picture) -> None:
    data = piece.encode(picture, budget=2)
    assert piece.decode(data, device=None).size == (96, 80)
    with pytest.raises(errors.ArgumentError, match="where it was loaded"):
        piece.decode(data, device="cuda")


@pytest.mark.parametrize("size", [0, 1.5, True, "2"])
def test_batches_of_no_size(piece, picture, size) -> None:
    piece.batch = size
    with pytest.raises(errors.ArgumentError, match="at least one picture"):
        piece.encode(picture)


def test_the_size_of_batches_may_be_numpys(piece, picture) -> None:
    data = piece.encode_batch([picture] * 3)
    piece.batch = np.int64(2)
    assert piece.encode_batch([picture] * 3) == data


def test_a_pyramid_has_no_device() -> None:
    with pytest.raises(errors.ArgumentError, match="leave them out"):
        tokcodec.load("pyramid", device="cpu")


def test_bundles_hold_register_tokens(piece, photograph, tmp_path: Path) -> None:
    streams = [piece.encode(photograph(n, 64, 40), fit="pad") for n in ("coffee", "rocket")]
    bundle = tokcodec.Bundle.write(tmp_path / "two.tkb", streams)
    assert list(bundle) == streams
    shorter = bundle.cut(budget=4, path=tmp_path / "short.tkb")
    assert list(shorter) == [piece.cut(s, budget=4) for s in streams]


def test_links_carry_them_unprotected(piece, picture) -> None:
    data = piece.encode(picture)
    receiver = link.Receiver()
    for packet in link.split(data, mtu=20, protect="none"):
        receiver.add(packet)
    assert receiver.data() == data
    with pytest.raises(errors.ArgumentError, match="protect='none'"):
        link.split(data, mtu=20)


def test_the_command_takes_a_folder(piece_folder, picture, tmp_path: Path, capsys) -> None:
    source, stream, out = (tmp_path / n for n in ("a.png", "a.tkc", "b.png"))
    Image.fromarray(picture).save(source)
    model = ["--model", str(piece_folder)]
    assert cli.main(["encode", str(source), "-b", "9", "--fit", "pad", *model]) == 0
    assert cli.main(["decode", str(stream), "-o", str(out), *model]) == 0
    assert cli.main(["info", str(stream), *model]) == 0
    assert Image.open(out).size == (96, 80)
    assert "9 tokens (9 digits)" in capsys.readouterr().out


def test_the_command_draws_on_a_device(piece_folder, picture, tmp_path: Path, capsys) -> None:
    source, stream, out = (tmp_path / n for n in ("a.png", "a.tkc", "b.png"))
    Image.fromarray(picture).save(source)
    model = ["--model", str(piece_folder)]
    assert cli.main(["encode", str(source), *model, "--device", "cpu"]) == 0
    assert cli.main(["decode", str(stream), "-o", str(out), *model, "--device", "cpu"]) == 0
    assert np.array_equal(Image.open(out), tokcodec.decode(stream.read_bytes()))
    assert cli.main(["decode", str(stream), "-f", "-o", str(out), *model, "--device", "tape"]) == 1
    assert cli.main(["decode", str(stream), "-f", "-o", str(out), *model, "--steps", "9"]) == 1
    device, steps = capsys.readouterr().err.splitlines()[-2:]
    assert "tape" in device
    assert "no option steps" in steps


def test_the_command_draws_flextoks_anew(picture, tmp_path: Path, capsys) -> None:
    folder = written(tmp_path / "flow", tiny_flextok.weights(), tiny_flextok.config())
    source, stream = tmp_path / "a.png", tmp_path / "a.tkc"
    Image.fromarray(picture).save(source)
    model = ["--model", str(folder)]
    assert cli.main(["encode", str(source), "-b", "4", *model]) == 0
    shown = []
    for said in (("--seed", "1"), ("--seed", "2"), ("--seed", "2", "--guidance", "1")):
        out = tmp_path / f"{len(shown)}.png"
        assert cli.main(["decode", str(stream), "-o", str(out), "--steps", "2", *said, *model]) == 0
        shown.append(np.asarray(Image.open(out)))
    codec = tokcodec.load(folder)
    again = codec.decode(stream.read_bytes(), steps=2, seed=2, guidance=1.0)
    assert np.array_equal(shown[2], np.asarray(again))
    assert not np.array_equal(shown[0], shown[1])
    assert not np.array_equal(shown[1], shown[2])
    assert cli.main(["decode", str(stream), "-f", "--steps", "0", *model]) == 1
    assert "steps" in capsys.readouterr().err


def test_importing_and_listing_loads_no_torch() -> None:
    code = (
        "import sys, tokcodec; tokcodec.models(); tokcodec.load(); "
        "assert not {'torch', 'huggingface_hub', 'yaml'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_how_large_batches_are_is_ones_own(piece_folder) -> None:
    one, other = tokcodec.load(piece_folder), tokcodec.load(piece_folder)
    one.batch = 5
    assert other.batch is None
    assert one.model is other.model
