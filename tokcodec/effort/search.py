"""A picture and a limit to the code string that shows more of the picture within that limit."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tokcodec.coder.codestring import Script, code, read
from tokcodec.effort.adjoint import norms
from tokcodec.effort.clipping import missing
from tokcodec.effort.descent import Descent
from tokcodec.effort.draft import Continued, Draft, paid
from tokcodec.effort.levels import LEVELS, Level
from tokcodec.effort.rdoq import quantise
from tokcodec.effort.view import View
from tokcodec.pixels import colour
from tokcodec.psnr import fewest_tokens, squared_error
from tokcodec.tokens.order import Order
from tokcodec.tokens.tokens import DIGITS

EVERY = 5  # rounds after which the draft is made longer by what they saved
STAY = 10  # rounds at each price after the first
AWAY = 1.3  # factor by which a price is changed first
CLOSER = 0.6  # exponent of that factor once neither a dearer nor a cheaper price has helped
# Prices of a bit tried, in units of what the order expects a bit to be worth where the stream ends.
PRICES = (1.0, 1.25, 0.8, 1.12, 0.9, 1.4, 0.64)
HALF = 0.5  # of a bit's worth is paid where tokens are given: about as many bytes as before
# Through a network, which makes more of a bit than the order expects:
OVER = 1.02  # of the bits allowed, at which a draft is cut back at once
TELLING = 0.01  # of the bits: cutting or filling up by less tells nothing of what they are worth


class Limits(NamedTuple):
    """What the code string was cut to; None where there is no such limit.

    Attributes:
        tokens: as many are determined.
        room: bytes at most.
        psnr: decibels to reach, if nothing else came first.
    """

    tokens: int | None = None
    room: int | None = None
    psnr: float | None = None


def improve(
    effort: int,
    order: Order,
    coefficients: list[np.ndarray],
    rgb: np.ndarray,
    plain: bytes,
    limits: Limits,
    view: View,
) -> bytes:
    """A code string with the same limits that is better to the decoder in view, or `plain`.

    Better is: a smaller squared error in as many bytes; a smaller one with as many tokens, bytes
    counting a little; fewer bytes for the same decibels.

    Args:
        effort: 1 to 9, an index into `LEVELS`.
        coefficients: of the picture, by band, as `transform.analyse` gives them.
        rgb: the picture, uint8 (height, width, 3).
        plain: the code string of the nearest digits, within `limits`.
        view: the decoder to please; the linear one, if `limits` has decibels.
    """
    reading = read(order, plain, keep=True)
    if not reading.total or reading.complete:
        return plain
    tight = limits
    if limits.tokens is not None and reading.total < limits.tokens * DIGITS:
        tight = Limits(room=limits.room)  # the bytes ran out first
    draft, level = Draft.split(order, reading.digits), LEVELS[effort]
    search = _Search(order, coefficients, rgb, draft, tight, view)
    best, least = plain, len(plain) if tight.psnr is not None else search.charge(plain)
    for tried in search.best(level)[: level.looks]:
        source = Continued(tried, coefficients)
        script, tokens = Script(order, source.digits), limits.tokens
        if tight.psnr is not None:
            tokens = fewest_tokens(script, source, rgb, tight.psnr)
        found = code(script, tokens, limits.room)
        charge = search.charge(found)
        if charge < least:
            best, least = found, charge
    return best


def _wanted(decibels: float, rgb: np.ndarray) -> float:
    """Squared error of a picture at so many decibels."""
    return 255.0**2 * rgb.size / 10 ** (decibels / 10)


class _Search:
    """Drafts tried from the nearest digits on, the best of them kept.

    What is best depends on the limit that cut the code string (see `improve`):

    - bytes: the least squared error in at most `max_bits`;
    - tokens: the least squared error + `bit_cost` * bits with `max_digits` digits, the error never
      above that of the nearest digits;
    - decibels: the fewest bits at a squared error of at most `target_error`. Drafts on the way are
      weighed by error + `bit_cost` * bits, as they need not be there yet.

    Attributes:
        max_bits, max_digits: at most, of a draft.
        target_error: squared error to reach; None where no decibels are given.
        max_error, max_shown: squared error allowed, before rounding and after.
        price_scale: part of a bit's worth (`Draft.worth`) that a digit must save for each bit.
        bit_cost: squared error that a bit counts as when drafts are compared.
    """

    def __init__(
        self,
        order: Order,
        coefficients: list[np.ndarray],
        rgb: np.ndarray,
        plain: Draft,
        limits: Limits,
        view: View,
    ) -> None:
        self.order, self.coefficients, self.plain, self.view = order, coefficients, plain, view
        self.rgb = rgb
        self.planes = colour.to_planes(rgb, order.channels == 1)
        self.weights = norms(order.height, order.width) * order.channels
        self.max_bits, self.max_digits = math.inf, order.digits
        self.target_error: float | None = None
        self.max_error = self.max_shown = math.inf
        self.price_scale, self.bit_cost = 1.0, 0.0
        if limits.psnr is not None:
            self.target_error = _wanted(limits.psnr, rgb)
            self.bit_cost = plain.worth
        elif limits.tokens is not None:
            self.price_scale, self.bit_cost = HALF, plain.worth
            self.max_digits = limits.tokens * DIGITS
            self.max_error = self._error(plain) * (1 + 1e-9)
            self.max_shown = squared_error(view.picture(plain.known()), rgb)
        if limits.room is not None:
            self.max_bits = 8.0 * limits.room
        self._found: list[_Tried] = []
        self.plain_bits = _length(plain)
        self._note(plain, 1.0, self._error(plain), self.plain_bits)

    def best(self, level: Level) -> list[Draft]:
        """The drafts that so much work finds, best first."""
        for factor in PRICES[: level.prices]:
            self._quantise(factor)
        if level.rounds:
            self._descend(self._least(), level.rounds)
            self._climb(level.turns)
        found = {tried.cost: tried.draft for tried in self._found}  # of equals one is enough
        return [found[cost] for cost in sorted(found)]

    def charge(self, payload: bytes) -> float:
        """What a code string costs: its bytes where decibels are given, else the squared error of
        the decoder's picture + `bit_cost` * bits; infinite where the error is too large.
        """
        error = squared_error(self.view.picture(read(self.order, payload).known), self.rgb)
        if self.target_error is not None:
            return len(payload) if error <= self.target_error else math.inf
        if error > self.max_shown:
            return math.inf
        return error + self.bit_cost * 8 * len(payload)

    def _climb(self, turns: int) -> None:
        """Descend from the best draft so far at prices beside its own, dearer and cheaper in turn;
        closer to its own when neither has found a better draft.
        """
        best, away, idle = self._least(), AWAY, 0
        for _ in range(turns):
            self._descend(best._replace(factor=best.factor * away), STAY)
            found = self._least()
            idle = 0 if found is not best else idle + 1
            if idle:
                away = 1 / away if idle % 2 else away**-CLOSER
            best = found

    def _least(self) -> _Tried:
        return min(self._found, key=lambda tried: tried.cost)

    def _quantise(self, factor: float) -> None:
        """Note the draft of one pass over the digits at `factor` times the usual price."""
        bits = self.max_bits
        if self.target_error is not None:
            bits = min(bits, self.plain_bits)
        draft = quantise(
            self.order, self.coefficients, self.weights, self._price(self.plain, factor),
            bits=bits, count=self.max_digits, last=self.plain.last_planes,
        )  # fmt: skip
        if draft.digits:
            self._note(draft, factor, self._error(draft), _length(draft) if self.bit_cost else 0.0)

    def _error(self, draft: Draft) -> float:
        """Squared error of the picture shown, before rounding."""
        return missing(self.planes, self.view.draw(draft.known()))[1]

    def _descend(self, start: _Tried, rounds: int) -> None:
        """Descend from a draft, noting what comes of it. After every `EVERY` rounds its digits are
        quantised anew from where it ends, to spend the bits that the rounds have saved (for the
        same decibels: to drop digits that are not needed any more).
        """
        descent, factor = Descent(start.draft, self.planes, self.view), start.factor
        price, stuck = self._price(start.draft, factor), False
        for number in range(1, rounds + 1):
            moving = not stuck and descent.round(price)
            over = not self.view.straight and descent.bits > OVER * self.max_bits
            if number % EVERY and not over:
                stuck = not moving
                continue
            again = self._quantise_anew(descent, price)
            if not again.digits:
                break
            stuck = stuck and again.same(descent.draft)
            error, bits = descent.error, descent.bits
            descent.go_on(again)
            if not self.view.straight and abs(descent.bits - bits) > TELLING * bits:
                worth = (descent.error - error) / (bits - descent.bits)
                # What a bit was really worth: towards that the price goes.
                factor = _between(factor, worth / self._price(again, 1.0))
            price = self._price(again, factor)
            self._note(again, factor, descent.error, descent.bits)

    def _quantise_anew(self, descent: Descent, price: float) -> Draft:
        """A draft that begins as a descent's own and takes the bits that are left."""
        bits = self.max_bits
        if self.target_error is not None:
            bits = min(bits, descent.bits + (descent.error - self.target_error) / price)
        return quantise(
            self.order, self.coefficients, self.weights, price,
            bits=bits, count=self.max_digits, fixed=descent.draft,
        )  # fmt: skip

    def _price(self, draft: Draft, factor: float) -> float:
        """Squared error that a bit must save."""
        return self.price_scale * factor * draft.worth

    def _note(self, draft: Draft, factor: float, error: float, bits: float) -> None:
        """Remember a draft and its cost."""
        cost = error + self.bit_cost * bits if error <= self.max_error else math.inf
        self._found.append(_Tried(cost, factor, draft))


def _between(factor: float, seen: float) -> float:
    """A factor half way to the one seen, if that is not far off."""
    return math.sqrt(factor * min(max(seen, factor / 2), 2 * factor))


class _Tried(NamedTuple):
    """A draft that was found."""

    cost: float  # squared error + `bit_cost` * bits; infinite where the error is too large
    factor: float  # its price, in units of what a bit is expected to be worth
    draft: Draft


def _length(draft: Draft) -> float:
    """Ideal bits of a draft."""
    _, asked = draft.priced()
    return float(sum(p.sum(dtype=np.float64) for p in paid(asked, draft.digits)))
