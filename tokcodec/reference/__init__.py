"""A picture and an earlier stream of the same scene to the digits of their difference, and back.

The `Reference` is what a stream determines: integer coefficients, equal on every machine. Of them a
picture takes, in each of its regions, nothing, half or all (`field.Field`, in its header): that is
its `Base`, and its digits tell what is to be added.

- `opened` reads the streams of a reference; `usable` also tells if a new picture cannot have it.
- Encoding: `choose` finds the regions that pay, `taken` subtracts a base from a picture.
- Decoding: `onto` gives the picture's order the base that its header names.
- `background` makes one stream, to refer to, of several.
"""

from __future__ import annotations

from tokcodec.reference.background import background
from tokcodec.reference.choice import choose, taken
from tokcodec.reference.known import Given, Reference, named, onto, opened, usable

__all__ = [
    "Given", "Reference", "background", "choose", "named", "onto", "opened", "taken", "usable",
]  # fmt: skip
