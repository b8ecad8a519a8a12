"""What arrives at a transport to files: what `tokcodec receive` does."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

import tokcodec
from tokcodec import decoders
from tokcodec.errors import (
    ArgumentError,
    LinkError,
    OutputError,
    ReferenceMismatchError,
    StreamError,
    TokCodecError,
    UnknownFieldError,
    UnknownModelError,
    UnsupportedVersionError,
)
from tokcodec.pixels.image import check_pixels
from tokcodec.stream.header import SUFFIX
from tokcodec.terminal import complain, say, stopping
from tokcodec.transport import message
from tokcodec.transport.address import Address
from tokcodec.transport.fault import of_picture
from tokcodec.transport.gather import MAX_SENDERS, Gatherer
from tokcodec.transport.interface import Source
from tokcodec.transport.read_ahead import ReadAhead
from tokcodec.transport.store import Store
from tokcodec.transport.udp import UdpSource

UPDATE = 0.5  # seconds between two looks whether pictures in packets have grown
MIN_WAIT = 1e-3  # seconds that are waited for a packet
PATIENCE = 5.0  # seconds in which no message can arrive before that is told


def receive(args: argparse.Namespace, references: list[bytes]) -> int:
    """Store what arrives until enough has, or the program is told to stop; 0."""
    address = Address.parse(args.source)
    suffix = args.suffix.lower() if args.suffix.startswith(".") else f".{args.suffix.lower()}"
    if args.count is not None and args.count < 1:
        raise ArgumentError(f"--count is at least 1, not {args.count}")
    if args.by_topic and address.scheme == "udp":
        raise ArgumentError("--by-topic is for MQTT and Zenoh: packets over UDP have no topic")
    check_pixels(1, 1, args.max_pixels)
    options: dict[str, Any] = {"reference": references} if references else {}

    def draw(stream: bytes) -> Image.Image:
        return tokcodec.decode(stream, decoder=args.decoder, max_pixels=args.max_pixels, **options)

    def check() -> None:
        """Tell what is wrong with the decoder before anything is stored."""
        if suffix != SUFFIX:
            decoders.find(args.decoder)

    with Store(args.out, suffix, draw) as store, stopping():
        if address.scheme == "udp":
            # First of all: nobody keeps packets, and a network may take seconds to load.
            with ReadAhead(UdpSource(address.host, address.port)) as source:
                check()
                _tell_that_it_listens(address)
                return _gather(args, source, store)
        check()
        return _collect(args, address, store)


def _tell_that_it_listens(address: Address) -> None:
    complain(f"listening at {address}")


def _collect(args: argparse.Namespace, address: Address, store: Store) -> int:
    """Messages to files."""
    stored = 0
    with _source(args, address, store) as source:
        try:
            for data in _arriving(source, address):
                try:
                    identity, stream = message.taken_apart(data)
                    topic = source.topic if args.by_topic else ""
                    put = partial(store.put, topic=topic)
                    path = _kept(put, identity, stream, _of_this_one)
                except StreamError as e:
                    complain(f"a message of {len(data)} bytes dropped: {e}")
                    continue
                if path is not None:
                    say(f"{path}: {len(stream)} bytes")
                    stored += 1
                if args.count is not None and stored >= args.count:
                    source.receive(0)  # the last one is dealt with
                    break
        except KeyboardInterrupt:
            pass
    return 0


Kept = TypeVar("Kept", bound=Path | None)


def _kept(
    write: Callable[..., Kept],
    identity: bytes,
    stream: bytes,
    forgiven: Callable[[TokCodecError], bool],
) -> Kept:
    """Store a picture; what cannot be read, drawn or saved here as the stream that it came as,
    since it may be elsewhere, or here with another model, reference or suffix.

    Args:
        write: `Store.put` or `Store.replace`.
        forgiven: what may be wrong with it; else the receiver stops.

    Raises:
        StreamError: it begins as no stream does, of whatever version.
    """
    try:
        message.check(stream)
    except (UnknownModelError, UnsupportedVersionError, UnknownFieldError) as e:
        unread: TokCodecError = e
    else:
        try:
            return write(identity, stream)
        except TokCodecError as e:
            if isinstance(e, OutputError) or not forgiven(e):
                raise
            unread = e
    path = write(identity, stream, drawn=False)
    if path is not None:
        complain(f"{path}: kept as it came: {unread}")
    return path


def _of_this_one(e: TokCodecError) -> bool:
    """Whether other pictures may be well: if not, they stay with the broker until it is mended."""
    return of_picture(e) or isinstance(e, (UnknownModelError, ReferenceMismatchError))


def _arriving(source: Source, address: Address) -> Iterator[bytes]:
    """Messages as they come; tells when none can come any more, and when they can again."""
    listens: bool | None = None  # as it was told
    while True:
        try:
            source.wait(PATIENCE)
        except LinkError as e:
            if listens is not False:
                complain(f"{e}; waiting for it")
            listens = False
        else:
            if not listens:
                _tell_that_it_listens(address)
            listens = True
        data = source.receive(PATIENCE)
        if data is not None:
            yield data


def _source(args: argparse.Namespace, address: Address, store: Store) -> Source:
    if address.scheme == "zenoh":
        from tokcodec.transport.zenoh import ZenohSource

        return ZenohSource(address, args.listen)
    from tokcodec.transport.mqtt import MqttSource

    name = args.name or store.name(f"{address.host}:{address.port}", address.path)
    return MqttSource(address, args.qos, name)


def _gather(args: argparse.Namespace, source: ReadAhead, store: Store) -> int:
    """Packets to files."""
    if not args.forget > 0:
        raise ArgumentError(f"--forget is some seconds above 0, not {args.forget:g}")
    gathering = _Gathering(source, Gatherer(args.check, args.forget), store)
    try:
        gathering.run(args.count)
    except KeyboardInterrupt:
        gathering.finish()
    return 0


class _Gathering:
    """Packets to files, which are replaced as their pictures grow."""

    def __init__(self, source: ReadAhead, gatherer: Gatherer, store: Store) -> None:
        self._source, self._gatherer, self._store = source, gatherer, store
        self._complete, self._told = 0, set[str]()

    def run(self, count: int | None) -> None:
        """Until so many pictures are complete or broken."""
        look, ready = time.monotonic() + UPDATE, False
        while count is None or self._complete + self._gatherer.broken < count:
            wait = max(MIN_WAIT, 0 if ready else look - time.monotonic())
            found = self._source.receive_from(wait)
            if found is not None:
                ready |= self._gatherer.add(*found)
            # A picture that is complete is written as soon as no packet waits.
            if (ready and found is None) or time.monotonic() >= look:
                self._write()
                look, ready = time.monotonic() + UPDATE, False

    def finish(self) -> None:
        """Take what has arrived already."""
        while (found := self._source.receive_from(0)) is not None:
            self._gatherer.add(*found)
        self._write()

    def _write(self) -> None:
        for picture in self._gatherer.grown():
            try:  # whatever is wrong: nobody keeps packets, so stopping saves none
                path = _kept(self._store.replace, picture.id, picture.stream, lambda e: True)
            except StreamError as e:
                complain(f"a picture dropped: {e}")
                continue
            state = "complete" if picture.complete else "so far"
            say(f"{path}: {len(picture.stream)} bytes, {state}")
            self._complete += picture.complete
        self._tell_losses()

    def _tell_losses(self) -> None:
        """Each kind once."""
        gatherer = self._gatherer
        crowd = f"more than {MAX_SENDERS} senders at once: some are not listened to"
        for lost, why in (
            (gatherer.unheard, crowd),
            (gatherer.crowded, "no memory for all packets: pictures are too large, or too many"),
            (gatherer.missed, "pictures come faster than they are stored: some are lost"),
            (self._source.missed, "packets come faster than they are looked at: some are lost"),
        ):
            if lost and why not in self._told:
                self._told.add(why)
                complain(why)
