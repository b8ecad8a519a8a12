"""Model, size and flags of a picture to the bytes before its code string, and back (docs/FORMAT.md,
"Stream").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tokcodec.errors import (
    ArgumentError,
    BadMagicError,
    DamagedHeaderError,
    TruncatedHeaderError,
    UnknownFieldError,
    UnsupportedVersionError,
)
from tokcodec.model import HASHED

MAGIC = b"\xb7T"
SUFFIX = ".tkc"  # of files
BUNDLE = MAGIC + b"KB"  # of files of many streams
# First bytes of files that are taken for streams by mistake.
PICTURES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"RIFF": "WebP", b"GIF8": "GIF"}
VERSION = 1
NARROW, WIDE = 12, 16  # bits of a side less one
CRITICAL = 0x80  # in an extension field's type: who does not know the field must refuse
FIT = 1  # extension type: how a picture became the square of a register tokenizer
REFERENCE = 2 | CRITICAL  # extension type: what the digits are added to (tokcodec.reference)
FIELDS = {  # extension types without that bit; the others are reserved, and not written yet
    FIT: "fit mode",
    2: "reference",
    3: "alpha",
    4: "metadata",
}


@dataclass(frozen=True)
class Header:
    """What a stream says of itself before its first digit.

    Attributes:
        model: code of a shipped model (0..254), or `HASHED`.
        width, height: pixels, 1..65,536.
        grey: R = G = B, luma alone is coded.
        hash: first four bytes of the model's SHA-256, if `model` is `HASHED`.
        extension: (type, data) of each extension field, in order.
    """

    model: int
    width: int
    height: int
    grey: bool = False
    hash: bytes = b""
    extension: tuple[tuple[int, bytes], ...] = ()

    @property
    def wide(self) -> bool:
        return max(self.width, self.height) > 1 << NARROW

    @property
    def reference(self) -> bytes | None:
        """Data of the field that tells the reference; None if the picture stands alone.

        Raises:
            DamagedHeaderError: there are two.
        """
        found = [data for kind, data in self.extension if kind == REFERENCE]
        if len(found) > 1:
            raise DamagedHeaderError("the header tells two references")
        return found[0] if found else None


def _fields(values: dict[str, int], bare: bool) -> Iterator[tuple[str, int]]:
    """Names and widths in bits, in order. Later ones depend on the values of earlier ones: reader
    and writer share this.
    """
    if not bare:
        yield "magic", 16
    yield "version", 3
    yield "wide", 1
    yield "grey", 1
    yield "extended", 1
    yield "reserved", 2
    if not bare:
        yield "model", 8
        if values["model"] == HASHED:
            yield "hash", 32
    side = WIDE if values["wide"] else NARROW
    yield "width", side
    yield "height", side
    if values["extended"]:
        yield "length", 8


def write(header: Header, sha256: bytes) -> bytes:
    """The header's bytes: 8 up to 4,096 pixels a side, 9 beyond, 4 more for a model that is not
    shipped.

    Args:
        header: what to write.
        sha256: full identity (32 bytes) of the model; the closing CRC-8 covers it.
    """
    extension = extension_bytes(header)
    body = _pack(_values(header, len(extension)), bare=False) + extension
    return body + bytes((crc8(body + sha256),))


def write_bare(header: Header) -> bytes:
    """Flags and size alone, four bytes; sides up to 4,096.

    Raises:
        ArgumentError: a side is longer, or there are extension fields.
    """
    if header.wide or header.extension:
        raise ArgumentError(
            "the bare form with size is for sides up to 4096; send the size elsewhere (bare=True)"
        )
    return _pack(_values(header, 0), bare=True)


def _values(header: Header, extension: int) -> dict[str, int]:
    return {
        "magic": int.from_bytes(MAGIC, "big"),
        "version": VERSION,
        "wide": int(header.wide),
        "grey": int(header.grey),
        "extended": int(bool(extension)),
        "reserved": 0,
        "model": header.model,
        "hash": int.from_bytes(header.hash, "big"),
        "width": header.width - 1,
        "height": header.height - 1,
        "length": extension,
    }


def _pack(values: dict[str, int], bare: bool) -> bytes:
    number, bits = 0, 0
    for name, width in _fields(values, bare):
        number, bits = number << width | values[name], bits + width
    return number.to_bytes(bits // 8, "big")


def parse(data: bytes, bare: bool = False) -> tuple[Header, int]:
    """Header and its length in bytes. The CRC is left to `check`, which needs the model.

    Raises:
        TruncatedHeaderError: `data` ends before the header does.
        BadMagicError, UnsupportedVersionError, DamagedHeaderError, UnknownFieldError: as their
            names say.
    """
    if not bare:
        _check_magic(data)
    values, at = _read_fields(data, bare)
    extended = at // 8 + values.get("length", 0)
    length = extended if bare else extended + 1  # the CRC
    if len(data) < length:
        raise TruncatedHeaderError(f"the header has {length} bytes, and only {len(data)} are here")
    header = Header(
        values.get("model", 0), values["width"] + 1, values["height"] + 1, bool(values["grey"]),
        values["hash"].to_bytes(4, "big") if "hash" in values else b"",
        tuple(extension_fields(data[at // 8 : extended])),
    )  # fmt: skip
    return header, length


def _check_magic(data: bytes) -> None:
    """Raises BadMagicError for bytes that do not begin a stream, or begin a bundle."""
    for begin, kind in PICTURES.items():
        if data.startswith(begin):
            raise BadMagicError(f"this is a picture ({kind}), no stream: encode it first")
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise BadMagicError(
            "this is no tokcodec stream: it does not start with the bytes b7 54 (in Python, bare= "
            "reads one that was written without a header)"
        )
    if data[: len(BUNDLE)] == BUNDLE:
        raise BadMagicError(
            "this is a bundle of streams: `tokcodec unbundle` writes them out, and "
            "tokcodec.Bundle(path) opens it"
        )


def _read_fields(data: bytes, bare: bool) -> tuple[dict[str, int], int]:
    """Values of the fields of fixed width, and how many bits they take.

    Raises:
        TruncatedHeaderError: `data` ends before they do.
        UnsupportedVersionError: a version or a feature that is not known here.
    """
    values: dict[str, int] = {}
    at = 0
    for name, width in _fields(values, bare):
        values[name] = _bits(data, at, width)
        at += width
        if name == "version" and values["version"] != VERSION:
            said = "; a code string alone wants original_size" if bare else ""
            raise UnsupportedVersionError(
                f"stream of version {values['version']}; "
                f"this tokcodec reads version {VERSION}{said}"
            )
        if name == "reserved" and values["reserved"]:
            raise UnsupportedVersionError(
                "the stream uses a feature that is newer than this tokcodec"
            )
    return values, at


def _bits(data: bytes, at: int, width: int) -> int:
    end = -(-(at + width) // 8)
    if len(data) < end:
        raise TruncatedHeaderError(
            f"the header goes on after {len(data)} bytes; a whole one has at least 8"
        )
    return int.from_bytes(data[at // 8 : end], "big") >> (8 * end - at - width) & ((1 << width) - 1)


def extension_bytes(header: Header) -> bytes:
    """The extension fields as they stand in a header: type, length, data of each."""
    return b"".join(bytes((kind, len(data))) + data for kind, data in header.extension)


def extension_fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The other way round.

    Raises:
        DamagedHeaderError: the bytes end inside a field.
        UnknownFieldError: a field is critical, and not that of the reference.
    """
    at = 0
    while at < len(data):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise DamagedHeaderError("the header's extension ends inside a field")
        kind, field = data[at], data[at + 2 : at + 2 + data[at + 1]]
        if kind & CRITICAL and kind != REFERENCE:
            name = FIELDS.get(kind & ~CRITICAL, "unknown")
            raise UnknownFieldError(
                f"the picture cannot be decoded without its field {kind & ~CRITICAL} ({name}); "
                "update tokcodec"
            )
        yield kind, field
        at += 2 + len(field)


def check(head: bytes, sha256: bytes) -> None:
    """Compare the closing CRC-8 of a whole header with its bytes and the model's identity.

    Raises:
        DamagedHeaderError: they do not fit.
    """
    if crc8(head[:-1] + sha256) != head[-1]:
        raise DamagedHeaderError(
            "the header is damaged, or the stream was written by another model: "
            "its checksum does not fit"
        )


def crc8(data: bytes) -> int:
    """CRC-8 with polynomial x^8 + x^2 + x + 1, starting at 0: that of FLAC's frame headers (RFC
    9639, 9.1.8).
    """
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc
