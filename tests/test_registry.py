"""Names to models of the family that is wanted."""

from __future__ import annotations

import pytest

from tokcodec import registry
from tokcodec.errors import UnknownModelError


@pytest.mark.parametrize(
    "name", ["register-small", "titok-l32", "hf-hub:EPFL-VILAB/flextok_d12_d12_in1k"]
)
def test_a_tokenizer_is_no_pyramid(name: str) -> None:
    with pytest.raises(UnknownModelError, match="a pyramid is wanted here"):
        registry.open_model(name)


def test_a_name_that_nothing_has() -> None:
    with pytest.raises(UnknownModelError, match="no model 'nosuch'"):
        registry.open_model("nosuch")
