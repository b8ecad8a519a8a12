"""Streams that both ends have to the integer coefficients that they stand for."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from tokcodec import registry
from tokcodec.arguments import as_bytes
from tokcodec.coder import codestring
from tokcodec.errors import ArgumentError, DamagedHeaderError, ReferenceMismatchError
from tokcodec.model import Model
from tokcodec.reference.cache import Cache
from tokcodec.reference.field import HASH, Field
from tokcodec.reference.regions import halves
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import Band
from tokcodec.tokens.order import Base, Order, order_for
from tokcodec.tokens.reconstruction import centroids, planes_known

Given = bytes | Sequence[bytes]  # a stream, or several, each after those that it refers to
SINGLE = (bytes, bytearray, memoryview)  # what a stream may be
MAX_CHAIN = 100  # streams of a chain
_ABOUT = struct.Struct(">IIBQ")  # width, height, channels, digits


@dataclass(frozen=True, eq=False)
class Reference:
    """What a stream determines of a picture.

    Attributes:
        order: of its size and channels, as of a picture that stands alone.
        values: a band each, int32 (height, width), in steps of the band's finest plane.
        planes: how many planes of each band are known, see `reconstruction.planes_known`.
        digits: how many its longest stream determines, of those that lead to it.
        hash: four bytes by which a picture names its reference.
    """

    order: Order
    values: tuple[np.ndarray, ...]
    planes: tuple[float, ...]
    digits: int
    hash: bytes

    @property
    def size(self) -> int:
        """Bytes that its coefficients take."""
        return sum(v.nbytes for v in self.values)


def opened(given: Given, order: Order) -> Reference:
    """The reference of a picture of this order.

    Args:
        given: a stream; or several, each of which refers to the one before it or stands alone. The
            last one is the reference; what comes before one that stands alone is not looked at.

    Raises:
        ArgumentError: it is something else than streams, or more than `MAX_CHAIN`.
        ReferenceMismatchError: a stream is of another size, model or colour, or what it refers to
            is missing or differs.
        StreamError: a stream's header is damaged.
    """
    streams: tuple[bytes, ...] = ()
    for stream in reversed(listed(given, "a reference")):
        streams = stream, *streams
        if headers.parse(stream)[0].reference is None:
            break
    for stream in streams:
        if _checked(stream, order).grey != (order.channels == 1):
            words = ("in colour", "grey") if order.channels == 1 else ("grey", "in colour")
            raise ReferenceMismatchError("the reference is {}, the picture {}".format(*words))
    return _cached(order.model, streams)


def usable(given: Given, order: Order) -> Reference | None:
    """The reference for a picture of this order that is yet to be written. None if it is grey and
    the picture in colour, or the other way about, as when a camera turns to infrared: there the
    picture stands alone. Arguments and errors else as for `opened`.
    """
    last = _checked(listed(given, "a reference")[-1], order)
    return opened(given, order) if last.grey == (order.channels == 1) else None


def listed(given: Given, what: str) -> tuple[bytes, ...]:
    """A stream, or several, as a list of them; `what` it is, for the message.

    Raises:
        ArgumentError: it is something else than streams, or more than `MAX_CHAIN`.
    """
    several = cast(Sequence[bytes], [given] if isinstance(given, SINGLE) else given)
    if isinstance(several, str) or not isinstance(several, Sequence):
        raise ArgumentError(f"{what} is a stream or a list of them, not {type(given).__name__}")
    streams = tuple(as_bytes(s) for s in several)
    if not 1 <= len(streams) <= MAX_CHAIN:
        raise ArgumentError(f"{what} is 1 to {MAX_CHAIN} streams, not {len(streams)}")
    return streams


def onto(order: Order, header: Header, given: Given | None) -> Order:
    """The order of a picture's digits with what they are added to; `order` itself if the picture
    stands alone.

    Raises:
        ReferenceMismatchError: the picture needs a reference that is missing, or another one.
        DamagedHeaderError: the header's field of the reference cannot be read.
        Others: see `opened`.
    """
    if header.reference is None:
        return order
    field = Field.parse(header.reference, order.height, order.width)
    return _added(order, field, None if given is None else opened(given, order))


def named(header: Header) -> str | None:
    """The hash of a picture's reference, eight hexadecimal digits; None if it stands alone.

    Raises:
        DamagedHeaderError: the header's field of the reference is too short for one.
    """
    data = header.reference
    if data is not None and len(data) <= HASH:
        raise DamagedHeaderError("the header's field of the reference is damaged")
    return None if data is None else data[:HASH].hex()


def based(reference: Reference, field: Field) -> Base:
    """What a picture takes of its reference: in each region as many halves as the field says."""
    order = reference.order
    values = []
    for band, known in zip(order.bands, reference.values, strict=True):
        values.append((known * halves(order, band, field)) >> 1)
    return Base(values, list(reference.planes), float(field.weights.mean()) / 2)


def integers(known: Knowledge, band: int) -> np.ndarray:
    """What is known of a band, base included, int32 (height, width), in steps of its finest
    plane.
    """
    order, values, plane = known.order, known.values(band), known.plane[band]
    b, planes = order.bands[band], order.planes[band]
    total = np.zeros((b.height, b.width), np.int64)
    if values is not None:
        inside = values.astype(np.int64)
        total = _middles(order.model, b, inside, plane, planes)
        late = known.late(band)
        if len(late):
            flat, before = total.reshape(-1), inside.reshape(-1)[late] // 3
            flat[late] = _middles(order.model, b, before, plane - 1, planes) if plane else 0
    if order.base is not None:
        total += order.base.values[band]
    limit = (3**planes - 1) // 2
    return np.clip(total, -limit, limit).astype(np.int32)


def _middles(model: Model, band: Band, q: np.ndarray, plane: int, planes: int) -> np.ndarray:
    """Integers in steps of `plane` to integers in steps of the finest of `planes`, at the centroids
    of training: `reconstruction.reconstruct` in whole numbers, equal on every machine.
    """
    first, later = centroids(model, band, plane)
    magnitude = np.abs(q)
    shrink = np.where(magnitude > 1, later, first)
    fine = ((magnitude << 15) - shrink) * 3 ** (planes - 1 - plane)
    return np.where(magnitude > 0, np.sign(q) * ((fine + (1 << 14)) >> 15), 0)


def _read(model: Model, streams: tuple[bytes, ...]) -> Reference:
    header, length = headers.parse(streams[-1])
    form = header.height, header.width, 1 if header.grey else 3
    order, digits = order_for(model, *form), 0
    if header.reference is not None:
        field = Field.parse(header.reference, header.height, header.width)
        before = _cached(model, streams[:-1]) if len(streams) > 1 else None
        order, digits = _added(order, field, before), before.digits if before else 0
    reading = codestring.read(order, streams[-1][length:])
    bands = range(len(order.bands))
    values = tuple(integers(reading.known, i) for i in bands)
    digest = hashlib.sha256(model.sha256)
    digest.update(_ABOUT.pack(order.width, order.height, order.channels, reading.total))
    for value in values:
        digest.update(value.astype(">i4").tobytes())
        value.setflags(write=False)
    planes = tuple(planes_known(reading.known, i) for i in bands)
    digits = max(digits, reading.total)
    plain = order_for(model, *form)  # a large picture's without the index arrays of reading
    return Reference(plain, values, planes, digits, digest.digest()[:HASH])


_cached = Cache(_read)


def _added(order: Order, field: Field, found: Reference | None) -> Order:
    """The order with what a field takes of the reference that was found."""
    if found is None:
        raise ReferenceMismatchError(
            f"the picture tells what has changed since its reference ({field.hash.hex()}), which "
            "is missing: pass the stream that it was written with as reference"
        )
    if found.hash != field.hash:
        raise ReferenceMismatchError(
            f"the picture was written with the reference {field.hash.hex()}, and this one is "
            f"{found.hash.hex()}: another picture, or the same one cut elsewhere or damaged"
        )
    return order.onto(based(found, field))


def _checked(stream: bytes, order: Order) -> Header:
    """The header of a stream of this order's model and size; others are refused."""
    header, length = headers.parse(stream)
    if (header.model, header.hash) != registry.code_of(order.model):
        raise ReferenceMismatchError(
            f"the reference was written by another model than the picture's, {order.model.name}: "
            "encode one of the two anew, with the other's model"
        )
    headers.check(stream[:length], order.model.sha256)
    if (header.width, header.height) != (order.width, order.height):
        raise ReferenceMismatchError(
            f"the reference has {header.width} x {header.height} pixels, the picture "
            f"{order.width} x {order.height}"
        )
    return header
