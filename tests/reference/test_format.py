"""The hash of a reference, and a stream with one, mean for ever what they mean."""

from __future__ import annotations

import hashlib
import struct

import tokcodec
from tokcodec.coder import codestring
from tokcodec.reference import known as references
from tokcodec.stream import header as headers
from tokcodec.stream.header import REFERENCE
from tokcodec.tokens.order import order_for

GOLDEN_KEY = (
    "b754200102f027f405e38e9472b75517dbe4d1e14d9ea119b63c1f6fea866196f75f251c0835309b"
    "6a6fa0c085279da1558287811db699b4700265cf59c6cf5318b6ec57f155ee374154e386bc9c0d90"
    "1ec38f389dbbc5d1ec70d005d1d2f69e64bbc93304bec026e50869f35706bb1ae9f274b990295c1a"
    "ade110c4bfd92adeadba62fd6aefcdd121c3352cb321974243b47269f009"
)
GOLDEN = (
    "b754240102f027098207c0e001e6049fa07f5336dc94fa68ade3541824b44c3a96077f08cfb45f9a"
    "6eb3e95b30617ab52941d7bc0c1687efdc7fb872b667a1fa9bb75ceb7e86c5c4f18d6418cfd1aaf8"
    "7099d0ad53d16d8291583d281e36df8b4b2f20091b2a3e253fc6ff29b4f93d1c7a44e758b8b5abd9"
)
GOLDEN_PICTURE = "440da48e7dc0934025dbffaee17f0d31f434ff5bc4bde984db615d7b0345c22b"


def test_the_hash_is_that_of_the_format(change, key):
    """docs/FORMAT.md, "Reference", with Python's whole numbers."""
    model = tokcodec.load().model
    header, length = headers.parse(key)
    order = order_for(model, 96, 128, 3)
    reading = codestring.read(order, key[length:])
    text = model.sha256 + struct.pack(">IIBQ", 128, 96, 3, reading.total)
    for i, band in enumerate(order.bands):
        last = order.planes[i] - 1
        visit = [int(c) for p in order.grid(i).passes for c in p]
        rank = {cell: n for n, cell in enumerate(visit)}
        flat = reading.known.q.get(i)
        for cell in range(band.height * band.width):
            y, x = divmod(cell, band.width)
            q = 0 if flat is None else int(flat[(y + 1) * (band.width + 2) + x + 1])
            p = reading.known.plane[i]
            if rank[cell] >= reading.known.seen(i):
                q, p = q // 3, p - 1
            value = 0
            if q and p >= 0:
                slot = 0 if band.level == 0 else 3 * (min(band.level, 8) - 1) + band.orientation
                c = int(model.arrays["centroids"][band.channel, slot, min(p, 7), int(abs(q) > 1)])
                value = ((32768 * abs(q) - c) * 3 ** (last - p) + 16384) >> 15
                value = -value if q < 0 else value
            text += struct.pack(">i", value)
    assert hashlib.sha256(text).hexdigest()[:8] == tokcodec.info(change).reference
    assert header.reference is None


def test_a_golden_stream_means_what_it_meant():
    key, data = bytes.fromhex(GOLDEN_KEY), bytes.fromhex(GOLDEN)
    header, _ = headers.parse(data)
    assert [kind for kind, _ in header.extension] == [REFERENCE]
    order = order_for(tokcodec.load("pyramid").model, header.height, header.width, 3)
    found = references.opened([key, data], order)
    total = hashlib.sha256(b"".join(v.astype(">i4").tobytes() for v in found.values))
    assert total.hexdigest() == GOLDEN_PICTURE
