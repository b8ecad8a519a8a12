"""The independent decoder imports the standard library and itself, and nothing else."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULES = [p for p in sorted(Path(__file__).parent.glob("*.py")) if p != Path(__file__)]


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_needs_nothing_of_the_library(path: Path) -> None:
    names = [*imported(path.read_text())]
    assert names
    for name in names:
        standard = name.partition(".")[0] in sys.stdlib_module_names
        assert standard or name.startswith("tests.independent.")
