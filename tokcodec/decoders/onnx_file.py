"""A trained decoder to an ONNX file, and back.

The file is a whole model that any runtime can run. When tokcodec reads one, it takes the weights
and what is said of them, and lays the graph anew: it needs the network in parts, to work in strips,
and so runs no graph that a stranger may have written.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from tokcodec import files
from tokcodec.decoders.graph import whole
from tokcodec.decoders.stored import Stored
from tokcodec.errors import DamagedModelError


def to_bytes(kept: Stored) -> bytes:
    """The contents of an .onnx file."""
    return whole(kept).SerializeToString()


def read(path: Path) -> Stored:
    """The decoder in an .onnx file that `to_bytes` gave.

    Raises:
        InputError: the file cannot be read.
        DamagedModelError: it holds no decoder of this kind, or not the weights it was written with.
    """
    data = files.read(path)
    try:
        model = onnx.load_model_from_string(data)
        metadata = {p.key: p.value for p in model.metadata_props}
        # Names of weights hold a dot, those of other constants do not.
        found = {t.name: t for t in model.graph.initializer if "." in t.name}
        if any(t.data_location == onnx.TensorProto.EXTERNAL for t in found.values()):
            raise ValueError("its weights are in other files")
        kept = Stored.parse(metadata, found, lambda name: numpy_helper.to_array(found[name]))
        kept.check(metadata)
        return kept
    except (DecodeError, KeyError, TypeError, ValueError) as e:
        raise DamagedModelError(f"{path} holds no decoder for pyramids: {e}") from e
