"""Packets of many senders to the pictures that grow from them, in bounded memory."""

from __future__ import annotations

import tracemalloc

import pytest

import tokcodec
from tests.transport.clock import Clock
from tokcodec import link
from tokcodec.link import packet as packets_of
from tokcodec.link.packet import Packet
from tokcodec.transport.gather import MAX_SENDERS, MAX_WAITING, OWN, SHARED, Gatherer


@pytest.mark.parametrize("check", ["none", "crc16"])
def test_pictures_grow_and_keep_their_id(stream: bytes, check: str):
    packets = link.split(stream, 51, packets=12, picture=3, check=check)
    gatherer, found = Gatherer(check, 10), []
    for packet in packets:
        gatherer.add(packet, "here")
        found += gatherer.grown()
    assert len({picture.id for picture in found}) == 1
    sizes = [len(picture.stream) for picture in found]
    assert sizes == sorted(set(sizes))
    assert found[-1].complete
    assert all(stream.startswith(picture.stream) for picture in found)
    assert list(gatherer.grown()) == []


def test_numbers_of_different_senders_and_times_do_not_meet(stream: bytes, photograph):
    clock = Clock()
    other = tokcodec.encode(photograph("coffee", 60, 40), max_bytes=300)
    gatherer, found = Gatherer("crc8", 10, clock), []
    for packet, second in zip(link.split(stream, 51), link.split(other, 51), strict=False):
        gatherer.add(packet, "here")
        gatherer.add(second, "there")
        found += gatherer.grown()
    assert len({picture.id for picture in found}) == 2
    for _ in range(3):  # the same picture under its number again, after the time-out
        clock.now += 11
        for packet in link.split(stream, 51):
            gatherer.add(packet, "here")
        found += gatherer.grown()
    assert len({picture.id for picture in found}) == 5


def test_senders_that_are_done_make_room(stream: bytes):
    (packet,) = link.split(stream, 2000, protect="none")
    gatherer = Gatherer("crc8", 10)
    for sender in range(2 * MAX_SENDERS):
        assert gatherer.add(packet, sender)
    assert len(gatherer._senders) == MAX_SENDERS
    found = list(gatherer.grown())
    assert len({picture.id for picture in found}) == 2 * MAX_SENDERS
    assert all((picture.stream, picture.complete) == (stream, True) for picture in found)
    assert list(gatherer.grown()) == []
    most = MAX_WAITING
    for sender in range(3 * most):
        gatherer.add(packet, sender)
    assert len(list(gatherer.grown())) == most
    assert gatherer.missed == 2 * most


def test_a_crowd_drives_nobody_out(stream: bytes):
    """Each sends a packet in turn: whoever is in the middle of a picture stays."""
    clock = Clock()
    gatherer = Gatherer("crc8", 10, clock)
    packets = link.split(stream, 51)
    for packet in packets:
        for sender in range(MAX_SENDERS + 3):
            gatherer.add(packet, sender)
    found = list(gatherer.grown())
    assert len(found) == len({picture.id for picture in found}) == MAX_SENDERS
    assert all(picture.complete for picture in found)
    assert gatherer.unheard == 3 * (len(packets) - 1)  # of the last there was room for all
    clock.now += 11
    gatherer.add(packets[0], "later")
    assert gatherer.unheard == 3 * (len(packets) - 1)


def test_bytes_that_are_no_packet_come_from_nobody(stream: bytes):
    gatherer = Gatherer("crc8", 10)
    packets = link.split(stream, 51)
    for packet in packets:
        for sender in range(2 * MAX_SENDERS):
            assert not gatherer.add(b"x", sender)
        gatherer.add(packet, "here")
    assert len({picture.id for picture in gatherer.grown()}) == 1
    assert len(gatherer._senders) == 1


def test_a_picture_is_shown_again_until_it_was_dealt_with(stream: bytes):
    (packet,) = link.split(stream, 2000, protect="none")
    gatherer = Gatherer("crc8", 10)
    for sender in range(MAX_SENDERS + 1):  # the first of them is forgotten by now
        gatherer.add(packet, sender)
    ids = [next(gatherer.grown()).id]  # something goes wrong there
    found = list(gatherer.grown())
    assert found[0].id == ids[0]
    assert len(found) == MAX_SENDERS + 1
    gatherer.add(packet, "another")
    shown = next(gatherer.grown())
    assert [shown] == list(gatherer.grown())


def test_pictures_that_were_shown_take_no_memory(photograph):
    """What was shown of 128 numbers would otherwise be a multiple of what the receiver keeps."""
    large = tokcodec.encode(photograph("coffee", 200, 300), psnr=44)
    gatherer = Gatherer("none", 1000)
    tracemalloc.start()
    try:
        for number in range(128):
            packets = link.split(large, 8000, protect="none", check="none", picture=number)
            for packet in packets:
                gatherer.add(packet, "here")
            assert all(picture.complete for picture in gatherer.grown())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(large) * 128 > 8 * OWN
    assert held < 4 * OWN


