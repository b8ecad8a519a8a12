"""Digits and their frequencies are integers; a list says why it is exact where floats hold them.

What both ends compute must be equal on every machine. Modules are read, not run: nothing in
`tokcodec.prior` and `tokcodec.coder` may make a float but what `ALLOWED` has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tokcodec

PACKAGE = Path(tokcodec.__file__).parent
MODULES = {
    path.relative_to(PACKAGE).as_posix(): path
    for folder in ("prior", "coder")
    for path in sorted((PACKAGE / folder).rglob("*.py"))
}
# What a function, class or constant may do with floats, and why that is exact.
ALLOWED = {
    ("prior/interface.py", "Table.of"): (
        {"np.float64"},
        "the range coder takes float64; frequencies less one are integers below 2**24",
    ),
    ("prior/tables.py", "pass_tables"): (
        {"np.float64"},
        "the range coder takes float64; frequencies less one are integers below 2**24",
    ),
    ("prior/tables.py", "_ln"): (
        {"np.frexp"},
        "the exponent alone, of integers below 2**24: how many bits they have",
    ),
    ("prior/maps.py", "_lg"): (
        {"np.frexp"},
        "the exponent alone, of integers up to 2**12: how many bits they have",
    ),
    ("prior/network.py", "_MIN_LOGITS"): ({"np.float64"}, "limits, small integers"),
    ("prior/network.py", "_MAX_LOGITS"): ({"np.float64"}, "limits, small integers"),
    ("prior/network.py", "Network._logits"): (
        {"np.float64"},
        "features of 16 bits; sums with weights of 16 bits have less than 53, in any order",
    ),
    ("prior/network.py", "_rounded"): (
        {"np.floor"},
        "sums in units of a power of two, rounded down as a shift rounds integers",
    ),
    ("prior/network.py", "layers"): (
        {"np.float64", "/"},
        "integers of 32 bits at most, divided by powers of two: the exponent alone changes",
    ),
}
DEFAULT_FLOAT = {"empty": 1, "eye": 3, "identity": 1, "ones": 1, "zeros": 1}  # place of the dtype
FLOAT_FUNCTIONS = {
    "acos", "arccos", "arcsin", "arctan", "arctan2", "asin", "atan", "average", "cbrt", "ceil",
    "cos", "cosh", "divide", "exp", "exp2", "expm1", "fabs", "float_power", "floor", "frexp",
    "fsum", "geomspace", "hypot", "interp", "ldexp", "linspace", "log", "log10", "log1p", "log2",
    "logspace", "mean", "median", "modf", "pow", "quantile", "percentile", "random", "reciprocal",
    "rint", "sin", "sinh", "sqrt", "std", "tan", "tanh", "true_divide", "trunc", "var",
}  # fmt: skip
NUMBERS = {"e", "euler_gamma", "inf", "infty", "nan", "pi", "tau"}
FLOAT_METHODS = {"mean", "std", "true_divide", "truediv", "var"}


def is_float_type(name: str) -> bool:
    """Whether numpy calls floats so, in any number of bits: "float32", "f4", ">f8", "double"."""
    try:
        return np.dtype(name).kind in "fc"
    except TypeError:
        return name in ("floating", "inexact", "complexfloating")


def names_of(node: ast.AST) -> Iterator[str]:
    """What makes floats in this node, not counting the nodes inside."""
    match node:
        case ast.Constant(value=float() | complex()):
            yield "literal"
        case ast.Constant(value=str(text)) if is_float_type(text):
            yield f'"{text}"'
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield "/"
        case ast.Name(id="float" | "complex" as name):
            yield name
        case ast.Attribute(value=ast.Name(id="np" | "numpy" | "math" as module), attr=name):
            if name in FLOAT_FUNCTIONS | NUMBERS or (module != "math" and is_float_type(name)):
                yield f"{module}.{name}"
        case ast.ImportFrom(module="math" | "numpy" | "operator", names=names):
            for alias in names:
                known = FLOAT_FUNCTIONS | NUMBERS | FLOAT_METHODS
                if alias.name in known or is_float_type(alias.name):
                    yield alias.name
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name)):
            typed = any(keyword.arg == "dtype" for keyword in node.keywords)
            if len(node.args) <= DEFAULT_FLOAT.get(name, -1) and not typed:
                yield f"np.{name} without a type"
        case ast.Call(func=ast.Attribute(attr=name)) if name in FLOAT_METHODS:
            yield f".{name}()"


def scopes(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Functions, methods and what else a module and its classes consist of, with their names."""

    def walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.AST]]:
        for node in body:
            match node:
                case ast.ClassDef(name=name):
                    for part in (*node.bases, *node.keywords, *node.decorator_list):
                        yield prefix + name, part
                    yield from walk(node.body, f"{prefix}{name}.")
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    yield prefix + name, node
                case ast.Assign(targets=[ast.Name(id=name)]):
                    yield prefix + name, node
                case ast.AnnAssign(target=ast.Name(id=name)):
                    yield prefix + name, node
                case _:
                    yield prefix.rstrip("."), node

    return walk(tree.body, "")


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def found_in(source: str) -> dict[str, set[str]]:
    """What makes floats in a module, by the function, class or constant that does."""
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if is_docstring(node)}
    found: dict[str, set[str]] = {}
    for scope, part in scopes(tree):
        for node in ast.walk(part):
            if id(node) not in said:
                found.setdefault(scope, set()).update(names_of(node))
    return {scope: names for scope, names in found.items() if names}


