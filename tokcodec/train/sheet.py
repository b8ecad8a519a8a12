"""Pictures side by side to a PNG, to look at."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from torch import Tensor

from tokcodec.files import write_atomically


def save_sheet(sheet: Tensor, path: Path) -> None:
    """Pictures (3, height, width) in 0..255 to a PNG."""
    data = io.BytesIO()
    Image.fromarray(sheet.permute(1, 2, 0).byte().numpy()).save(data, "PNG")
    write_atomically(path, data.getvalue(), overwrite=True)
