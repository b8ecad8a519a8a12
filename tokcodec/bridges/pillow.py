"""The suffix .tkc in Pillow: `Image.open`, `Image.save`, `Image.verify`, once it is registered."""

from __future__ import annotations

from typing import IO, Any

from PIL import Image, ImageFile

import tokcodec
from tokcodec.errors import ArgumentError, TokCodecError, UnknownModelError
from tokcodec.stream.header import MAGIC, SUFFIX

FORMAT = "TOKCODEC"
MEDIA_TYPE = "image/vnd.tokcodec"
MAX_HEADER = 300
OPTIONS = (
    "budget", "max_bytes", "psnr", "model", "background", "max_pixels", "effort", "quality",
    "decoder", "reference", "fit",
)  # fmt: skip


class TokCodecImageFile(ImageFile.ImageFile):
    """A stream as a Pillow image: opening reads the header, loading decodes.

    `info` holds "model" once open, and "tokens" and "complete" once loaded.
    """

    format = FORMAT
    format_description = "tokcodec stream"
    _waiting = False  # for images that were copied or unpickled
    _most: int | None = None  # pixels, as Pillow's limit was when it was opened

    def _open(self) -> None:
        try:
            found = tokcodec.info(self._bytes(MAX_HEADER), count=False)
        except UnknownModelError:
            raise  # its message says what to do
        except TokCodecError as e:
            raise SyntaxError(str(e)) from e  # Pillow's word for "not mine"
        self._mode = "RGB"
        self._size = found.width, found.height
        self._original, self._most = self._size, _most_pixels()
        self.info["model"] = found.model
        self.tile = []
        self._waiting = True

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Decode no more than needed for `size`; `Image.thumbnail` calls this, as for JPEG."""
        if not self._waiting or size is None:
            return None
        from tokcodec.pixels.geometry import fit

        scale = max(size[0] / self._original[0], size[1] / self._original[1])
        if scale >= 1:
            return None
        frame = tuple(max(1, round(side * scale)) for side in self._original)
        self._size = fit(self._original, (frame[0], frame[1]))
        while (inside := fit(self._original, self._size)) != self._size:
            self._size = inside  # until decoding into this frame gives just this size
        return "RGB", (0, 0, self._size[0], self._size[1])

    def load(self) -> Any:
        if self._waiting:
            data = self._bytes()
            found = tokcodec.info(data, max_pixels=self._most)
            self.info.update(tokens=found.tokens, complete=found.complete)
            decoded = tokcodec.decode(data, self._size, max_pixels=self._most)
            self.im = decoded.im
            self._size = decoded.size
            self._waiting = False
            if self._exclusive_fp and self.fp is not None:  # as Pillow does for other formats
                self.fp.close()
                self.fp = None
        return super().load()

    def verify(self) -> None:
        """Check the header's checksum; raises `TokCodecError` if it is wrong. A code string has
        none: any bytes are digits of some picture.
        """
        tokcodec.info(self._bytes(MAX_HEADER), count=False)

    def _bytes(self, most: int = -1) -> bytes:
        """The stream, or its first `most` bytes."""
        if self.fp is None:
            raise ValueError("the file is closed")
        self.fp.seek(0)
        return self.fp.read(most)


def _most_pixels() -> int | None:
    """Pillow's own limit, which it has warned of at half of it."""
    limit = Image.MAX_IMAGE_PIXELS
    return None if limit is None else 2 * limit


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(MAGIC)


def _save(image: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write the stream; if that fails a file that was there is lost, as Pillow has opened it."""
    if image.encoderinfo.get("bare"):
        raise ArgumentError("a file keeps its header: leave bare out")
    options = {k: v for k, v in image.encoderinfo.items() if k in OPTIONS}
    fp.write(tokcodec.encode(image, **options))


def register() -> None:
    """Register the format with Pillow; harmless to repeat."""
    Image.register_open(FORMAT, TokCodecImageFile, _accept)
    Image.register_save(FORMAT, _save)
    Image.register_extension(FORMAT, SUFFIX)
    Image.register_mime(FORMAT, MEDIA_TYPE)