@pytest.mark.parametrize("module", MODULES)
def test_no_float_but_where_it_is_exact(module: str) -> None:
    allowed = {scope: names for (at, scope), (names, _) in ALLOWED.items() if at == module}
    assert found_in(MODULES[module].read_text()) == allowed


def test_the_list_is_of_modules_that_are_there() -> None:
    assert len(MODULES) >= 14
    assert {module for module, _ in ALLOWED} <= set(MODULES)
    assert all(names and why for names, why in ALLOWED.values())


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("x = 0.5 * y", "literal"),
        ("x = y * 1e3", "literal"),
        ("x = y / 2", "/"),
        ("y /= 2", "/"),
        ("x = float(y)", "float"),
        ("x = y.astype(float)", "float"),
        ("x = np.zeros(3, np.float16)", "np.float16"),
        ("x = np.double(y)", "np.double"),
        ("x = y.astype('<f4')", '"<f4"'),
        ("x = np.arange(3, dtype='float32')", '"float32"'),
        ("x = np.zeros((3, 4))", "np.zeros without a type"),
        ("x = np.sqrt(y)", "np.sqrt"),
        ("x = np.true_divide(y, 2)", "np.true_divide"),
        ("x = np.pi * y", "np.pi"),
        ("x = y.mean(0)", ".mean()"),
        ("from math import log2 as lg", "log2"),
        ("from numpy import float32", "float32"),
    ],
)
def test_floats_are_found_wherever_they_are(line: str, name: str) -> None:
    """At the top of a module, in a default, and inside a function of a method of a class."""
    inner = f"class A:\n  def b(self):\n    def c():\n      {line}\n"
    assert name in set().union(*found_in(line).values())
    assert found_in(inner).keys() == {"A.b"}
    assert name in found_in(inner)["A.b"]
    if line.startswith("x = "):
        assert name in found_in(f"def f(x={line[4:]}): ...")["f"]


@pytest.mark.parametrize(
    "line",
    [
        "x = y // 2",
        "x = np.zeros(3, np.int64)",
        "x = np.zeros(3, dtype=np.int32)",
        "x = y.take(z, mode='clip')",
        "x = mean(y, grid)",
        "from math import prod",
        "'''Half: 0.5 or 1 / 2, np.float32.'''",
    ],
)
def test_integers_are_no_floats(line: str) -> None:
    assert found_in(line) == {}
