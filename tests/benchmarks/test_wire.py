"""The benchmarks of brokers, packets and latency, on a few small pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import broker, latency, mosquitto, packets, restart
from benchmarks.__main__ import main
from tokcodec.psnr import psnr


@pytest.fixture
def folder(tmp_path: Path, photograph) -> Path:
    found = tmp_path / "pictures"
    found.mkdir()
    for name in ("coffee", "rocket"):
        Image.fromarray(photograph(name, 64, 48)).save(found / f"{name}.png")
    return found


def rows(path: Path) -> list[dict[str, str]]:
    head, *lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_broker(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    if mosquitto.binary() is None:
        pytest.skip("there is no mosquitto here: apt-get install mosquitto")
    pytest.importorskip("paho.mqtt.client")
    assert main(["broker", "--pictures", "40", "--rows", "4", "--out", str(tmp_path)]) == 0
    assert "40 sent, 40 stored: 0 lost, 0 doubled" in capsys.readouterr().out
    found = rows(tmp_path / "qos1.tsv")
    assert tuple(found[0]) == broker.COLUMNS
    assert [row["stored"] for row in found] == ["10", "20", "30", "40"]


def test_latency(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["latency", "--images", str(folder), "--decoders", "linear", "--bytes", "300",
                 "--rounds", "1", "--out", str(tmp_path)]) == 0  # fmt: skip
    found = rows(tmp_path / "pictures.tsv")
    assert tuple(found[0]) == latency.COLUMNS
    assert [row["updates"] for row in found] == ["6", "6"]  # at 51, 102, 153, 204, 255, 300 bytes
    for row in found:
        assert 0 < float(row["median_ms"]) < float(row["all_ms"])
        assert 0 < float(row["last_share"]) < float(row["all_share"])
        assert float(row["all_cpu_ms"]) > 0
    assert "| linear | 6" in capsys.readouterr().out


def test_packets(tmp_path: Path, folder: Path) -> None:
    assert main(["packets", "--images", str(folder), "--trials", "60", "--flood", "400",
                 "--out", str(tmp_path)]) == 0  # fmt: skip
    costs = rows(tmp_path / "costs-pictures.tsv")
    assert tuple(costs[0]) == packets.COSTS
    for row in costs:
        parts = sum(float(row[c]) for c in ("headers", "checks", "protection", "stream"))
        assert parts == pytest.approx(float(row["wire"]))
    damage = rows(tmp_path / "damage-pictures.tsv")
    missed = {(row["damage"], row["check"]): int(row["passed"]) for row in damage}
    assert missed["1 bit", "none"] > 50
    assert missed["1 bit", "crc8"] == missed["burst of 8 bits", "crc8"] == 0
    beginnings, whole = rows(tmp_path / "flood-pictures.tsv")
    assert (beginnings["raised"], beginnings["intact"], whole["raised"]) == ("0", "1", "0")


def test_jpeg_in_packets(photograph) -> None:
    image = Image.fromarray(photograph("coffee", 160, 120))
    packed = restart.pack(image, 12, 46)
    assert packed is not None
    assert packed.packets <= 12
    arrived = np.ones(packed.packets, bool)
    whole = packed.shown(arrived, image.size)
    arrived[1] = False
    part = packed.shown(arrived, image.size)
    assert whole is not None
    assert part is not None
    assert psnr(np.asarray(image), whole) > psnr(np.asarray(image), part) > 10
    assert packed.shown(arrived & False, image.size) is None
    assert restart.pack(image, 1, 6) is None
