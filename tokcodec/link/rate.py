"""A series of pictures and a link's rate to how much of each picture is sent."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf, isfinite
from typing import NamedTuple

import numpy as np

from tokcodec.arguments import as_bytes, is_number, is_whole
from tokcodec.errors import ArgumentError
from tokcodec.limits import MAX_PIXELS
from tokcodec.link.fidelity import errors
from tokcodec.link.protection import MAX_PACKETS
from tokcodec.pixels.image import WHITE, Colour, Picture
from tokcodec.reference import Given

REMEMBERED = 32  # pictures that a new one is weighed against
HORIZON = 8  # pictures over which a surplus or a debt is spread
OVERHEAD = 5  # bytes of a frame that carry none of the stream: header and CRC-8
STEPS = 40  # halvings of the slope's range
SLOPES = (-30.0, 30.0)  # that range: natural logarithms of the error that a frame must take off


class Grant(NamedTuple):
    """A picture to send now.

    Attributes:
        data: its stream, as it was put in.
        packets: how many frames it may take: `split(grant.data, packets=grant.packets, ...)`.
    """

    data: bytes
    packets: int


@dataclass
class _Waiting:
    """A picture in the queue."""

    data: bytes
    error: np.ndarray  # mean squared error after 0, 1, ... frames


class Budget:
    """Frames for each picture of a series, so that the mean rate holds and harder pictures get
    more.

    Credit grows by `bytes_per_second * duty_cycle` and is spent frame by frame: in any span no more
    is sent than the span's own credit and that of `window` seconds before it. Every picture
    stops where one frame more would lower its error by as little as for all the others (equal
    slope), at the slope at which the last 32 pictures take, on average, what the rate allows.

    When the link is slow or gone, pictures wait: the longer the queue, the less each will get, down
    to one frame. When more than `max_waiting` wait, one is dropped.

    Args:
        bytes_per_second: of the link while it sends.
        duty_cycle: share of the time that it may send, above 0 up to 1.
        frame: bytes of a frame, the packets' header and check included.
        overhead: bytes that each frame costs beside these on the air, as those of LoRaWAN (13).
        protected: share of a frame's room that goes to protection, 0 up to but not including 1;
            where one knows no better, the loss rate.
        window: seconds over which unused credit is kept. Short against the span over which a
            regulator counts, if that limit is hard.
        max_waiting: pictures.
        drop: "oldest" or "newest": which to drop when too many wait.
        clock: seconds, never going back.

    Raises:
        ArgumentError: a number is out of its range or of another kind, or the link carries less
            than a frame in a window.
    """

    def __init__(
        self,
        bytes_per_second: float,
        duty_cycle: float = 0.01,
        frame: int = 51,
        *,
        overhead: int = 0,
        protected: float = 0.1,
        window: float = 3600.0,
        max_waiting: int = 8,
        drop: str = "oldest",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        speeds = bytes_per_second, duty_cycle, window
        if not all(is_number(v) and 0 < v < inf for v in speeds) or duty_cycle > 1:
            raise ArgumentError(
                "bytes_per_second, duty_cycle (at most 1) and window are finite numbers above 0"
            )
        if not all(map(is_whole, (frame, overhead, max_waiting))):
            raise ArgumentError("frame, overhead and max_waiting are whole numbers")
        if frame <= OVERHEAD or overhead < 0 or max_waiting < 1:
            raise ArgumentError(
                f"frame is above {OVERHEAD} bytes, overhead from 0, max_waiting at least 1"
            )
        if not is_number(protected) or not 0 <= protected < 1:
            raise ArgumentError(f"protected lies in 0..1, below 1; not {protected!r:.40}")
        if not isinstance(drop, str) or drop not in ("oldest", "newest"):
            raise ArgumentError(f"drop is oldest or newest, not {drop!r:.40}")
        self._rate = bytes_per_second * duty_cycle / (frame + overhead)  # frames a second
        self._most = self._rate * window  # frames of credit
        if not isfinite(self._most):
            raise ArgumentError("bytes_per_second and window are too large together")
        if self._most < 1:
            raise ArgumentError(
                f"the link carries {self._most:.2g} frames in {window:g} seconds: "
                "give a longer window"
            )
        self._room = (frame - OVERHEAD) * (1 - protected)
        self._max_waiting, self._drop, self._clock = max_waiting, drop, clock
        self._queue: deque[_Waiting] = deque()
        self._past: deque[np.ndarray] = deque(maxlen=REMEMBERED)
        self._credit, self._at = self._most, clock()
        self._interval: float | None = None  # seconds from picture to picture, smoothed
        self._arrived: float | None = None

    def __len__(self) -> int:
        """Pictures that wait."""
        return len(self._queue)

    @property
    def credit(self) -> float:
        """Frames that may be sent now."""
        now = self._clock()
        self._credit = min(self._most, self._credit + (now - self._at) * self._rate)
        self._at = now
        return self._credit

    def put(
        self,
        data: bytes,
        original: Picture | None = None,
        reference: Given | None = None,
        *,
        max_pixels: int | None = MAX_PIXELS,
        background: Colour = WHITE,
    ) -> int:
        """Queue a stream, encoded at the most bytes that it could ever get.

        Args:
            data: a stream.
            original: its picture, for its true errors.
            reference: what it was encoded with, as for `split`.
            max_pixels: refuse larger pictures; None for no limit.
            background: RGB to see through transparent parts of the original, as it was encoded.

        Returns:
            How many pictures were dropped for it, itself included: 0 or 1.

        Raises:
            StreamError, UnknownModelError: `data` is no stream of a known model.
            ReferenceMismatchError: the stream's reference is missing, or was another.
            ArgumentError: `data` is not even bytes, its model is no pyramid, or the original has
                another size.
            InputError: the original cannot be read.
            ImageTooLargeError: the picture has more than `max_pixels`.
        """
        data = as_bytes(data)
        # First, since a picture that cannot be queued has not arrived.
        error = self._by_frames(errors(data, original, reference, max_pixels, background))
        now = self._clock()
        if self._arrived is not None:
            since = now - self._arrived
            old = since if self._interval is None else self._interval
            self._interval = old + (since - old) / HORIZON
        self._arrived = now
        self._past.append(error)
        self._queue.append(_Waiting(data, error))
        if len(self._queue) <= self._max_waiting:
            return 0
        self._queue.popleft() if self._drop == "oldest" else self._queue.pop()
        return 1

    def get(self) -> Grant | None:
        """The next picture and its frames, paid for; None if none waits, or credit does not reach
        yet.
        """
        credit = self.credit
        if not self._queue or credit < 1:
            return None
        first = self._queue[0]
        frames = self._frames(first.error, credit)
        if frames > credit:
            return None
        self._credit -= frames
        self._queue.popleft()
        return Grant(first.data, frames)

    def refund(self, frames: int) -> None:
        """Frames of a grant that were never sent.

        Raises:
            ArgumentError: `frames` is no whole number from 0.
        """
        if not is_whole(frames) or frames < 0:
            raise ArgumentError(f"frames are a whole number from 0, not {frames!r:.40}")
        self._credit = min(self._most, self.credit + frames)

    def _by_frames(self, error: np.ndarray) -> np.ndarray:
        """Errors after 0, 1, ... bytes of a stream to those after 0, 1, ... frames."""
        size = len(error) - 1
        frames = max(1, min(MAX_PACKETS // 2, ceil(size / self._room)))
        shown = np.minimum(np.arange(frames + 1) * self._room, size).astype(np.int64)
        return error[shown]

    def _target(self, credit: float) -> float:
        """Frames that pictures should take on average now: what the rate allows from one picture to
        the next, and a share of the credit that is left when each that waits takes as many.
        """
        mean = 0.0 if self._interval is None else self._rate * self._interval
        return max(1.0, mean + (credit - mean * len(self._queue)) / HORIZON)

    def _frames(self, error: np.ndarray, credit: float) -> int:
        """Frames for a picture of this error: those at the slope, found by bisection, at which the
        latest pictures would take `_target` frames on average.
        """
        target = self._target(credit)
        past = np.full((len(self._past), max(map(len, self._past))), np.inf)
        for row, old in zip(past, self._past, strict=True):
            row[: len(old)] = old
        low, high = SLOPES
        for _ in range(STEPS):
            middle = (low + high) / 2
            taken = float(_at_slope(past, middle).mean())
            low, high = (middle, high) if taken > target else (low, middle)
        return min(int(_at_slope(error, high)), max(1, int(self._most)))


def _at_slope(error: np.ndarray, slope: float) -> np.ndarray:
    """Frames, at least one, at which error and e^`slope` times the frames are least together; along
    the last axis.
    """
    frames = np.arange(1, error.shape[-1])
    return 1 + np.argmin(error[..., 1:] + np.exp(slope) * frames, axis=-1)
