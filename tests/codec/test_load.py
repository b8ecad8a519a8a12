"""Models by name and path, and what names none."""

from __future__ import annotations

from pathlib import Path

import pytest

import tokcodec
from tokcodec import errors
from tokcodec.registry import DEFAULT


def test_models_are_listed_and_loaded():
    pyramid, *_ = tokcodec.models()
    assert (pyramid.name, pyramid.code, pyramid.vocabulary) == (DEFAULT, 4, 59049)
    assert tokcodec.load().model is tokcodec.load(DEFAULT).model
    with pytest.raises(errors.UnknownModelError, match="no model 'nosuch'"):
        tokcodec.load("nosuch")


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "a/" * 3000])
def test_what_no_model_can_be_called(name):
    with pytest.raises(errors.ArgumentError, match="a model is a name or a path"):
        tokcodec.load(name)


@pytest.mark.parametrize("model", [5, 3.5, b"pyramid", ["pyramid"], "", "x" * 5000, "a\0b"])
def test_what_names_no_model(astronaut, model):
    data = tokcodec.encode(astronaut, budget=4)
    for call in (tokcodec.load, lambda m: tokcodec.encode(astronaut, model=m)):
        with pytest.raises(errors.ArgumentError, match="a model is a name or a path"):
            call(model)
    with pytest.raises(errors.ArgumentError, match="a model is a name or a path"):
        tokcodec.decode(data, model=model)
    assert tokcodec.encode(astronaut, budget=4, model=None) == data


def test_a_model_in_a_folder_that_is_closed(monkeypatch):
    def closed(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", closed)
    with pytest.raises(errors.InputError, match="Permission denied"):
        tokcodec.load("/closed/mine.safetensors")
