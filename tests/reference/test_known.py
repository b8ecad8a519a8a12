"""Pictures written with a reference: what they cost, what they need, and what is refused."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
import warnings
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcodec
from tokcodec import errors
from tokcodec.cli import main
from tokcodec.coder import codestring
from tokcodec.decoders.consistent import consistent
from tokcodec.errors import ReferenceMismatchError
from tokcodec.model import MEANING, Model
from tokcodec.psnr import psnr
from tokcodec.reference import choice, remembered
from tokcodec.reference import known as references
from tokcodec.reference.field import Field, regions
from tokcodec.stream import header as headers
from tokcodec.stream.header import REFERENCE
from tokcodec.tokens import order as orders
from tokcodec.tokens.order import order_for
from tokcodec.tokens.transform import analyse, split_all, synthesise


def drawn(data: bytes, **options) -> np.ndarray:
    return np.asarray(tokcodec.decode(data, decoder="linear", **options))


@pytest.fixture(scope="module")
def scene(photograph) -> np.ndarray:
    return photograph("coffee", 128, 96)


@pytest.fixture(scope="module")
def visited(scene, photograph) -> np.ndarray:
    """The scene with a cat in it, and noise."""
    frame = scene.astype(np.float64)
    frame[40:80, 50:90] = photograph("chelsea", 128, 96)[20:60, 40:80]
    frame += np.random.default_rng(1).normal(0, 2, frame.shape)
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def key(scene) -> bytes:
    return tokcodec.encode(scene, psnr=30)


@pytest.fixture(scope="module")
def change(visited, key) -> bytes:
    return tokcodec.encode(visited, psnr=30, reference=key)


@pytest.fixture(scope="module")
def chain(photograph) -> list[bytes]:
    """Six streams of a still picture, each but the first with those before it."""
    picture = photograph("chelsea", 32, 24)
    found = [tokcodec.encode(picture, psnr=28)]
    while len(found) < 6:
        found.append(tokcodec.encode(picture, psnr=28, reference=found))
    assert all(tokcodec.info(data).reference for data in found[1:])
    return found


@pytest.fixture
def read(monkeypatch) -> list[bytes]:
    """The code strings that are read, while nothing is remembered from earlier tests."""
    seen, as_ever = [], codestring.read

    def counted(order, payload, keep=False):
        seen.append(payload)
        return as_ever(order, payload, keep)

    monkeypatch.setattr(codestring, "read", counted)
    references._remembered.clear()
    return seen


# ---- what it is for


def test_a_picture_that_resembles_its_reference_takes_half_the_bytes(change, visited, key):
    alone = tokcodec.encode(visited, psnr=30)
    assert len(change) < 0.5 * len(alone)
    assert 30 <= psnr(drawn(change, reference=key), visited) <= 30.2


def test_the_same_picture_takes_next_to_nothing(scene, key):
    again = tokcodec.encode(scene, psnr=30, reference=key)
    assert len(again) <= 24
    shown = drawn(again, reference=key).astype(int)
    assert np.abs(shown - drawn(key)).max() <= 2  # coefficients are rounded to their last step


def test_the_same_bytes_show_more(visited, key):
    for limit in ({"max_bytes": 300}, {"budget": 150}):
        alone = tokcodec.encode(visited, **limit)
        data = tokcodec.encode(visited, reference=key, **limit)
        assert psnr(drawn(data, reference=key), visited) > psnr(drawn(alone), visited) + 1
        if "max_bytes" in limit:
            assert len(data) == 300
        else:
            assert tokcodec.info(data).tokens >= 150


def test_a_reference_of_something_else_is_left_alone(photograph, key):
    other = photograph("astronaut", 128, 96)
    alone = tokcodec.encode(other, psnr=28)
    assert len(tokcodec.encode(other, psnr=28, reference=key)) <= len(alone)


def test_a_stream_that_stands_alone_looks_at_no_reference(key):
    assert np.array_equal(drawn(key), drawn(key, reference=key))
    assert tokcodec.info(key).reference is None


def test_limits_that_leave_no_room_for_the_field(visited, key):
    for n in (8, 12, 20):
        data = tokcodec.encode(visited, max_bytes=n, reference=key)
        assert len(data) <= n
        assert drawn(data, reference=key).shape == visited.shape
    with pytest.raises(errors.ArgumentError, match="header"):
        tokcodec.encode(visited, max_bytes=7, reference=key)


def test_quality_is_that_of_the_picture_not_of_the_change(visited, key):
    alone = tokcodec.encode(visited, quality=40)
    data = tokcodec.encode(visited, quality=40, reference=key)
    assert len(data) < len(alone)
    assert psnr(drawn(data, reference=key), visited) >= psnr(drawn(alone), visited) - 1e-9


def test_effort_holds_with_a_reference(visited, key, change):
    data = tokcodec.encode(visited, psnr=30, reference=key, effort=2)
    assert len(data) <= len(change)
    assert psnr(drawn(data, reference=key), visited) >= 30


# ---- prefixes, chains, backgrounds


def test_any_prefix_is_a_picture(change, visited, key):
    head = tokcodec.info(change).header_bytes
    before = 0.0
    for n in (head, len(change) // 3, 2 * len(change) // 3, len(change)):
        now = psnr(drawn(change[:n], reference=key), visited)
        assert now > before
        before = now
    cut = tokcodec.cut(change, max_bytes=head + 50)
    assert cut == change[: head + 50]
    assert tokcodec.cut(change, budget=20) == change[: len(tokcodec.cut(change, budget=20))]
    assert tokcodec.info(tokcodec.cut(change, budget=20)).tokens >= 20


def test_a_chain_is_a_list(change, visited, key):
    third = np.roll(visited, 3, axis=1)
    third[:, :40], third[:, 100:] = visited[:, :40], visited[:, 100:]
    data = tokcodec.encode(third, psnr=30, reference=[key, change])
    assert tokcodec.info(data).reference
    assert psnr(drawn(data, reference=[key, change]), third) >= 30
    longer = [key, change, data]
    assert len(tokcodec.encode(third, psnr=30, reference=longer)) <= 24
    for wrong in ([change, key], [key], [key, data], change):
        with pytest.raises(ReferenceMismatchError):
            drawn(data, reference=wrong)


def test_a_long_chain_is_read_and_a_longer_one_refused(photograph, monkeypatch):
    monkeypatch.setattr(references, "LONGEST", remembered.KEPT + 3)
    picture = photograph("chelsea", 16, 12)
    chain = [tokcodec.encode(picture, psnr=24)]
    while len(chain) < references.LONGEST:
        picture = np.roll(picture, 1, axis=0)
        chain.append(tokcodec.encode(picture, max_bytes=40, reference=chain))
    shown = drawn(chain[-1], reference=chain[:-1])
    references._remembered.clear()
    assert np.array_equal(drawn(chain[-1], reference=chain[:-1]), shown)
    with pytest.raises(errors.ArgumentError, match=str(references.LONGEST)):
        tokcodec.encode(picture, reference=[*chain, chain[-1]])


def test_a_chain_too_large_to_remember_is_read_once(chain, read, monkeypatch):
    monkeypatch.setattr(remembered, "ROOM", 0)
    drawn(chain[-1], reference=chain[:-1])
    assert len(read) == len(chain)


def test_large_pictures_are_remembered_too_within_bounds(chain, read, monkeypatch):
    monkeypatch.setattr(orders, "SMALL", 0)
    monkeypatch.setattr(orders, "LARGE", 0)  # none is remembered
    size = 4 * 3 * 32 * 24  # bytes of a reference's coefficients
    monkeypatch.setattr(remembered, "ROOM", size)
    shown = drawn(chain[-1], reference=chain[:-1])
    assert len(read) == len(chain)
    assert references._remembered._size() == size
    read.clear()
    assert np.array_equal(drawn(chain[-1], reference=chain[:-1]), shown)
    assert len(read) == 1


def test_a_background_is_what_stays(scene, visited, key, photograph):
    rng = np.random.default_rng(2)
    noisy = [scene + rng.normal(0, 8, scene.shape) for _ in range(5)]
    noisy[1][10:40, 10:60] = 0
    streams = [tokcodec.encode(np.clip(n, 0, 255).astype(np.uint8), psnr=32) for n in noisy]
    background = tokcodec.background(streams)
    assert tokcodec.info(background).tokens >= 2 * max(tokcodec.info(s).tokens for s in streams)
    assert tokcodec.info(background).reference is None
    best = max(psnr(drawn(s), scene) for s in streams)
    assert psnr(drawn(background), scene) > best + 3
    assert tokcodec.background([*reversed(streams)]) == background
    data = tokcodec.encode(visited, psnr=30, reference=background)
    assert psnr(drawn(data, reference=background), visited) >= 30
    assert drawn(tokcodec.background([key, [key]])).shape == scene.shape


def test_a_background_of_one_complete_stream_has_its_coefficients(photograph):
    key = tokcodec.encode(photograph("coffee", 32, 24), budget=10**6)
    order = order_for(tokcodec.load().model, 24, 32, 3)
    ours, its = (references.opened(s, order) for s in (key, tokcodec.background([key])))
    assert all(np.array_equal(a, b) for a, b in zip(ours.values, its.values, strict=True))


def test_backgrounds_refuse_what_they_cannot_use(key, photograph):
    other = tokcodec.encode(photograph("coffee", 64, 48), budget=5)
    no_lists = ([], key, "path", bytearray(key), memoryview(key), None, 5)
    for wrong in (*no_lists, [[]], [5], ["path"], [[key], [5]], [key, []]):
        with pytest.raises(errors.ArgumentError, match="stream"):
            tokcodec.background(wrong)
    with pytest.raises(errors.ImageTooLargeError, match="128 x 96"):
        tokcodec.background([key], max_pixels=100)
    with pytest.raises(ReferenceMismatchError, match="64 x 48"):
        tokcodec.background([key, other])
    with pytest.raises(errors.StreamError):
        tokcodec.background([b"no stream"])


def test_a_background_of_buffers_is_that_of_bytes(key):
    wanted = tokcodec.background([key, [key]])
    assert tokcodec.background([bytearray(key), [memoryview(key)]]) == wanted


# ---- decoders


def test_what_the_network_draws_encodes_to_the_same_digits(change, key):
    """The projection onto what was received holds with a reference."""
    header, length = headers.parse(change)
    order = order_for(tokcodec.load().model, 96, 128, 3)
    order = references.onto(order, header, key)
    known = codestring.read(order, change[length:]).known
    rng = np.random.default_rng(0)
    wrong = rng.normal(0, 60, (1, 96, 128)).astype(np.float32)
    plane = synthesise(consistent(split_all(wrong), known, range(1)), 96, 128)
    for band, coefficients in enumerate(analyse(plane)):
        if known.seen(band) < coefficients.size:
            continue
        step = order.model.step(0, known.plane[band])
        last = order.model.step(0, order.planes[band] - 1)
        rest = coefficients - order.base.values[band] * np.float32(last)
        b = order.bands[band]
        q = known.q[band].reshape(b.height + 2, b.width + 2)[1:-1, 1:-1]
        assert np.abs(rest - q * np.float32(step)).max() <= 0.51 * step


def test_a_trained_decoder_gains_as_much_as_without(change, visited, key):
    pytest.importorskip("onnxruntime")
    better = np.asarray(tokcodec.decode(change, reference=key, decoder="onnx", realism=0))
    assert psnr(better, visited) > psnr(drawn(change, reference=key), visited) - 0.1


# ---- what is refused


def test_a_missing_reference_is_named(change):
    name = tokcodec.info(change).reference
    with pytest.raises(ReferenceMismatchError, match=f"{name}.*missing"):
        tokcodec.decode(change)


def test_another_reference_is_named(change, key, photograph):
    name = tokcodec.info(change).reference
    longer = tokcodec.encode(photograph("coffee", 128, 96), psnr=31)
    for wrong in (tokcodec.cut(key, budget=50), key[:-1], longer, key[:60] + b"\0" + key[61:]):
        with pytest.raises(ReferenceMismatchError, match=name):
            tokcodec.decode(change, reference=wrong)


def test_references_that_do_not_fit(change, visited, key, photograph):
    small = tokcodec.encode(photograph("coffee", 64, 48), budget=20)
    grey = tokcodec.encode(photograph("camera", 128, 96), budget=20)
    with pytest.raises(ReferenceMismatchError, match="64 x 48"):
        tokcodec.encode(visited, reference=small)
    for wrong, words in ((small, "64 x 48"), (grey, "grey")):
        with pytest.raises(ReferenceMismatchError, match=words):
            tokcodec.decode(change, reference=wrong)
    damaged = key[:7] + bytes((key[7] ^ 1,)) + key[8:]
    with pytest.raises(errors.DamagedHeaderError):
        tokcodec.decode(change, reference=damaged)
    for wrong in ("key.tkc", 7, [], [7]):
        with pytest.raises(errors.ArgumentError):
            tokcodec.decode(change, reference=wrong)


def test_a_camera_turns_to_infrared_and_back(visited, scene, key):
    """The loop of the guide: no frame of another colour breaks it."""
    night = np.repeat(scene[..., 1:2], 3, axis=2)
    chain: list[bytes] = []
    for frame, stands_alone in (
        (scene, True), (visited, False), (night, True), (night, False), (visited, True),
    ):  # fmt: skip
        data = tokcodec.encode(frame, max_bytes=300, reference=chain or None)
        assert (tokcodec.info(data).reference is None) == stands_alone
        chain = [data] if stands_alone else [*chain, data]
        tokcodec.decode(data, reference=chain[:-1] or None)
    limits = {"quality": 30, "effort": 1}
    assert tokcodec.info(tokcodec.encode(night, reference=key, **limits)).reference is None


def test_all_of_a_noisy_picture_is_within_reach():
    """At quality 100, which a reference turns into decibels, nothing is out of reach."""
    for seed in range(7, 12):
        noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3)).astype(np.uint8)
        changed = noise.copy()
        changed[5:9] = 7
        key = tokcodec.encode(noise, budget=20)
        tokcodec.encode(changed, quality=100, reference=key)  # a warning would be an error


def test_a_reference_of_another_model(change, visited, tmp_path, scene):
    model = tokcodec.load().model
    arrays = {**model.arrays, "centroids": model.arrays["centroids"] // 2}
    path = tmp_path / "other.safetensors"
    path.write_bytes(Model("other", arrays).save_bytes())
    other = tokcodec.encode(scene, budget=20, model=path)
    with pytest.raises(ReferenceMismatchError, match="another model"):
        tokcodec.encode(visited, reference=other)
    with pytest.raises(ReferenceMismatchError, match="another model"):
        tokcodec.decode(change, reference=other)
    assert MEANING["family"] == "pyramid"


def test_a_header_too_large_is_refused_before_its_reference(change, key):
    with pytest.raises(errors.ImageTooLargeError):
        tokcodec.decode(change, reference=key, max_pixels=100)


def test_bare_streams_and_tokens_have_no_reference(change, visited, key):
    for bare in (True, "size"):
        with pytest.raises(errors.ArgumentError, match="bare"):
            tokcodec.encode(visited, budget=9, reference=key, bare=bare)
    with pytest.raises(errors.TokensError, match="reference"):
        tokcodec.unpack(change)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=30))
def test_any_field_is_read_or_refused(data):
    try:
        field = Field.parse(data, 70, 90)
    except errors.DamagedHeaderError:
        return
    assert field.weights.shape == regions(70, 90, field.log_side)
    assert Field.parse(field.data(), 70, 90).data() == field.data()


def test_two_fields_are_refused(change, key):
    header, length = headers.parse(change)
    twice = headers.Header(
        header.model, header.width, header.height, extension=header.extension * 2
    )
    data = headers.write(twice, tokcodec.load().model.sha256) + change[length:]
    with pytest.raises(errors.DamagedHeaderError, match="two"):
        tokcodec.decode(data, reference=key)


@pytest.mark.parametrize("field", [b"", b"hash"])
def test_a_field_without_hash_and_side_is_damage(scene, field: bytes):
    header = headers.Header(1, 128, 96, extension=((REFERENCE, field),))
    data = headers.write(header, tokcodec.load().model.sha256)
    with pytest.raises(errors.DamagedHeaderError, match="reference"):
        tokcodec.info(data)


def test_a_field_of_too_many_regions_takes_no_memory():
    tracemalloc.start()
    try:
        with pytest.raises(errors.DamagedHeaderError):
            Field.parse(b"hash\3", 65_536, 65_536)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_what_is_out_of_reach_is_told_once(visited, key):
    with pytest.warns(errors.TokCodecWarning, match="out of reach") as told:
        tokcodec.encode(visited[:, :64].repeat(2, axis=1), psnr=100, reference=key)
    assert len(told) == 1


def test_other_threads_warn_while_a_reference_is_tried(visited, key, photograph, monkeypatch):
    other, as_ever = photograph("coffee", 16, 12), choice.linear

    def meanwhile(*args):
        thread = Thread(target=tokcodec.encode, args=(other,), kwargs={"psnr": 100})
        thread.start()
        thread.join()
        return as_ever(*args)

    monkeypatch.setattr(choice, "linear", meanwhile)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        tokcodec.encode(visited, psnr=28, reference=key)
    assert told
    assert all("out of reach" in str(warning.message) for warning in told)


# ---- the format


def test_the_hash_is_that_of_the_format(change, key):
    """docs/FORMAT.md, "Reference", with Python's whole numbers."""
    model = tokcodec.load().model
    header, length = headers.parse(key)
    order = order_for(model, 96, 128, 3)
    reading = codestring.read(order, key[length:])
    text = model.sha256 + struct.pack(">IIBQ", 128, 96, 3, reading.total)
    for i, band in enumerate(order.bands):
        last = order.planes[i] - 1
        visit = [int(c) for p in order.grid(i).passes for c in p]
        rank = {cell: n for n, cell in enumerate(visit)}
        flat = reading.known.q.get(i)
        for cell in range(band.height * band.width):
            y, x = divmod(cell, band.width)
            q = 0 if flat is None else int(flat[(y + 1) * (band.width + 2) + x + 1])
            p = reading.known.plane[i]
            if rank[cell] >= reading.known.seen(i):
                q, p = q // 3, p - 1
            value = 0
            if q and p >= 0:
                slot = 0 if band.level == 0 else 3 * (min(band.level, 8) - 1) + band.orientation
                c = int(model.arrays["centroids"][band.channel, slot, min(p, 7), int(abs(q) > 1)])
                value = ((32768 * abs(q) - c) * 3 ** (last - p) + 16384) >> 15
                value = -value if q < 0 else value
            text += struct.pack(">i", value)
    assert hashlib.sha256(text).hexdigest()[:8] == tokcodec.info(change).reference
    assert header.reference is None