def test_as_large_a_picture_as_can_be_sent_and_many_at_once(photograph):
    large = tokcodec.encode(photograph("coffee", 600, 800), psnr=50)
    small = tokcodec.encode(photograph("coffee", 60, 80), max_bytes=90)
    assert len(large) > 300_000
    gatherer = Gatherer("crc16", 10)
    packets = [
        *link.interleave([link.split(large, 1200, picture=n, check="crc16") for n in range(4)]),
        *link.interleave([link.split(small, 51, picture=n, check="crc16") for n in range(4, 128)]),
    ]
    for packet in packets:
        gatherer.add(packet, "here")
    found = list(gatherer.grown())
    assert [picture.complete for picture in found] == 128 * [True]
    assert all(large.startswith(picture.stream) for picture in found[:4])
    assert all(small.startswith(picture.stream) for picture in found[4:])
    assert gatherer.crowded == gatherer.missed == 0


def test_pictures_that_are_complete_between_two_looks_are_all_shown(stream: bytes):
    gatherer = Gatherer("crc8", 10)
    for number in range(100):
        for packet in link.split(stream, 400, picture=number):
            gatherer.add(packet, "here")
    assert len({picture.id for picture in gatherer.grown()}) == 100


def test_memory_is_shared_and_what_has_no_room_is_counted(stream: bytes):
    gatherer = Gatherer("none", 10)
    body = bytes(60_000)
    for i in range(SHARED // len(body)):
        for sender in range(3):
            packet = packets_of.write(Packet(i % 128, 1, i % 9, 200, body), "none")
            gatherer.add(packet, sender)
    assert gatherer.crowded
    held = sum(sender.receiver.size for sender in gatherer._senders.values())
    assert SHARED / 2 < held < SHARED + 3 * OWN
    (small,) = link.split(stream, 2000, check="none", protect="none")
    assert gatherer.add(small, "another")  # has room of its own


def test_pictures_that_are_never_complete_are_counted(stream: bytes):
    clock = Clock()
    gatherer = Gatherer("crc8", 10, clock)
    first, *_ = link.split(stream, 200, protect="none")
    gatherer.add(first, "here")
    assert [picture.complete for picture in gatherer.grown()] == [False]
    clock.now = 11
    assert list(gatherer.grown()) == []
    assert gatherer.broken == 1
    _, *rest = link.split(stream, 200, protect="none")
    for packet in rest:  # of which nothing can be shown
        gatherer.add(packet, "here")
    assert list(gatherer.grown()) == []
    clock.now = 22
    assert list(gatherer.grown()) == []
    assert gatherer.broken == 2


def test_a_number_that_comes_again_soon_costs_no_picture(stream: bytes, photograph):
    """A sender that was started anew counts from 0 again."""
    another = tokcodec.encode(photograph("rocket", 48, 32), max_bytes=90)
    before = link.split(stream, 60, picture=0, packets=10)[:7]
    after = link.split(another, 60, picture=0, packets=2, protect="none")
    gatherer = Gatherer("crc8", 30)
    for packet in [*before, *after]:
        gatherer.add(packet, "here")
    found = {picture.complete: picture for picture in gatherer.grown()}
    assert found[True].stream == another
    assert len(found[False].stream) > 8
    assert stream.startswith(found[False].stream)
    assert found[True].id != found[False].id
    assert list(gatherer.grown()) == []
    for packet in after:  # and once more, of the picture that was handed out
        gatherer.add(packet, "here")
    assert list(gatherer.grown()) == []


def test_numbers_that_are_taken_by_others_are_broken_pictures(stream: bytes, photograph):
    another = tokcodec.encode(photograph("rocket", 48, 32), max_bytes=90)
    clock = Clock()
    gatherer = Gatherer("crc8", 30, clock)
    for packets in (link.split(stream, 60, picture=0)[:5], link.split(another, 30, picture=0)[:4]):
        for packet in packets:
            gatherer.add(packet, "here")
        assert len(list(gatherer.grown())) >= 1
    clock.now = 60
    assert list(gatherer.grown()) == []
    assert gatherer.broken == 2


def test_a_picture_was_taken_and_its_number_comes_again(stream: bytes, photograph):
    """Complete, then another is on its way, then the number of the first is another's."""
    another = tokcodec.encode(photograph("rocket", 48, 32), max_bytes=90)
    gatherer = Gatherer("crc8", 30)
    found = []
    for packets in (
        link.split(stream, 60, picture=0, packets=10),
        link.split(stream, 60, picture=1, packets=10)[:7],
        link.split(another, 60, picture=0, packets=4),
    ):
        for packet in packets:
            gatherer.add(packet, "here")
        found += gatherer.grown()
    assert [picture.complete for picture in found] == [True, False, True]
    assert another.startswith(found[2].stream)
