"""A PSNR wanted to the number of tokens that reaches it."""

from __future__ import annotations

import itertools

import numpy as np

from tokcodec.coder.codestring import Script, code, determined
from tokcodec.decoders.linear import linear
from tokcodec.distortion import Curve
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.tokens import DIGITS

LOOKS = 3  # inverse transforms after which halving takes over from estimating
SLACK = 10 ** (0.1 / 10)  # at most 0.1 dB above the target


def squared_error(a: np.ndarray, b: np.ndarray) -> int:
    """Sum of squared differences of two uint8 arrays, exactly."""
    step = max(1, (1 << 22) // max(1, a[0].size))
    total = 0
    for at in range(0, len(a), step):
        d = a[at : at + step].astype(np.int32) - b[at : at + step]
        total += int(np.square(d).sum(dtype=np.int64))
    return total


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 arrays of one shape, in decibels; infinite if they
    are equal.
    """
    error = squared_error(a, b)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 * a.size / error))


def fewest_tokens(script: Script, source: Source, rgb: np.ndarray, target: float) -> int | None:
    """How many tokens reach `target` decibels: never below it, at most 0.1 dB above unless one
    token makes the step. None if even the full stream stays below.

    Estimated from the coefficients, then corrected by looking, two or three times as a rule.
    """
    curve = Curve(script, source)
    wanted = 255.0**2 * rgb.size / 10 ** (target / 10)
    most = -(-script.order.digits // DIGITS)
    below, enough = -1, most + 1  # token counts seen to miss the target, and to reach it
    ratio, margin = 1.0, 0.0  # of the true error to the estimate; how much less error to aim at
    for look in itertools.count():
        if enough - below == 1:
            break
        if look < LOOKS:
            digits = curve.digits_for(wanted * (1 - margin) / ratio)
            tokens = most if digits is None else -(-digits // DIGITS)
        else:
            tokens = (below + enough) // 2
        tokens = min(max(tokens, below + 1), enough - 1)
        error = _look(script, rgb, tokens)
        if error <= wanted:
            enough = tokens
            if error * SLACK >= wanted:
                break
        else:
            below = tokens
        ratio = max(error, 1e-9) / max(curve.error_after(tokens * DIGITS), 1e-9)
        margin += 0.004
    return enough if enough <= most else None


def _look(script: Script, rgb: np.ndarray, tokens: int | None) -> int:
    """Squared error of what the linear decoder makes of the stream with so many tokens."""
    known, left = Knowledge(script.order), determined(script, code(script, tokens))
    for number, step in enumerate(script.order.passes):
        if left == 0:
            break
        digits = script.line(number).digits[:left]
        known.add(step, digits)
        left -= len(digits)
    return squared_error(linear(known, (rgb.shape[1], rgb.shape[0])), rgb)
