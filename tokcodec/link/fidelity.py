"""A stream to the squared error that each of its prefixes leaves."""

from __future__ import annotations

import numpy as np

from tokcodec import reference as references
from tokcodec import registry
from tokcodec.coder import codestring
from tokcodec.distortion import Curve
from tokcodec.errors import ArgumentError, ImageTooLargeError
from tokcodec.limits import MAX_PIXELS
from tokcodec.model import TOTAL, Model
from tokcodec.pixels import colour, image
from tokcodec.pixels.image import WHITE, Colour, Picture
from tokcodec.reference import Given
from tokcodec.stream import header as headers
from tokcodec.tokens.order import Order, order_for
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.reconstruction import residual
from tokcodec.tokens.transform import analyse

MAX_POINTS = 256  # prefixes that are looked at; between them decibels run straight
MIN_ERROR = 1 / 12  # mean squared error of rounding to 8 bits: no picture counts as better
DOUBLING = 10 ** (2.2 / 10)  # error falls so much, about, when bytes double


def errors(
    data: bytes,
    original: Picture | None = None,
    reference: Given | None = None,
    max_pixels: int | None = MAX_PIXELS,
    background: Colour = WHITE,
) -> np.ndarray:
    """Mean squared error of an 8-bit sample after each number of bytes, 0 ... len(data): float64
    (len(data) + 1,), never rising.

    Args:
        data: a stream.
        original: the picture that it was made of. Without it the stream's own picture stands in,
            and what that lacks is guessed from how the error falls before the end.
        reference: what the picture was encoded with; not looked at if the stream stands alone.
        max_pixels: refuse larger pictures; None for no limit.
        background: RGB to see through transparent parts of the original, as it was encoded.

    Raises:
        StreamError, UnknownModelError: `data` is no stream of a known model.
        ReferenceMismatchError: the stream's reference is missing, or was another.
        ArgumentError: the original has another size, or the model is no pyramid.
        InputError: the original cannot be read.
        ImageTooLargeError: the picture has more than `max_pixels`.
    """
    header, length = headers.parse(data)
    model = registry.model_for(header.model, header.hash)
    headers.check(data[:length], model.sha256)
    if not isinstance(model, Model):
        raise ArgumentError(
            f"what each byte is worth is known of pyramids, not of {model.name}; "
            "send its streams unprotected (protect='none', --protect none)"
        )
    image.check_pixels(header.width, header.height, max_pixels)
    order = order_for(model, header.height, header.width, 1 if header.grey else 3)
    order = references.onto(order, header, reference)
    payload = data[length:]
    sizes = np.unique(np.geomspace(1, len(payload) + 1, MAX_POINTS).astype(np.int64) - 1)
    if original is None:
        left = _guessed(order, payload, sizes)
    else:
        rgb = _alike(original, header, background)
        source = references.taken(order, analyse(colour.to_planes(rgb, header.grey)))
        left = np.minimum.accumulate(_left(source, sizes, order.digits))
    samples = 3 * order.height * order.width
    mean = np.maximum(left / samples, MIN_ERROR)
    inside = np.interp(np.arange(len(payload) + 1), sizes, np.log(mean))
    return np.exp(np.concatenate([np.full(length, inside[0]), inside]))


def _guessed(order: Order, payload: bytes, sizes: np.ndarray) -> np.ndarray:
    """Squared error after so many bytes of a code string, of which nothing else is known: that
    against its own picture, and what that picture is likely to miss. A complete one misses nothing;
    of others the error is taken to go on falling by the factor `DOUBLING` with each doubling of
    the bytes, as it does from half of the payload to its end.
    """
    reading = codestring.read(order, payload)
    source = Source(order, [residual(reading.known, b) for b in range(len(order.bands))])
    left = _left(source, sizes, reading.total)
    left = np.minimum.accumulate(left - left[-1])
    half = left[np.searchsorted(sizes, len(payload) / 2)]
    return left if reading.complete else left + half / (DOUBLING - 1)


def _left(source: Source, sizes: np.ndarray, most: int) -> np.ndarray:
    """Squared error that is left of a picture after so many bytes of its code string, which holds
    `most` digits at most.
    """
    script = codestring.Script(source.order, source.digits)
    digits = np.minimum(_digits(script, sizes), most)
    curve = Curve(script, source)
    return np.array([curve.error_after(int(d)) for d in digits])


def decibels(error: np.ndarray) -> np.ndarray:
    """Mean squared error of 8-bit samples to PSNR."""
    return 10 * np.log10(255.0**2 / error)


def _alike(original: Picture, header: headers.Header, background: Colour) -> np.ndarray:
    """The original as uint8 (height, width, 3), of the stream's size; a larger one is refused
    before its pixels are read.
    """
    try:
        rgb = image.to_rgb(original, background, max_pixels=header.width * header.height)
    except ImageTooLargeError as e:
        raise ArgumentError(
            f"the original is larger than the stream, {header.width} x {header.height} pixels"
        ) from e
    if rgb.shape[:2] != (header.height, header.width):
        raise ArgumentError(
            f"the original has {rgb.shape[1]} x {rgb.shape[0]} pixels, the stream "
            f"{header.width} x {header.height}"
        )
    return rgb


def _digits(script: codestring.Script, sizes: np.ndarray) -> np.ndarray:
    """About how many digits so many bytes of code string determine, by the prior's own bits."""
    order: Order = script.order
    spent, bits = [np.zeros(1)], 0.0
    for number in range(len(order.passes)):
        if bits > 8 * sizes[-1]:
            break
        digits, rows, odds, _ = script.line(number)
        costs = np.log2(TOTAL) - np.log2(odds.frequencies[rows, digits.astype(np.int64) + 1])
        spent.append(bits + np.cumsum(costs))
        bits = float(spent[-1][-1])
    return np.searchsorted(np.concatenate(spent), 8 * sizes - 1, side="right").clip(1) - 1
