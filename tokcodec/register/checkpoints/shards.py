"""The index of a checkpoint in several files to the file that each tensor lies in. Loads no torch.

The index is the JSON that transformers and huggingface_hub write: `weight_map` has the name of a
file beside it for the name of each tensor.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokcodec.errors import DamagedModelError
from tokcodec.files import read, stamp

SUFFIX = ".safetensors.index.json"
INDEX = "model" + SUFFIX
MAX_INDEX = 1 << 24  # bytes


def is_index(path: Path) -> bool:
    """Whether a file is one, by its name."""
    return path.name.endswith(SUFFIX)


def listed(index: Path) -> dict[str, Path]:
    """The file of each tensor, beside the index; whether there is one is not looked at.

    Raises:
        InputError: the index cannot be read.
        DamagedModelError: it is none, or names files that are not beside it.
    """
    if stamp(index)[-1] > MAX_INDEX:
        raise DamagedModelError(f"{index} is no index of tensors: it is too long")
    text = read(index)
    try:
        found = json.loads(text)["weight_map"]
        names = [(tensor, Path(file)) for tensor, file in found.items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise DamagedModelError(f"{index} is no index of tensors") from e
    if not names:
        raise DamagedModelError(f"{index} names no tensors")
    for _, file in names:
        if len(file.parts) != 1 or file.name in ("", "..") or file.suffix != ".safetensors":
            raise DamagedModelError(f"{index} names {str(file)!r:.80}, no .safetensors beside it")
    return {tensor: index.with_name(file.name) for tensor, file in names}
