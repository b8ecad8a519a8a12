"""Pictures, or a camera's folder, to a transport: what `tokcodec send` does."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tokcodec
from tokcodec import link
from tokcodec.codec import Codec
from tokcodec.errors import (
    ArgumentError,
    ImageTooLargeError,
    InputError,
    LinkError,
    ReferenceMismatchError,
    StreamError,
    TokCodecError,
    UnknownModelError,
)
from tokcodec.files import read
from tokcodec.pixels.image import check_pixels, suffixes
from tokcodec.register.codec import RegisterCodec
from tokcodec.stream.header import SUFFIX
from tokcodec.terminal import complain, say, stopping
from tokcodec.transport import message
from tokcodec.transport.address import Address
from tokcodec.transport.fault import of_picture
from tokcodec.transport.folder import Folder
from tokcodec.transport.senders import BLACK, Cutting, Sender, open_sender
from tokcodec.transport.spool import File, Spool, Waiting

SPOOL = ".tokcodec-spool.sqlite"
SHARE = 5  # a look at a folder of many files is followed by a pause so many times as long
PATIENCE = 5.0  # seconds without a picture sent before that is told
PIECE = 1 << 20  # bytes read at once
LOOK = 1.0  # seconds between two looks at a folder; a picture on its way is waited for so long
# What one picture meets with these options and could be sent with others: a header that is longer
# than what may be sent, more pixels than are allowed, a stream of a model that is not here.
_UNSUITED = (ArgumentError, ImageTooLargeError, UnknownModelError)


def send(args: argparse.Namespace, codec: Codec | RegisterCodec, references: list[bytes]) -> int:
    """Send pictures, or all that come into a folder; 0 if all were sent."""
    if bool(args.inputs) == bool(args.watch):
        raise ArgumentError("say what to send: pictures, or --watch DIR, not both")
    if not (args.timeout > 0 and args.settle >= 0):
        raise ArgumentError("--timeout is above 0, --settle at least 0")
    check_pixels(1, 1, args.max_pixels)
    bursts = args.burst is not None
    loss = link.bursty(args.loss, args.burst) if bursts else link.independent(args.loss)
    reference = references or None
    given = {"quality": args.quality, "effort": args.effort, "reference": reference}
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    said["max_pixels"] = args.max_pixels
    alone = {name: value for name, value in said.items() if name != "reference"}
    cutting = Cutting(
        args.mtu, args.max_bytes, args.protect, args.check, loss, args.forget, args.rate,
        args.together, reference, args.max_pixels,
    )  # fmt: skip
    with open_sender(Address.parse(args.to), args.qos, cutting) as sender:
        sender.check(lambda: codec.encode(BLACK))
        room = sender.room(args.max_bytes)
        if args.watch and isinstance(codec, Codec):  # before the camera's first picture does
            codec.encode(BLACK, args.budget, room, args.psnr, **alone)

        def stream_of(path: Path) -> bytes:
            if path.suffix.lower() == SUFFIX:
                return _stream(path, room, args.max_pixels)
            try:
                return codec.encode(path, args.budget, room, args.psnr, **said)
            except ReferenceMismatchError as e:
                if not args.watch:
                    raise
                complain(f"{path}: {e}; sent without it")  # the camera was set to another size
                return codec.encode(path, args.budget, room, args.psnr, **alone)

        if args.watch:
            return _watch(args, sender, stream_of)
        return _send_each([Path(name) for name in args.inputs], sender, stream_of, args.timeout)


class _Ready(NamedTuple):
    """A picture to be sent now."""

    path: Path
    id: bytes
    stream: bytes


def _send_each(
    paths: list[Path], sender: Sender, stream_of: Callable[[Path], bytes], timeout: float
) -> int:
    failed = 0
    for at in range(0, len(paths), sender.together):
        found: list[_Ready] = []
        for path in paths[at : at + sender.together]:
            try:
                stream = stream_of(path)
                found.append(_Ready(path, message.picture_id(stream, *_file(path)), stream))
            except TokCodecError as e:
                failed += 1
                complain(f"{path}: {e}")
        failed += _send_together(found, sender, timeout)
    return 1 if failed else 0


def _send_together(pictures: list[_Ready], sender: Sender, timeout: float) -> int:
    """How many could not be sent."""
    try:
        sizes = sender.send([(each.id, each.stream) for each in pictures], timeout)
    except TokCodecError as e:
        if len(pictures) > 1 and not isinstance(e, LinkError):  # it is the fault of some of them
            return sum(_send_together([each], sender, timeout) for each in pictures)
        complain(f"{', '.join(str(each.path) for each in pictures)}: {e}")
        return len(pictures)
    for each, size in zip(pictures, sizes, strict=True):
        name = f" as {each.id.hex()}" if sender.tells_ids else ""
        say(f"{each.path}: {size} bytes sent{name}")
    return 0


def _file(path: Path) -> tuple[str, ...]:
    """What tells one picture from another that looks the same."""
    try:
        return path.name, str(path.stat().st_mtime_ns)
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror or e}") from e


def _watch(args: argparse.Namespace, sender: Sender, stream_of: Callable[[Path], bytes]) -> int:
    """Take finished pictures into the spool, and send what is in the spool, again and again."""
    folder = Folder(args.watch, {*suffixes(), SUFFIX}, args.settle)
    with Spool(args.spool or args.watch / SPOOL) as spool, stopping():
        drain, take = _Drain(spool, sender), _Take(spool, folder, stream_of)
        told: set[str] = set()

        def failed() -> bool:
            return bool(take.refused or take.unread or folder.closed or drain.given_up)

        try:
            while True:
                start = time.monotonic()
                spool.check()
                files = folder.finished(spool.knows)
                for name, why in folder.closed.items():
                    if name not in told:
                        complain(f"{name}: {why}; looked at again later")
                told = set(folder.closed)
                take.unread &= folder.waiting
                pause = max(LOOK, SHARE * (time.monotonic() - start))
                look = time.monotonic() + LOOK
                for file in files:
                    take(file)
                    if time.monotonic() >= look:  # there are many: send some before the next
                        drain(LOOK)
                        look = time.monotonic() + LOOK
                drain(LOOK)
                if args.once and folder.waiting <= take.unread and drain.through:
                    return 1 if failed() else 0
                time.sleep(max(0.0, start + pause - time.monotonic()))
        except KeyboardInterrupt:
            complain(f"stopped; {len(spool)} pictures wait in the spool")
            return 1 if failed() else 0


class _Take:
    """From the folder to the spool.

    Attributes:
        refused: how many are no pictures, as far as can be told.
        unread: files that are there and that the system does not give, or that cannot be sent with
            the models and limits of this start: they may be read later.
    """

    def __init__(self, spool: Spool, folder: Folder, stream_of: Callable[[Path], bytes]) -> None:
        self._spool, self._folder, self._stream_of = spool, folder, stream_of
        self.refused, self.unread = 0, set[File]()

    def __call__(self, file: File) -> None:
        """Queue a picture. One that was read and is none is reported, and left until it changes;
        one that has changed since it rested, is gone or may be read later is left to the next look.

        Raises:
            TokCodecError: it is not the picture's fault, but would meet them all.
        """
        if self._folder.about(file.name) != file:
            self.unread.discard(file)
            return
        path, stream = self._folder.path / file.name, None
        try:
            stream = self._stream_of(path)
        except TokCodecError as e:
            if not (of_picture(e) or isinstance(e, _UNSUITED)):
                raise type(e)(f"{path}: {e}") from e
            later = isinstance(e, _UNSUITED) or not self._whole(path, file)
            if later and self._folder.about(file.name) == file:
                if file not in self.unread:
                    complain(f"{path}: {e}; looked at again later")
                self.unread.add(file)
                return
            wrong = e
        if self._folder.about(file.name) != file:
            return  # half of it may be of before, half of after
        self.unread.discard(file)
        if stream is None:
            complain(f"{path}: {wrong}")
            self._spool.take(file, b"", None)
            self.refused += 1
            return
        identity = message.picture_id(stream, self._spool.sender, file.name, str(file.time))
        self._spool.take(file, identity, stream)
        say(f"{path}: waits as {identity.hex()}")  # by which it is known from here on

    @staticmethod
    def _whole(path: Path, file: File) -> bool:
        """Whether the system gives all of a file's bytes."""
        try:
            with path.open("rb") as f:
                return sum(map(len, iter(lambda: f.read(PIECE), b""))) == file.size
        except OSError:
            return False


