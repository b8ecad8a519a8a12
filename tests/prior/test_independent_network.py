"""Streams of models with a network, read by the decoder that is written from the document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tests.independent import pyramid
from tokcodec.registry import DEFAULT, shipped

Photograph = Callable[[str, int, int], np.ndarray]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a random network, large enough that each of its inputs matters."""
    torch = pytest.importorskip("torch")
    from tokcodec.train.prior import PriorNetwork, to_model

    torch.manual_seed(0)
    network = PriorNetwork()
    with torch.no_grad():
        network.last.mul_(10)
        network.of_unit.normal_(0, 0.1)
        network.second_bias.normal_(0, 0.4)
        network.last_bias.normal_(0, 0.3)
    path = tmp_path_factory.mktemp("network") / "random.safetensors"
    path.write_bytes(to_model(network, shipped(DEFAULT), "random", {}).save_bytes())
    return path


def agree(data: bytes, path: Path) -> tuple[list[int], int, bool]:
    """What both decoders make of a stream."""
    codec = tokcodec.load(path)
    info = codec.info(data)
    expected = codec.unpack(data).ids.tolist(), info.digits, info.complete
    assert pyramid.decode(data, path) == expected
    return expected


@pytest.mark.parametrize(
    ("name", "width", "height", "budget"),
    [
        ("astronaut", 64, 48, 120),
        ("chelsea", 33, 70, 60),  # cells that only the minimum gives a parent
        ("rocket", 90, 5, 150),  # splits along one axis only
        ("coffee", 6, 11, 10**6),  # all digits
        ("coffee", 300, 1, 10**6),  # planes up to the eighth
        ("motorcycle_left", 1, 1, 10**6),
    ],
)
def test_a_decoder_written_from_the_document_reads_the_same_tokens(
    name: str, width: int, height: int, budget: int, model_file: Path, photograph: Photograph
) -> None:
    picture = photograph(name, width, height)
    ids, _, complete = agree(tokcodec.load(model_file).encode(picture, budget=budget), model_file)
    assert complete == (budget == 10**6)
    assert len(ids) >= min(budget, 2)


def test_it_reads_as_much_of_a_cut_stream(model_file: Path, photograph: Photograph) -> None:
    picture = photograph("camera", 40, 56)
    data = tokcodec.load(model_file).encode(picture, max_bytes=70)
    counts = [agree(data[:length], model_file)[1] for length in (12, 21, 38, 57, len(data))]
    assert counts == sorted(set(counts))
    assert counts[0] == 0
