"""Streams that were written with more care: same format, same decoders, more work for the sender.

`improve` is the way in, `levels.LEVELS` says what each effort does, `find` through which decoder it
looks.
"""

from __future__ import annotations

from tokcodec.effort.levels import LINEAR, MAX_EFFORT, check
from tokcodec.effort.search import Limits, improve
from tokcodec.effort.view import View, find

__all__ = ["LINEAR", "MAX_EFFORT", "Limits", "View", "check", "find", "improve"]
