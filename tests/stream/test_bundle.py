"""Bundles: many streams in one file, each as it was given, and no silent damage."""

from __future__ import annotations

import contextlib
import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zstandard
from PIL import Image
from skimage import data

import tokcodec
from tokcodec import Bundle, weights
from tokcodec.errors import (
    ArgumentError,
    BadMagicError,
    DamagedBundleError,
    DamagedHeaderError,
    ImageTooLargeError,
    InputError,
    ModelMismatchError,
    OutputError,
    OutputExistsError,
    TokCodecError,
    TruncatedHeaderError,
    UnknownFieldError,
    UnsupportedVersionError,
)
from tokcodec.model import Model
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header

NAMES = ["chelsea", "coffee", "grey", "a name with spaces", "ein Name: äöü 画像", "", "wide"]


def make_streams() -> list[bytes]:
    """Streams of several sizes, one grey, one of a wide picture, one of nothing but a header."""
    pictures = []
    for name in ("chelsea", "coffee", "astronaut"):
        image = Image.fromarray(getattr(data, name)())
        image.thumbnail((32, 32))
        pictures.append(image)
    streams = [tokcodec.encode(p, 20 + 30 * i) for i, p in enumerate(pictures)]
    streams[2] = tokcodec.encode(pictures[2].convert("L"), 40)
    code, _ = weights.code_of(tokcodec.load().model)
    extended = Header(code, 32, 21, extension=((4, b"kept"), (99, b"")))
    streams.append(headers.write(extended, tokcodec.load().model.sha256) + streams[0][8:])
    streams.append(tokcodec.encode(pictures[0], max_bytes=9))
    streams.append(tokcodec.encode(pictures[1], budget=0))
    streams.append(tokcodec.encode(np.full((3, 4100), 77, np.uint8), 10))
    return streams


@pytest.fixture(scope="module")
def streams() -> list[bytes]:
    return make_streams()


@pytest.fixture
def file(tmp_path: Path, streams: list[bytes]) -> Path:
    """A bundle of them, each named."""
    Bundle.write(tmp_path / "some.tkb", streams, NAMES)
    return tmp_path / "some.tkb"


@pytest.fixture
def custom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tokcodec.Codec:
    """The codec of a model that is not shipped, forgotten after the test."""
    monkeypatch.setattr(weights, "_opened", {})
    arrays = {k: v.copy() for k, v in tokcodec.load().model.arrays.items()}
    arrays["centroids"].flat[0] += 1
    path = tmp_path / "own.safetensors"
    path.write_bytes(Model("own", arrays).save_bytes())
    return tokcodec.load(path)


# ---- reading and writing


