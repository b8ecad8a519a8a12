"""The plot of a run: all of its log, in any state."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tokcodec.train import plot as module
from tokcodec.train.plot import plot

LOG = "step\tminutes\tloss\tgain\tgain_120\n10\t0.5\t5.2\t0\t-0.1\n20\t1\t4.9\t0.2\t0.1\n"


@pytest.mark.parametrize(
    "log",
    [
        LOG,
        LOG[: LOG.index("20\t1")],
        LOG.replace("4.9", "nan"),
        LOG.replace("\t0.2\t0.1\n", "\t0.2\n"),  # a column is missing
        LOG.replace("0.1\n", "0.1\t7\n"),  # or too many
    ],
)
def test_a_log_is_drawn(log: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "log.tsv").write_text(log)
    plot(tmp_path / "log.tsv", tmp_path / "log.png")
    drawn = Image.open(tmp_path / "log.png").convert("L")
    assert drawn.height > 400  # two kinds below each other
    assert len(set(drawn.get_flattened_data())) > 10


def test_without_matplotlib_nothing_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    (tmp_path / "log.tsv").write_text(LOG)
    plot(tmp_path / "log.tsv", tmp_path / "log.png")
    assert not (tmp_path / "log.png").exists()