class _Drain:
    """From the spool to the link; says once when that is gone.

    Attributes:
        given_up: how many could not be sent. Those of which an option is the cause stay in the
            spool, for a start with others.
    """

    def __init__(self, spool: Spool, sender: Sender) -> None:
        self._spool, self._sender = spool, sender
        self._good, self._told = time.monotonic(), False
        self._most, self.given_up = sender.together, 0
        self._behind = 0  # the place of the last one that was given up: all before it is done with
        self._batch: list[Waiting] = []  # what was begun: a link that comes back goes on with it

    @property
    def through(self) -> bool:
        """Whether all is sent that can be."""
        return not self._spool.first(1, self._behind)

    def __call__(self, seconds: float) -> None:
        """Send what waits until the spool is empty or the time is up."""
        until = time.monotonic() + seconds
        while batch := self._batch or self._spool.first(self._most, self._behind):
            left = until - time.monotonic()
            if left <= 0:
                return
            self._batch = batch
            try:
                sizes = self._sender.send([(w.id, w.stream) for w in batch], left)
            except LinkError as e:
                if not self._told and time.monotonic() - self._good > PATIENCE:
                    complain(f"{e}; {len(self._spool)} pictures wait")
                    self._told = True
                return
            except (*_UNSUITED, StreamError) as e:
                self._batch = []
                self._give_up(batch, e)
                continue
            self._batch = []
            self._good, self._told = time.monotonic(), False
            for waiting, size in zip(batch, sizes, strict=True):
                self._spool.sent(waiting)
                say(f"{waiting.id.hex()}: {size} bytes sent")
        self._good = time.monotonic()

    def _give_up(self, batch: list[Waiting], e: TokCodecError) -> None:
        """Pass by what cannot be sent, so that the others can."""
        if len(batch) > 1:  # nothing of them has gone out; one by one they show whose fault it is
            self._most = 1
            return
        if of_picture(e) and not isinstance(e, _UNSUITED):
            complain(f"{batch[0].id.hex()}: {e}; given up")
            self._spool.sent(batch[0])
        else:
            complain(f"{batch[0].id.hex()}: {e}; given up, and kept in the spool")
            self._behind = batch[0].place
        self.given_up += 1
        self._most = self._sender.together


def _stream(path: Path, room: int | None, max_pixels: int) -> bytes:
    """A stream that is there already, cut if it is too long."""
    data = read(path)
    found = tokcodec.info(data, count=False)
    check_pixels(found.width, found.height, max_pixels)
    return data if room is None else tokcodec.cut(data, max_bytes=room)