def test_streams_and_names_come_back(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert len(bundle) == len(streams)
    assert [bundle[i] for i in range(len(bundle))] == streams
    assert list(bundle) == streams
    assert bundle.names == NAMES
    assert [bundle.name(i) for i in range(len(bundle))] == NAMES


def test_write_returns_the_bundle(tmp_path: Path, streams: list[bytes]) -> None:
    assert list(Bundle.write(str(tmp_path / "b.tkb"), streams)) == streams


def test_streams_from_a_generator_without_names(tmp_path: Path, streams: list[bytes]) -> None:
    bundle = Bundle.write(tmp_path / "b.tkb", (bytearray(s) for s in streams))
    assert list(bundle) == streams
    assert bundle.names == [""] * len(streams)


def test_negative_indices_count_from_the_end(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert bundle[-1] == streams[-1]
    assert bundle[-len(streams)] == streams[0]
    assert bundle.name(-1) == NAMES[-1]
    assert bundle[np.int64(2)] == streams[2]


@pytest.mark.parametrize("index", [7, 8, -8, 10**9, -(10**20)])
def test_an_index_beyond_the_end_is_an_index_error(file: Path, index: int) -> None:
    with pytest.raises(IndexError, match="7 streams"):
        Bundle(file)[index]
    with pytest.raises(IndexError, match="7 streams"):
        Bundle(file).name(index)


@pytest.mark.parametrize("index", ["chelsea", 1.0, None])
def test_an_index_is_a_number(file: Path, index: object) -> None:
    with pytest.raises(TypeError):
        Bundle(file)[index]  # type: ignore[index]


def test_a_slice_is_a_list(file: Path, streams: list[bytes]) -> None:
    assert Bundle(file)[1:5:2] == streams[1:5:2]
    assert Bundle(file)[-2:] == streams[-2:]


def test_a_bundle_is_a_sequence(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert streams[2] in bundle
    assert b"something else" not in bundle
    assert list(reversed(bundle)) == streams[::-1]


def test_finding_by_name(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert bundle[bundle.find("coffee")] == streams[1]
    with pytest.raises(ValueError, match="nowhere"):
        bundle.find("nowhere")
    assert bundle.index(streams[1]) == 1  # as of any sequence


def test_a_bundle_can_be_sent_to_another_process(file: Path, streams: list[bytes]) -> None:
    sent = pickle.dumps(Bundle(file))
    assert len(sent) < 5000  # without the model, which is there already
    assert list(pickle.loads(sent)) == streams


def test_a_bundle_is_found_wherever_the_process_goes(
    file: Path, streams: list[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(file.parent)
    bundle = Bundle(file.name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert bundle[0] == streams[0]


def test_a_field_of_a_newer_version_concerns_its_own_stream(
    tmp_path: Path, streams: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    head, length = headers.parse(streams[0])
    head = replace(head, extension=((0x85, b"new"),))
    newer = headers.write(head, tokcodec.load().model.sha256)
    with monkeypatch.context() as later:
        later.setattr(headers, "CRITICAL", 0)  # that version knows the field
        Bundle.write(tmp_path / "a.tkb", [streams[0], newer + streams[0][length:]], ["old", "new"])
    bundle = Bundle(tmp_path / "a.tkb")
    assert bundle[0] == streams[0]
    assert bundle.names == ["old", "new"]
    with pytest.raises(UnknownFieldError, match="5"):
        bundle[1]


@pytest.mark.parametrize("how", ["cut", "written anew", "written into"])
def test_a_bundle_that_was_replaced_is_told(how: str, file: Path, streams: list[bytes]) -> None:
    """Its index would lead into other streams."""
    old = Bundle(file)
    assert old[2] == streams[2]
    if how == "cut":
        new = old.cut(budget=2, path=file, overwrite=True)
    elif how == "written anew":
        new = Bundle.write(file, streams[::-1], overwrite=True)
    else:
        file.write_bytes(file.read_bytes() + b"more")
    for ask in (lambda: old[2], lambda: old[len(old) - 1], lambda: list(old)):
        with pytest.raises(InputError, match="anew"):
            ask()
    if how != "written into":
        assert len(new[2]) <= max(map(len, streams))


def test_several_blocks(tmp_path: Path, streams: list[bytes]) -> None:
    count = 2 * 1024 + 50
    many = [streams[i % len(streams)] for i in range(count)]
    names = [f"picture {i}" for i in range(count)]
    bundle = Bundle.write(tmp_path / "many.tkb", many, names)
    assert len(bundle) == count
    for i in (0, 1023, 1024, 2047, 2048, count - 1, 5, -1, -count):
        assert bundle[i] == many[i]
        assert bundle.name(i) == names[i]
    assert bundle.names == names
    assert list(bundle) == many


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025])
def test_around_the_size_of_a_block(count: int, tmp_path: Path, streams: list[bytes]) -> None:
    many = [streams[i % 3] for i in range(count)]
    bundle = Bundle.write(tmp_path / "many.tkb", many)
    assert len(bundle) == count
    assert [bundle[0], bundle[-1]] == [many[0], many[-1]]
    with pytest.raises(IndexError):
        bundle[count]


def test_a_bundle_costs_less_than_the_headers_it_saves(tmp_path: Path, streams) -> None:
    many = [streams[0]] * 1000
    Bundle.write(tmp_path / "many.tkb", many)
    assert (tmp_path / "many.tkb").stat().st_size < sum(map(len, many))


def test_a_bundle_of_a_custom_model(custom: tokcodec.Codec, tmp_path: Path) -> None:
    picture = np.tile(np.arange(40, dtype=np.uint8), (30, 1))
    many = [custom.encode(picture + np.uint8(i), 20) for i in range(3)]
    bundle = Bundle.write(tmp_path / "own.tkb", many)
    assert list(bundle) == many
    assert bundle.model.id == custom.model.id


# ---- cutting


@pytest.mark.parametrize(
    "limits",
    [{"budget": 15}, {"max_bytes": 21}, {"budget": 30, "max_bytes": 25}, {"budget": 0}, {}],
)
def test_cut_cuts_every_stream(file: Path, streams: list[bytes], limits: dict[str, int]) -> None:
    found = Bundle(file).cut(**limits, path=file.with_name("cut.tkb"))
    assert list(found) == [tokcodec.cut(s, **limits) for s in streams]
    assert found.names == NAMES
    assert list(Bundle(file)) == streams


def test_a_cut_that_is_too_tight_leaves_nothing_behind(file: Path) -> None:
    with pytest.raises(ArgumentError):
        Bundle(file).cut(max_bytes=8, path=file.with_name("cut.tkb"))  # one header is longer
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_a_cut_of_large_pictures_is_refused_unless_told(file: Path) -> None:
    with pytest.raises(ImageTooLargeError):
        Bundle(file).cut(budget=3, path=file.with_name("small.tkb"), max_pixels=10)
    small = Bundle(file).cut(max_bytes=20, path=file.with_name("small.tkb"), max_pixels=10)
    assert max(map(len, small)) == 20


def test_a_bundle_can_be_cut_onto_itself(file: Path, streams: list[bytes]) -> None:
    with pytest.raises(OutputExistsError):
        Bundle(file).cut(15, path=file)
    Bundle(file).cut(15, path=file, overwrite=True)
    assert list(Bundle(file)) == [tokcodec.cut(s, 15) for s in streams]


# ---- what is refused


def test_streams_of_two_models_are_refused(custom, tmp_path: Path, streams: list[bytes]) -> None:
    other = custom.encode(np.zeros((9, 9), np.uint8), 5)
    for many in ([streams[0], other], [other, streams[0]]):
        with pytest.raises(ModelMismatchError):
            Bundle.write(tmp_path / "b.tkb", many)
    assert not (tmp_path / "b.tkb").exists()


def test_an_existing_file_is_kept_unless_told_otherwise(file: Path, streams: list[bytes]) -> None:
    before = file.read_bytes()
    with pytest.raises(OutputExistsError):
        Bundle.write(file, streams[:1])
    assert file.read_bytes() == before
    assert len(Bundle.write(file, streams[:1], overwrite=True)) == 1


def bad_streams(streams: list[bytes]) -> dict[str, tuple[list, type[Exception]]]:
    damaged = bytearray(streams[1])
    damaged[5] ^= 1
    return {
        "none": ([], ArgumentError),
        "truncated": ([streams[0], streams[1][:5]], TruncatedHeaderError),
        "no stream": ([streams[0], b"\x89PNG"], BadMagicError),
        "damaged": ([streams[0], bytes(damaged)], DamagedHeaderError),
    }


@pytest.mark.parametrize("case", ["none", "truncated", "no stream", "damaged"])
def test_a_failed_write_leaves_nothing_behind(case: str, tmp_path: Path, streams) -> None:
    many, wanted = bad_streams(streams)[case]
    with pytest.raises(wanted):
        Bundle.write(tmp_path / "b.tkb", many)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_what_was_there(file: Path, streams: list[bytes]) -> None:
    before = file.read_bytes()
    for many, wanted in bad_streams(streams).values():
        with pytest.raises(wanted):
            Bundle.write(file, many, overwrite=True)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_an_error_of_the_caller_passes_and_leaves_nothing_behind(tmp_path: Path, streams) -> None:
    def failing() -> Iterator[bytes]:
        yield streams[0]
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        Bundle.write(tmp_path / "b.tkb", failing())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, streams: list[bytes]) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        with pytest.raises(OutputError):
            Bundle.write(tmp_path / "b.tkb", streams)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_too_few_names_are_refused(tmp_path: Path, streams: list[bytes]) -> None:
    with pytest.raises(ArgumentError, match="fewer names"):
        Bundle.write(tmp_path / "b.tkb", streams, NAMES[:-1])
    assert list(tmp_path.iterdir()) == []


def test_too_many_names_are_refused(tmp_path: Path, streams: list[bytes]) -> None:
    with pytest.raises(ArgumentError, match="more names"):
        Bundle.write(tmp_path / "b.tkb", streams, [*NAMES, "one.png"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [(0, None), (slice(None), "abcdefg")])
def test_one_where_many_are_wanted(wrong, tmp_path: Path, streams: list[bytes]) -> None:
    index, names = wrong
    with pytest.raises(ArgumentError, match="not one "):
        Bundle.write(tmp_path / "b.tkb", streams[index], names)


def test_streams_may_lie_in_other_buffers(tmp_path: Path, streams: list[bytes]) -> None:
    given = [memoryview(streams[0]), bytearray(streams[1])]
    assert list(Bundle.write(tmp_path / "b.tkb", given)) == streams[:2]
    with pytest.raises(ArgumentError, match="a stream is bytes"):
        Bundle.write(tmp_path / "c.tkb", [None])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["x" * 65_536, "\udcff", Path("a.png"), 5])
def test_impossible_names_are_refused(name, tmp_path: Path, streams: list[bytes]) -> None:
    with pytest.raises(ArgumentError, match="name"):
        Bundle.write(tmp_path / "b.tkb", streams[:1], [name])
    assert list(tmp_path.iterdir()) == []


def test_the_longest_name(tmp_path: Path, streams: list[bytes]) -> None:
    assert Bundle.write(tmp_path / "b.tkb", streams[:1], ["x" * 65_535]).name(0) == "x" * 65_535


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.tkb"):
        Bundle(tmp_path / "nowhere.tkb")
    with pytest.raises(InputError):
        Bundle(tmp_path)
    with pytest.raises(InputError):
        Bundle("a\0b")
    with pytest.raises(ArgumentError):
        Bundle("\ud800")


def test_a_stream_is_no_bundle_and_a_bundle_no_stream(file: Path, streams: list[bytes]) -> None:
    single = file.with_name("one.tkc")
    single.write_bytes(streams[0])
    with pytest.raises(BadMagicError):
        Bundle(single)
    with pytest.raises(TokCodecError):
        tokcodec.decode(file.read_bytes())


def test_a_newer_bundle_is_told(file: Path) -> None:
    contents = bytearray(file.read_bytes())
    contents[4] = 2
    file.write_bytes(contents)
    with pytest.raises(UnsupportedVersionError, match="2"):
        Bundle(file)


# ---- damage


def read_all(file: Path, contents: bytes) -> tuple[list[bytes], list[str]]:
    file.write_bytes(contents)
    bundle = Bundle(file)
    return list(bundle), bundle.names


def test_every_truncation_is_told(file: Path) -> None:
    contents = file.read_bytes()
    for n in range(len(contents)):
        with pytest.raises((DamagedBundleError, BadMagicError)):
            read_all(file, contents[:n])


def test_bytes_at_the_end_are_told(file: Path) -> None:
    with pytest.raises(DamagedBundleError):
        read_all(file, file.read_bytes() + b"\0")


@pytest.mark.parametrize("change", [0x01, 0xFF])
def test_damage_anywhere_is_told_or_stays_inside_a_payload(
    file: Path, streams: list[bytes], change: int
) -> None:
    """Nothing but our own errors; what is not told leaves names, headers and lengths alone."""
    contents = file.read_bytes()
    lengths = [tokcodec.info(s, count=False).header_bytes for s in streams]
    for at in range(len(contents)):
        damaged = bytearray(contents)
        damaged[at] ^= change
        try:
            found, names = read_all(file, bytes(damaged))
        except TokCodecError:
            continue
        assert names == NAMES
        for stream, wanted, head in zip(found, streams, lengths, strict=True):
            assert stream[:head] == wanted[:head]
            assert len(stream) == len(wanted)


def test_noise_is_told(file: Path) -> None:
    rng, contents = np.random.default_rng(1), file.read_bytes()
    for _ in range(200):
        damaged = np.frombuffer(contents, np.uint8).copy()
        start = rng.integers(len(damaged))
        part = damaged[start : start + rng.integers(1, 60)]
        part[:] = rng.integers(0, 256, len(part))
        with contextlib.suppress(TokCodecError):
            read_all(file, damaged.tobytes())


def crafted(file: Path, block: bytes | None = None, room: tuple[int, ...] | None = None) -> bytes:
    """The bundle with another index block, or another place for it, and all checksums right.

    The end of a bundle of one block (docs/FORMAT.md): block, directory of 20 bytes (its place,
    length, place of the first payload), then place of the directory, count, CRC-32, magic.
    """
    contents = file.read_bytes()
    directory, count, _, magic = struct.unpack(">QQI4s", contents[-24:])
    at, length, first = struct.unpack(">QIQ", contents[directory : directory + 20])
    if block is None:
        block = contents[at : at + length]
    entry = struct.pack(">QIQ", *(room or (at, len(block), first)))
    numbers = struct.pack(">QQ", at + len(block), count)
    crc = struct.pack(">I", zlib.crc32(entry + numbers))
    return contents[:at] + block + entry + numbers + crc + magic


def test_the_crafting_itself_is_right(file: Path) -> None:
    assert crafted(file) == file.read_bytes()


@pytest.mark.parametrize("far", [2**31, 2**40, 2**62, 2**63, 2**64 - 1])
def test_places_beyond_the_file_are_told(file: Path, far: int) -> None:
    whole = file.read_bytes()
    for room in [(far, 50, 11), (20, 50, far), (far, 2**32 - 1, far)]:
        file.write_bytes(whole)
        with pytest.raises(TokCodecError):
            read_all(file, crafted(file, room=room))


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"not zstandard",
        zstandard.compress(b""),
        zstandard.compress(bytes(83)),
        zstandard.compress(bytes(84) + b"x"),
        zstandard.compress(b"\xff" * 84),
        zstandard.compress(b"\xff" * 5000),
        b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 2**62) + b"\1\0\0",
    ],
    ids=["empty", "no zstd", "nothing", "short", "long", "ones", "more ones", "boasting"],
)
def test_an_index_block_of_nonsense_is_told(file: Path, block: bytes) -> None:
    with pytest.raises(TokCodecError):
        read_all(file, crafted(file, block))


def test_a_block_that_swells_is_refused_in_bounded_memory(file: Path) -> None:
    """Half a gigabyte of zeros in some kilobytes: no honest block is larger than 68 MB."""
    pytest.importorskip("resource")
    writer = zstandard.ZstdCompressor().compressobj(size=1 << 29)
    block = b"".join(writer.compress(bytes(1 << 20)) for _ in range(1 << 9)) + writer.flush()
    assert len(block) < 100_000
    file.write_bytes(crafted(file, block))
    script = """
import resource, sys
from tokcodec import Bundle
from tokcodec.errors import DamagedBundleError
bundle = Bundle(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    bundle[0]
except DamagedBundleError:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 200


# ---- reading no more than needed


def test_one_stream_is_read_without_the_others(file: Path, streams: list[bytes]) -> None:
    """Every other payload is wiped out."""
    contents = bytearray(file.read_bytes())
    payload = streams[1][8:]
    at = bytes(contents).index(payload)
    first = bytes(contents).index(streams[0][8:])
    last = at + len(payload)
    contents[first:at] = bytes(at - first)
    after = len(streams[2]) - 8
    contents[last : last + after] = bytes(after)
    file.write_bytes(contents)
    assert Bundle(file)[1] == streams[1]


def test_the_bytes_read_do_not_grow_with_the_other_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    big, small = tokcodec.encode(picture, max_bytes=2500), tokcodec.encode(picture, 10)
    Bundle.write(tmp_path / "b.tkb", [big] * 100 + [small] + [big] * 100)
    count = 0
    real = Path.open

    @contextlib.contextmanager
    def counting(self: Path, *args, **kwargs):
        with real(self, *args, **kwargs) as f:
            yield Counting(f)

    class Counting:
        def __init__(self, f) -> None:
            self.f = f

        def __getattr__(self, name: str):
            return getattr(self.f, name)

        def read(self, *args) -> bytes:
            nonlocal count
            found = self.f.read(*args)
            count += len(found)
            return found

    monkeypatch.setattr(Path, "open", counting)
    assert Bundle(tmp_path / "b.tkb")[100] == small
    assert 0 < count < 3 * len(big)
    assert (tmp_path / "b.tkb").stat().st_size > 190 * len(big)
