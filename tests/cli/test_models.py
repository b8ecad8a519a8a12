"""`tokcodec models`."""

from __future__ import annotations

import json
import sys

import tokcodec
from tests.cli.typed import one_line, run
from tokcodec.registry import DEFAULT


def test_models_in_words_and_as_json(capsys) -> None:
    assert run("models") == 0
    assert capsys.readouterr().out.startswith(f"{DEFAULT}: ")
    assert run("models", "--json") == 0
    found, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert found["name"] == DEFAULT
    assert found["id"] == tokcodec.load().model.id


def test_what_fails_at_a_file_is_not_told_of_stdout(monkeypatch, capsys) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "models")

    monkeypatch.setattr(tokcodec, "models", refuse)
    assert run("models") == 1
    assert "models: Permission denied" in one_line(capsys.readouterr().err)
    assert sys.stdout is not None
