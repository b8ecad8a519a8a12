"""Processes that train together end with one critic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tokcodec.train import distributed  # noqa: E402

SCRIPT = """
import sys
import torch
from tokcodec.train.losses.critic import FEATURE_WIDTHS, Adversary
from tokcodec.train.distributed import agreed, process, several

with process(torch.device("cpu")) as (rank, device):
    assert several()
    assert agreed(0.25 + rank, device) == 0.25
    torch.manual_seed(rank)
    adversary = Adversary(device)
    for judging in ((0, 1), (0, 1), (0,), (1,)):
        if rank not in judging:
            adversary.wait()
            continue
        pixels = [torch.rand(2, 3, 32, 32) * 255 for _ in range(3)]
        seen = [[torch.rand(2, w, 8, 8) for w in FEATURE_WIDTHS] for _ in range(2)]
        adversary.judge(*pixels, *seen)
    torch.save(adversary.state()["critic"], f"{sys.argv[1]}/{rank}.pt")
"""


def test_critics_of_two_processes_learn_alike_from_different_pictures(tmp_path: Path) -> None:
    """Even where one of them has pictures to judge and the other none."""
    pytest.importorskip("torch.distributed.run")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(tmp_path / "script.py"), str(tmp_path),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    one, two = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert one.keys() == two.keys()
    assert all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)


def test_one_process_agrees_with_itself() -> None:
    layer = torch.nn.Linear(2, 2)
    before, gradient = layer.weight.clone(), torch.ones(2)
    distributed.alike(layer)
    distributed.average([gradient, None])
    assert torch.equal(layer.weight, before)
    assert torch.equal(gradient, torch.ones(2))
    assert distributed.agreed(0.5, torch.device("cpu")) == 0.5
