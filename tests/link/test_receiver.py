"""Receivers: whatever comes in whatever order, the stream's own bytes come out."""

from __future__ import annotations

import doctest
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokcodec
from tokcodec import link
from tokcodec.errors import ArgumentError, StreamError
from tokcodec.link import packet as packets_of
from tokcodec.link.packet import MAX_PACKET, PICTURES, Packet
from tokcodec.link.receiver import MIN_MEMORY, Receiver, Verdict

LOSS = link.independent(0.3)
FORMAT = Path(__file__).parents[2] / "docs" / "FORMAT.md"


class Clock:
    """Seconds as the test likes."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def ten(stream: bytes) -> list[bytes]:
    """The astronaut in ten packets of 51 bytes, picture 7."""
    return link.split(stream, packets=10, picture=7, loss=LOSS)


@pytest.mark.parametrize("check", ["none", "crc8", "crc16"])
@pytest.mark.parametrize("protect", ["priority", "equal", "none"])
@pytest.mark.parametrize("mtu", [11, 51, 222, 1200])
def test_all_packets_give_the_stream(stream: bytes, mtu: int, protect: str, check: str):
    packets = link.split(stream, mtu, protect=protect, check=check, loss=LOSS, picture=200)
    assert max(map(len, packets)) <= mtu
    receiver = Receiver(check)
    for packet in reversed(packets):
        state = receiver.add(packet)
    assert state.complete
    assert state.picture == 200 - 128
    data = receiver.data()
    assert stream.startswith(data)
    # At 30 % loss the end of the stream is not worth its protection.
    least = {"none": 1, "priority": 0.7, "equal": 0.5}[protect]
    assert len(data) >= least * len(stream)
    assert receiver.image(decoder="linear") == tokcodec.decode(data, decoder="linear")


def test_a_complete_picture_is_not_hidden_by_an_unfinished_one(stream: bytes, photograph):
    another = tokcodec.encode(photograph("rocket", 48, 32), max_bytes=90)
    receiver = Receiver()
    for packet in link.split(stream, 60, picture=0, packets=10)[:7]:
        receiver.add(packet)
    for packet in link.split(another, 60, picture=0, packets=2, protect="none"):
        state = receiver.add(packet)
    assert state.complete
    assert receiver.data(0) == receiver.take(0) == another
    assert stream.startswith(receiver.data(0))
    assert receiver.take(0) == b""


def test_room_for_all_means_all(stream: bytes):
    for count in range(16, 26):
        for protect in ("priority", "equal"):
            packets = link.split(
                stream, packets=count, protect=protect, loss=link.independent(0.05)
            )
            receiver = Receiver()
            for packet in packets:
                receiver.add(packet)
            assert len(stream) - len(receiver.data()) <= count, count
            assert stream.startswith(receiver.data())


@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=40, deadline=None)
def test_the_prefix_grows_with_any_packets(stream: bytes, ten: list[bytes], seed: int):
    random = np.random.default_rng(seed)
    receiver, before = Receiver(), b""
    for i in random.permutation(20) % 10:
        state = receiver.add(ten[i])
        data = receiver.data()
        assert stream.startswith(data)
        assert len(data) >= len(before)
        before = data
        assert state.picture == 7
    assert state.complete


@pytest.mark.parametrize("count", [300, 510])
def test_more_packets_than_a_codeword_has_bytes(photograph, count: int):
    data = tokcodec.encode(photograph("coffee", 200, 150), max_bytes=6000)
    packets = link.split(data, 24, packets=count, loss=LOSS)
    assert len(packets) == count
    receiver = Receiver()
    for i in np.random.default_rng(1).permutation(count)[: int(0.75 * count)]:
        receiver.add(packets[i])
    assert data.startswith(receiver.data())
    assert len(receiver.data()) > 1000


def test_pictures_mixed(stream: bytes, photograph):
    others = [tokcodec.encode(photograph(n, 60, 40), max_bytes=200) for n in ("coffee", "camera")]
    streams = {5: stream, 6: others[0], 7: others[1]}
    packets = [p for i, s in streams.items() for p in link.split(s, picture=i, loss=LOSS)]
    receiver = Receiver()
    for i in np.random.default_rng(3).permutation(len(packets)):
        receiver.add(packets[i])
    for i, s in streams.items():
        assert s.startswith(receiver.data(i))
        assert receiver.image(i, decoder="linear").size == tokcodec.decode(s, decoder="linear").size
    assert {state.picture for state in receiver.pictures()} == {5, 6, 7}
    assert receiver.data(8) == b""
    assert receiver.image(8) is None


def test_as_many_pictures_as_there_are_numbers_take_turns(stream: bytes):
    receiver = Receiver()
    several = [link.split(stream, 51, picture=n, protect="none") for n in range(PICTURES)]
    for packet in link.interleave(several):
        receiver.add(packet)
    assert [receiver.data(number) for number in range(PICTURES)] == [stream] * PICTURES


def test_a_picture_that_was_taken_takes_no_memory(stream: bytes, ten: list[bytes]):
    receiver = Receiver()
    for packet in ten[:5]:
        receiver.add(packet)
    assert receiver.take(7) == b""  # not complete
    for packet in ten[5:]:
        receiver.add(packet)
    before = receiver.size
    assert stream.startswith(receiver.take(7))
    assert receiver.size < before
    assert receiver.take(7) == receiver.data(7) == b""
    assert receiver.add(ten[0]).verdict == Verdict.DUPLICATE
    assert receiver.pictures()[0].complete
    with pytest.raises(ArgumentError, match="whole number"):
        receiver.take("7")


def test_nothing_until_the_header(ten: list[bytes]):
    receiver = Receiver()
    assert receiver.image() is None
    assert receiver.data() == b""
    low = len(ten)
    for count, packet in enumerate(ten, 1):
        receiver.add(packet)
        if receiver.data():
            low = min(low, count)
            assert receiver.image(decoder="linear").size == (96, 80)
        else:
            assert receiver.image() is None
    assert 1 < low < 8


def test_options_reach_the_decoder(ten: list[bytes]):
    receiver = Receiver()
    for packet in ten:
        receiver.add(packet)
    assert receiver.image(size=(24, 24), decoder="linear").size == (24, 20)


def test_duplicates_and_damage(stream: bytes, ten: list[bytes]):
    receiver = Receiver()
    assert receiver.add(ten[0]).verdict is Verdict.NEW
    assert receiver.add(ten[0]).verdict is Verdict.DUPLICATE
    damaged = bytearray(ten[1])
    damaged[20] ^= 1
    state = receiver.add(bytes(damaged))
    assert (state.verdict, state.picture) == (Verdict.DAMAGED, None)
    assert receiver.add(bytearray(ten[1])).received == 2
    for nothing in (b"", b"\0", bytes(51), ten[2][:-1], ten[2] + b"\0", bytes(MAX_PACKET + 1)):
        assert receiver.add(nothing).verdict is Verdict.DAMAGED
    with pytest.raises(ArgumentError, match="bytes"):
        receiver.add("text")  # type: ignore[arg-type]


HOSTILE = st.builds(
    lambda picture, scheme, count, place, body: Packet(
        picture, scheme, place % count, count, body
    ),
    st.just(7), st.integers(0, 127), st.integers(1, 512), st.integers(0, 511),
    st.binary(min_size=1, max_size=60),
)  # fmt: skip


@given(hostile=st.lists(HOSTILE, max_size=30), raw=st.lists(st.binary(max_size=60), max_size=10))
@settings(max_examples=40, deadline=None)
def test_false_packets_touch_no_other_picture(
    stream: bytes, ten: list[bytes], hostile: list[Packet], raw: list[bytes]
):
    receiver, alone = Receiver(), Receiver()
    key = packets_of.read(ten[0], "crc8")
    # One that agrees in everything is, without authentication, a packet of the picture.
    false = [
        p for p in hostile
        if (p.scheme, p.count, len(p.body)) != (key.scheme, key.count, len(key.body))
    ]  # fmt: skip
    mixed = [packets_of.write(p, "crc8") for p in false]
    for i, packet in enumerate(ten[1:]):
        for other in (mixed + raw)[i::9]:
            receiver.add(other)
        receiver.add(packet)
        alone.add(packet)
    (found,) = [
        part.prefix()[0]
        for part in receiver._parts()
        if part.key == (7, key.scheme, key.count, len(key.body))
    ]
    assert found == alone.data()


def test_a_flood_of_beginnings_drives_out_beginnings_only(stream: bytes, ten: list[bytes]):
    receiver = Receiver(max_pictures=8)
    for packet in ten[:2]:
        receiver.add(packet)
    random = np.random.default_rng(0)
    for i in range(2000):
        body = random.bytes(1 + i % 50)
        receiver.add(packets_of.write(Packet(i % 128, 1 + i % 120, 0, 1 + i % 255, body), "crc8"))
    assert len(receiver.pictures()) <= 8 + PICTURES
    for packet in ten[2:]:
        receiver.add(packet)
    assert stream.startswith(receiver.data(7))
    assert len(receiver.data(7)) > 100


def test_memory_is_bounded():
    receiver, body = Receiver("none", max_bytes=MIN_MEMORY), bytes(30_000)
    for i in range(60):
        for picture in (1, 2, i % 128):
            receiver.add(packets_of.write(Packet(picture, 100, i, 100, body), "none"))
            assert sum(part.size for part in receiver._parts()) <= MIN_MEMORY
    alone = Receiver("none", max_bytes=MIN_MEMORY)
    packets = [packets_of.write(Packet(1, 100, i, 100, body), "none") for i in range(20)]
    verdicts = [alone.add(packet).verdict for packet in packets]
    assert Verdict.FULL in verdicts
    assert sum(part.size for part in alone._parts()) <= MIN_MEMORY
    with pytest.raises(ArgumentError, match="max_bytes"):
        Receiver(max_bytes=1000)


def test_a_picture_that_was_taken_is_not_asked_for_again(stream: bytes, ten: list[bytes]):
    """While others are on their way."""
    receiver = Receiver()
    for packet in link.split(stream, 60, picture=0, packets=10):
        receiver.add(packet)
    for packet in link.split(stream, 60, picture=1, packets=10)[:-1]:
        receiver.add(packet)
    first = receiver.take(0)
    assert len(first) > 100
    assert stream.startswith(first)
    assert len(receiver.data(1)) > 8
    assert receiver.data(0) == receiver.take(0) == b""
    assert receiver.image(0) is None
    assert receiver.image(decoder="linear") is not None


def test_streams_asked_for_are_not_kept_twice(stream: bytes):
    receiver = Receiver()
    for picture in range(9):
        for packet in link.split(stream, 60, picture=picture, protect="none"):
            receiver.add(packet)
        assert receiver.data(picture) == stream
    assert sum(bool(part._known[1]) for part in receiver._parts()) == 1


def test_numbers_are_free_after_the_timeout(stream: bytes, ten: list[bytes], photograph):
    clock = Clock()
    receiver = Receiver(timeout=60, clock=clock)
    for packet in ten[:6]:
        receiver.add(packet)
    clock.now = 59
    receiver.add(ten[6])
    clock.now = 118
    assert receiver.pictures()[0].received == 7
    clock.now = 120
    assert receiver.pictures() == []
    assert receiver.add(ten[7]).received == 1


def test_duplicates_keep_a_number_in_use(ten: list[bytes]):
    clock = Clock()
    receiver = Receiver(timeout=100, clock=clock)
    for moment, packet in ((0, 0), (0, 1), (90, 1)):
        clock.now = moment
        receiver.add(ten[packet])
    clock.now = 110
    assert receiver.add(ten[2]).received == 3
    clock.now = 211
    assert receiver.pictures() == []


def test_a_duplicate_keeps_only_its_own_picture(stream: bytes):
    clock = Clock()
    receiver = Receiver(timeout=100, clock=clock)
    first, second = (link.split(stream, packets=10, picture=n, loss=LOSS) for n in (1, 2))
    for packet in (*first[:2], *second[:2]):
        receiver.add(packet)
    clock.now = 90
    receiver.add(first[0])
    clock.now = 110
    assert [state.picture for state in receiver.pictures()] == [1]


@pytest.mark.parametrize(
    "options",
    [
        {"check": []}, {"check": "md5"}, {"timeout": 0}, {"timeout": "60"},
        {"timeout": float("nan")}, {"max_pictures": 0}, {"max_pictures": "64"},
        {"max_bytes": None}, {"max_bytes": float("nan")},
    ],
)  # fmt: skip
def test_what_is_refused(options: dict):
    with pytest.raises(ArgumentError):
        Receiver(**options)
    for wrong in ("7", 7.0):
        with pytest.raises(ArgumentError, match="whole number"):
            Receiver().data(wrong)
        with pytest.raises(ArgumentError, match="whole number"):
            Receiver().image(wrong)


def test_damage_past_the_check_is_an_error_of_the_stream():
    receiver = Receiver("none")
    receiver.add(packets_of.write(Packet(0, 0, 0, 1, b"\xffgarbage"), "none"))
    with pytest.raises(StreamError):
        receiver.image()


@given(bodies=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6),
       scheme=st.integers(0, 120))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_contents_are_a_picture_or_a_tokcodec_error(bodies: list[bytes], scheme: int):
    receiver = Receiver("none")
    for i, body in enumerate(bodies):
        receiver.add(packets_of.write(Packet(1, scheme, i, len(bodies), body), "none"))
    receiver.data()
    with suppress(tokcodec.TokCodecError):
        receiver.image(max_pixels=4096, decoder="linear")


def test_the_packages_example():
    assert doctest.testmod(link).failed == 0


def test_the_formats_example():
    section = FORMAT.read_text().partition("## Packets")[2]
    packets = [bytes.fromhex(x) for x in re.findall(r"^0a b8 [0-9a-f ]+$", section, re.M)]
    head = bytes.fromhex("b754200103f03f78")
    expected = {(0, 1, 2, 3): "600ddc66", (0, 1, 2): "600ddc66", (1, 3): "600ddc", (3, 2): "600ddc"}
    for arrived, code in expected.items():
        receiver = Receiver()
        for i in arrived:
            receiver.add(packets[i])
        assert receiver.data() == head + bytes.fromhex(code)
    receiver = Receiver()
    state = receiver.add(packets[2])
    assert (state.picture, state.count, receiver.data(), receiver.data(5)) == (5, 4, b"", b"")
