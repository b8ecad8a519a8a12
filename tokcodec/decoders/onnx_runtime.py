"""A trained network run by ONNX Runtime, on the CPU; no torch."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from onnx import ModelProto

from tokcodec.decoders import graph
from tokcodec.decoders.stored import Stored


class OnnxRuntime:
    """See `Runtime`."""

    def __init__(self, kept: Stored) -> None:
        self.shape, self._kept = kept.shape, kept
        self._conditions = _session(graph.conditions(kept))
        self._scales: dict[tuple[int, bool], ort.InferenceSession] = {}
        self._out = _session(graph.out(kept))

    def conditions(self, received: np.ndarray, realism: np.ndarray) -> list[np.ndarray]:
        return self._conditions.run(None, {"received": received, "realism": realism})

    def scale(
        self, i: int, inputs: np.ndarray, below: np.ndarray | None, condition: np.ndarray
    ) -> np.ndarray:
        given = {"inputs": inputs, "condition": condition}
        if i + 1 < len(self.shape.widths):
            given["present"] = np.full(1, below is not None, np.float32)
            absent = np.zeros((1, self.shape.widths[i + 1], 1, 1), np.float32)
            given["below"] = absent if below is None else below
        part = i, bool(self.shape.realism) and bool(condition[0, -1])  # with blocks of realism?
        if part not in self._scales:
            self._scales[part] = _session(graph.scale(self._kept, *part))
        return self._scales[part].run(None, given)[0]

    def out(self, x: np.ndarray) -> np.ndarray:
        return self._out.run(None, {"x": x})[0]


def _session(model: ModelProto) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only
    options.enable_cpu_mem_arena = False  # give memory back after each part: no measurable cost
    # Each part has threads of its own: they must not spin while the next part works.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