GOLDEN_KEY = (
    "b754200102f027f405e38e9472b75517dbe4d1e14d9ea119b63c1f6fea866196f75f251c0835309b"
    "6a6fa0c085279da1558287811db699b4700265cf59c6cf5318b6ec57f155ee374154e386bc9c0d90"
    "1ec38f389dbbc5d1ec70d005d1d2f69e64bbc93304bec026e50869f35706bb1ae9f274b990295c1a"
    "ade110c4bfd92adeadba62fd6aefcdd121c3352cb321974243b47269f009"
)
GOLDEN = (
    "b754240102f027098207c0e001e6049fa07f5336dc94fa68ade3541824b44c3a96077f08cfb45f9a"
    "6eb3e95b30617ab52941d7bc0c1687efdc7fb872b667a1fa9bb75ceb7e86c5c4f18d6418cfd1aaf8"
    "7099d0ad53d16d8291583d281e36df8b4b2f20091b2a3e253fc6ff29b4f93d1c7a44e758b8b5abd9"
)
GOLDEN_PICTURE = "440da48e7dc0934025dbffaee17f0d31f434ff5bc4bde984db615d7b0345c22b"


def test_a_golden_stream_means_what_it_meant():
    key, data = bytes.fromhex(GOLDEN_KEY), bytes.fromhex(GOLDEN)
    header, _ = headers.parse(data)
    assert [kind for kind, _ in header.extension] == [REFERENCE]
    order = order_for(tokcodec.load("pyramid").model, header.height, header.width, 3)
    found = references.opened([key, data], order)
    total = hashlib.sha256(b"".join(v.astype(">i4").tobytes() for v in found.values))
    assert total.hexdigest() == GOLDEN_PICTURE


# ---- the command


def test_the_command(scene, visited, tmp_path: Path, capsys):
    from PIL import Image

    for name, picture in (("one", scene), ("two", visited)):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    one, two = tmp_path / "one.tkc", tmp_path / "two.tkc"
    assert main(["encode", str(tmp_path / "one.png"), "--psnr", "30"]) == 0
    assert main(
        ["encode", str(tmp_path / "two.png"), "--psnr", "30", "--reference", str(one)]
    ) == 0  # fmt: skip
    assert two.read_bytes() == tokcodec.encode(visited, psnr=30, reference=one.read_bytes())
    assert main(["info", str(two)]) == 0
    assert tokcodec.info(two.read_bytes()).reference in capsys.readouterr().out
    out = tmp_path / "out.png"
    command = ["decode", str(two), "--decoder", "linear", "-o", str(out)]
    assert main(command) == 1
    assert "missing" in capsys.readouterr().err
    assert main([*command, "--reference", str(one)]) == 0
    shown = drawn(two.read_bytes(), reference=one.read_bytes())
    assert np.array_equal(np.asarray(Image.open(out)), shown)
    assert main([*command, "-f", "--reference", str(tmp_path / "none.tkc")]) == 1
    assert "none.tkc" in capsys.readouterr().err
