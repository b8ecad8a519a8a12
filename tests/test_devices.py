"""Devices by name, and where bfloat16 is the faster precision."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from tokcodec import devices  # noqa: E402
from tokcodec.errors import ArgumentError  # noqa: E402
from tokcodec.train.muon import orthogonal  # noqa: E402


def test_a_device_is_found_by_name_or_named_as_missing() -> None:
    assert devices.find() == devices.find("cpu") == torch.device("cpu")
    for name in ("toaster", "cuda:99", 3.5):
        with pytest.raises(ArgumentError):
            devices.find(name)


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16"])
def test_bfloat16_is_for_processors_that_multiply_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"avx2": True, "avx512_bf16": False, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    cpu = torch.device("cpu")
    assert not devices.half(cpu)
    assert devices.half(torch.device("cuda"))
    assert not devices.half(torch.device("meta"))
    matrix = torch.randn(16, 48)
    whole = orthogonal(matrix)
    found[name] = True
    assert devices.half(cpu)
    rounded = orthogonal(matrix)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - whole).abs().max() < 0.05


def test_a_torch_that_does_not_tell_has_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not devices.half(torch.device("cpu"))
