"""Streams that were written with more care: same format, same decoders, more work for the sender.

`improve` is the way in, `ladder.LEVELS` says what each effort does.
"""

from __future__ import annotations

from tokcodec.effort.ladder import MOST, check
from tokcodec.effort.search import Limits, improve

__all__ = ["MOST", "Limits", "check", "improve"]
