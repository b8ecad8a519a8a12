"""A trained decoder to ONNX: the whole network as one model for anyone, or its parts for strips.

The nodes are laid by hand from the names and shapes of the weights, so that no torch is needed.
They compute what `network.Network` does; weights in half precision stay so in the file, and are
made float32 by a Cast, which runtimes do once, when they load it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tokcodec.decoders.noise import TILE, tile
from tokcodec.decoders.received import RECEIVED
from tokcodec.decoders.shape import BANDS, INPUTS, LEAK, spread
from tokcodec.decoders.stored import Stored
from tokcodec.version import VERSION

OPSET, IR = 17, 8  # of 2022: what older runtimes know, too
Size = list[str | int]  # names stand for sides of any length
Sizes = dict[str, Size]
ABOUT = """\
The neural decoder of tokcodec's pyramid streams: wavelet bands as received to what to add to the
finest of them, before the last step of the inverse transform. All numbers are float32.

bands_0, bands_1, ...: the finest resolution (half the picture's size, rounded up), the next one,
and so on: (pictures, 12, height, width). Channels 0 to 2 are the low band there, of luma and the
two chromas, as the inverse transform gives it; 3 to 5 the details across, 6 to 8 down, 9 to 11
along the diagonal, with zeros to the right and below where they are smaller, and where an axis is
no longer split. For a resolution that a small picture does not have: zeros, 1 high and 1 wide.
received: (pictures, 75): how far each band was received.
realism: (pictures): 0 (closest on average) to 1 (most natural), if the card below names a realism,
else 0.
correction: (pictures, 12, height, width), to be added to bands_0; tokcodec adds a share of it
only, down to nothing, where 34 dB or more are to be expected without it.

docs/FORMAT.md of tokcodec describes the bands, docs/training.md the numbers of `received`.
"""


class Graph:
    """Nodes in the making; each method adds some and gives the name of their result."""

    def __init__(self, kept: Stored) -> None:
        self.kept = kept
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, kind: str, *given: str, name: str | None = None, **options: Any) -> str:
        """One node of one result."""
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(given), [name], name=name, **options))
        return name

    def split(self, x: str, sizes: list[int], names: list[str]) -> list[str]:
        """Pieces of axis 1."""
        given = [x, self.constant(np.array(sizes, np.int64))]
        self.nodes.append(helper.make_node("Split", given, names, axis=1))
        return names

    def constant(self, value: np.ndarray, name: str | None = None) -> str:
        """A constant; the same one for the same name."""
        name = name or f"constant_{len(self.constants)}"
        self.constants[name] = value
        return name

    def number(self, value: int) -> str:
        """A whole number."""
        return self.constant(np.array(value, np.int64))

    def numbers(self, *values: int) -> str:
        """Whole numbers, as axes and sizes are given."""
        return self.constant(np.array(values, np.int64))

    def weight(self, name: str) -> str:
        """A weight of the decoder, float32."""
        value = self.kept.weights[name]
        self.constant(value, name)
        if value.dtype == np.float32:
            return name
        return self.add("Cast", name, name=f"{name}.float", to=TensorProto.FLOAT)

    def layer(self, kind: str, x: str, name: str, **options: Any) -> str:
        """A layer with weight and bias: Conv or Gemm."""
        weight, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add(kind, x, weight, bias, **options)

    def conditions(self, received: str, realism: str) -> list[str]:
        """See `Runtime.conditions`; realism is (pictures,)."""
        shape = self.kept.shape
        count = len(shape.widths)
        names = [f"condition_{i}" for i in range(count)]
        if not shape.realism:
            return self.told(received, "condition", shape.films, names)
        films = self.told(received, "condition", shape.films, [f"films_{i}" for i in range(count)])
        wanted = self.add("Unsqueeze", realism, self.numbers(1))
        given = self.add("Concat", received, wanted, axis=1)
        styles = self.told(given, "style", shape.styles, [f"styles_{i}" for i in range(count)])
        return [
            self.add("Concat", f, s, wanted, axis=1, name=name)
            for f, s, name in zip(films, styles, names, strict=True)
        ]

    def told(self, x: str, layers: str, sizes: list[int], names: list[str]) -> list[str]:
        """A condition to scales and shifts."""
        x = self.layer("Gemm", x, f"{layers}.0", transB=1)
        x = self.add("Mul", x, self.add("Sigmoid", x))
        return self.split(self.layer("Gemm", x, f"{layers}.2", transB=1), sizes, names)

    def inputs(self, i: int, bands: str, realism: str) -> str:
        """Bands of resolution `i`, scaled, with their noise: (pictures, INPUTS, h, w)."""
        scaled = self.add("Div", bands, self.constant(spread(), "spread"))
        sheet = self.constant(tile(), "noise")
        for axis in (1, 2):  # rows, then columns, as often as they fit
            size = self.add("Shape", bands, start=axis + 1, end=axis + 2)
            until = self.add("Squeeze", size, self.numbers(0))
            places = self.add("Range", self.number(0), until, self.number(1))
            places = self.add("Mod", places, self.number(TILE))
            sheet = self.add("Gather", sheet, places, axis=axis)
        loud = self.add("Unsqueeze", realism, self.numbers(1, 2, 3))
        return self.add("Concat", scaled, self.add("Mul", loud, sheet), axis=1, name=f"inputs_{i}")

    def scale(
        self, i: int, inputs: str, below: str, present: str, condition: str, natural: bool = True
    ) -> str:
        """See `Runtime.scale`; what is `below` counts as often as `present`, (1,), says: 0 or 1.
        Not `natural` is for realism 0: no block of realism.
        """
        shape = self.kept.shape
        bands = self.add("Slice", inputs, self.numbers(0), self.numbers(BANDS), self.numbers(1))
        x = self.layer("Conv", bands, f"scales.{i}.embed", pads=[1, 1, 1, 1])
        if i + 1 < len(shape.widths):
            handed = self.add("Mul", self.layer("Conv", below, f"scales.{i}.up"), present)
            x = self.add("Add", x, self.grown(handed, x))
        sizes = [shape.widths[i]] * (2 * shape.blocks[i])
        if shape.realism:
            sizes += [shape.widths[i]] * (2 * shape.realism[i]) + [1]
        told = self.split(condition, sizes, [f"told_{i}_{n}" for n in range(len(sizes))])
        films = [self.add("Unsqueeze", part, self.numbers(2, 3)) for part in told]
        for n in range(shape.blocks[i]):
            x = self.add("Add", x, self.block(x, f"scales.{i}.blocks.{n}", films))
        if shape.realism and natural:
            wanted = films[-1]
            noisy = self.layer("Conv", inputs, f"scales.{i}.noisy", pads=[1, 1, 1, 1])
            x = self.add("Add", x, self.add("Mul", noisy, wanted))
            for n in range(shape.realism[i]):
                change = self.block(x, f"scales.{i}.realism.{n}", films)
                x = self.add("Add", x, self.add("Mul", change, wanted))
        return self.add("Identity", x, name=f"features_{i}")

    def block(self, x: str, name: str, films: list[str]) -> str:
        """What a residual block adds; it takes the first two of `films`."""
        scale, shift = films.pop(0), films.pop(0)
        one = self.constant(np.ones(1, np.float32), "one")
        y = self.layer("Conv", x, f"{name}.first", pads=[1, 1, 1, 1])
        y = self.add("Add", self.add("Mul", y, self.add("Add", scale, one)), shift)
        return self.layer("Conv", self.add("LeakyRelu", y, alpha=LEAK), f"{name}.second",
                          pads=[1, 1, 1, 1])  # fmt: skip

    def grown(self, x: str, like: str) -> str:
        """Features doubled by repetition to the size of `like` (an axis no longer split stays)."""
        size = self.add("Shape", like, start=2, end=4)
        small = self.add("Shape", x, start=2, end=4)
        most = self.add("Sub", self.add("Add", size, small), self.numbers(1))
        ratio = self.add("Cast", self.add("Div", most, small), to=TensorProto.FLOAT)  # 1 or 2
        ratio = self.add("Concat", self.constant(np.ones(2, np.float32)), ratio, axis=0)
        whole = self.add(
            "Resize", x, "", ratio,
            mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )  # fmt: skip
        return self.add("Slice", whole, self.numbers(0, 0), size, self.numbers(2, 3))

    def out(self, x: str) -> str:
        """See `Runtime.out`."""
        return self.layer("Conv", x, "out", pads=[1, 1, 1, 1])

    def model(self, given: Sizes, results: Sizes) -> onnx.ModelProto:
        """The model of all nodes, from the names and shapes that go in to those that come out."""
        inputs, outputs = (
            [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in names.items()]
            for names in (given, results)
        )
        weights = [numpy_helper.from_array(v, name) for name, v in self.constants.items()]
        graph = helper.make_graph(self.nodes, "decoder", inputs, outputs, weights)
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR,
            producer_name="tokcodec",
            producer_version=VERSION,
        )


def whole(kept: Stored) -> onnx.ModelProto:
    """The network from bands to correction: see `ABOUT`."""
    graph, count = Graph(kept), len(kept.shape.widths)
    bands = {f"bands_{i}": _size(BANDS, i) for i in range(count)}
    conditions = graph.conditions("received", "realism")
    x = present = ""
    for i in reversed(range(count)):
        inputs = graph.inputs(i, f"bands_{i}", "realism")
        x = graph.scale(i, inputs, x, present, conditions[i])
        sides = graph.add("Shape", f"bands_{i}", start=2, end=4)
        longest = graph.add("ReduceMax", sides, axes=[0], keepdims=1)
        there = graph.add("Greater", longest, graph.numbers(1))
        present = graph.add("Cast", there, to=TensorProto.FLOAT)
    graph.add("Mul", graph.out(x), "spread", name="correction")
    told: Sizes = {"received": ["pictures", RECEIVED], "realism": ["pictures"]}
    model = graph.model(bands | told, {"correction": _size(BANDS, 0)})
    model.doc_string = ABOUT
    helper.set_model_props(model, kept.metadata())
    return model


def conditions(kept: Stored) -> onnx.ModelProto:
    """`Runtime.conditions`: received, realism to condition_0, condition_1, ..."""
    graph = Graph(kept)
    found = graph.conditions("received", "realism")
    told: Sizes = {"received": [1, RECEIVED], "realism": [1]}
    sizes: Sizes = {n: [1, s] for n, s in zip(found, kept.shape.conditions, strict=True)}
    return graph.model(told, sizes)


def scale(kept: Stored, i: int, natural: bool) -> onnx.ModelProto:
    """`Runtime.scale`: inputs and condition, below and present (not the coarsest) to features."""
    graph, shape = Graph(kept), kept.shape
    given: Sizes = {"inputs": _size(INPUTS, i), "condition": [1, shape.conditions[i]]}
    if i + 1 < len(shape.widths):
        given |= {"below": _size(shape.widths[i + 1], i + 1), "present": [1]}
    x = graph.scale(i, "inputs", "below", "present", "condition", natural)
    return graph.model(given, {x: _size(shape.widths[i], i)})


def out(kept: Stored) -> onnx.ModelProto:
    """`Runtime.out`: x to correction."""
    graph = Graph(kept)
    return graph.model({"x": _size(kept.shape.widths[0], 0)}, {graph.out("x"): _size(BANDS, 0)})


def _size(channels: int, i: int) -> Size:
    return ["pictures", channels, f"height_{i}", f"width_{i}"]
