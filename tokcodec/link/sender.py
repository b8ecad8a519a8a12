"""A stream to the packets that carry it."""

from __future__ import annotations

from math import ceil

from tokcodec.arguments import as_bytes, is_whole
from tokcodec.errors import ArgumentError
from tokcodec.limits import MAX_PIXELS
from tokcodec.link import packet as packets_of
from tokcodec.link import protection
from tokcodec.link.allocation import Plan, choose
from tokcodec.link.channel import Channel, independent
from tokcodec.link.fidelity import decibels, errors
from tokcodec.link.packet import PICTURES, Packet
from tokcodec.link.short import shorten
from tokcodec.pixels.image import WHITE, Colour, Picture
from tokcodec.reference import Given

PROTECTIONS = ("priority", "equal", "none")
LOSS = independent(0.1)


def split(
    data: bytes,
    mtu: int = 51,
    *,
    protect: str = "priority",
    check: str = "crc8",
    picture: int = 0,
    packets: int | None = None,
    loss: Channel | float = LOSS,
    original: Picture | None = None,
    reference: Given | None = None,
    max_pixels: int | None = MAX_PIXELS,
    background: Colour = WHITE,
) -> list[bytes]:
    """A stream to packets of at most `mtu` bytes, of which any show a picture.

    The longer the stream, the more there is to choose from: of one too long for the packets, the
    prefix is sent that shows the best picture on average.

    Args:
        data: a stream, whole or cut.
        mtu: bytes of a packet, with header (4) and check.
        protect: "priority" protects the first bytes most, "equal" all alike, "none" cuts the stream
            into pieces, of which those before the first loss count.
        check: "none" if the link drops damaged packets itself, "crc8" (one byte) or "crc16" (two).
        picture: a number that differs from those of other pictures on the way, counted modulo 128.
        packets: how many to send. Without it as many as the whole stream needs; with protection,
            1 / (1 - loss) times that.
        loss: the link, as far as it is known; a number is what share of the packets is lost.
        original: the picture itself. Protection then fits its own errors instead of those guessed
            from the stream.
        reference: what the picture was encoded with, which the receiver has already. Only
            protection asks for it, and only if the stream does not stand alone.
        max_pixels: protection refuses larger pictures, which it would have to read; None for no
            limit.
        background: RGB to see through transparent parts of the original, as it was encoded.

    Raises:
        StreamError, UnknownModelError: `data` is no stream of a known model.
        ReferenceMismatchError: the stream's reference is missing, or was another.
        ArgumentError: there is no such protection or check, packets are too small, more than 510,
            or above 255, protected and odd; the link loses all of them; the original has another
            size; an argument is of another kind; protection is asked for, and the model is no
            pyramid; reedsolo is missing.
        InputError: the original cannot be read.
        ImageTooLargeError: protection is asked for, and the picture has more than `max_pixels`.
    """
    if not isinstance(protect, str) or protect not in PROTECTIONS:
        raise ArgumentError(f"protect is one of {', '.join(PROTECTIONS)}, not {protect!r:.40}")
    room = packets_of.room(mtu, check)
    data = as_bytes(data)
    if not is_whole(picture):
        raise ArgumentError(f"a picture's number is a whole number, not {picture!r:.40}")
    if not isinstance(loss, Channel):
        loss = independent(loss)
    if not loss.rate < 1:
        raise ArgumentError(f"a link that loses every packet shows no picture: {loss}")
    if packets is not None and not is_whole(packets):
        raise ArgumentError(f"packets are a whole number, not {packets!r:.40}")
    stream = shorten(data)
    count = int(packets) if packets is not None else _enough(len(stream), room, loss, protect)
    if not protection.possible(protection.PLAIN if protect == "none" else 1, count):
        raise ArgumentError(
            f"a picture travels in 1 to {protection.MAX_PACKETS} packets, protected and above 255 "
            f"in an even number, not {count}; send larger packets or fewer bytes"
        )
    if protect == "none":
        plan = Plan(protection.PLAIN, room, min(len(stream), count * room), 0.0)
    else:
        error = errors(data, original, reference, max_pixels, background)
        worth = decibels(error)[len(data) - len(stream) :]
        plan = choose(worth, count, room, loss, protect)
    bodies = _bodies(stream[: plan.used], plan, count)
    number = int(picture) % PICTURES
    return [
        packets_of.write(Packet(number, plan.scheme, i, len(bodies), body), check)
        for i, body in enumerate(bodies)
    ]


def _enough(size: int, room: int, loss: Channel, protect: str) -> int:
    if protect == "none":
        return ceil(size / room)
    count = ceil((size + 1) / (room * (1 - loss.rate)))
    return count + (count > protection.MAX_PACKETS // 2 and count % 2)


def _bodies(stream: bytes, plan: Plan, count: int) -> list[bytes]:
    if plan.scheme == protection.PLAIN:
        return [stream[i : i + plan.length] for i in range(0, len(stream), plan.length)]
    several = protection.groups(count)
    k = protection.curve(plan.scheme, count // several, plan.length)
    filling = several * int(k.sum()) - 1 - len(stream)
    filled = stream + bytes(filling) + bytes((filling,))
    return protection.protect(filled, plan.scheme, count, plan.length)
