"""Links: time on air against published values, and what follows from frames and duty cycles."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import bandwidth
from benchmarks.links import LINKS, ble_packet, cost, frames_of, lora_airtime
from tokcodec.errors import ArgumentError

BY_NAME = {link.name: link for link in LINKS}


@pytest.mark.parametrize(
    ("milliseconds", "payload", "options"),
    [
        # Semtech's spreadsheet to AN1200.13
        (164.864, 13, {"spreading_factor": 9}),
        # README of lorawan_toa: SF12, 51 bytes of application payload and 13 of LoRaWAN
        (2793.472, 64, {"spreading_factor": 12}),
        (118.016, 64, {"spreading_factor": 7}),
        # documentation of the crate lora-modulation
        (144.384, 12, {"spreading_factor": 9}),
        # Semtech's SX1261 calculator, as quoted by MicroPython's tests
        (206.848, 1, {"spreading_factor": 12, "bandwidth": 500e3}),
        (1476.608, 192, {"spreading_factor": 12, "bandwidth": 500e3}),
        (165.888, 1, {"spreading_factor": 12, "bandwidth": 500e3, "crc": False}),
        (53.760, 2, {"spreading_factor": 8, "coding_rate": 2}),
        (827.904, 253, {"spreading_factor": 8, "coding_rate": 2}),
        (
            280.576,
            16,
            {
                "spreading_factor": 12, "bandwidth": 500e3, "preamble": 12, "crc": False,
                "explicit_header": False,
            },
        ),
        (
            12824.568,
            16,
            {"spreading_factor": 11, "bandwidth": 10.42e3, "coding_rate": 3, "preamble": 25},
        ),
    ],
)  # fmt: skip
def test_airtime_is_the_published_one(
    milliseconds: float, payload: int, options: dict[str, float]
) -> None:
    assert 1e3 * lora_airtime(payload, **options) == pytest.approx(milliseconds, rel=1e-6)


@pytest.mark.parametrize(("payload", "factor"), [(256, 7), (-1, 7), (20, 6), (20, 13)])
def test_airtime_refuses_what_lora_cannot_send(payload: int, factor: int) -> None:
    with pytest.raises(ArgumentError, match="LoRa takes"):
        lora_airtime(payload, factor)


def test_longest_ble_packet() -> None:
    # 2120 microseconds is the longest on the 1M PHY, with a message check of 4 bytes that an
    # unencrypted packet lacks
    assert ble_packet(244)[0] == pytest.approx(2120e-6 - 4 * 8e-6)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
def test_frames_hold_the_file_and_no_more_than_they_can(link) -> None:
    for size in [*range(1, 400), 1339, 1340, 1341, 10_160]:
        frames = frames_of(link, size)
        assert sum(frames) == size
        assert min(frames) > 0
        assert max(frames) <= (link.whole if len(frames) == 1 else link.part)
        here, more = cost(link, size), cost(link, size + 1)
        assert more.joules >= here.joules > 0
        assert more.seconds >= here.seconds > 0
        assert here.period >= here.seconds >= here.air * (1 - 1e-9)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
def test_every_constant_has_a_source(link) -> None:
    assert any(c.isdigit() for c in link.source)
    assert link.assumed.endswith(".")


def test_a_file_has_bytes() -> None:
    with pytest.raises(ArgumentError, match="at least one byte"):
        cost(LINKS[0], 0)


def test_duty_cycle() -> None:
    link = BY_NAME["LoRaWAN DR0"]
    one, two = cost(link, 51), cost(link, 52)
    assert (one.frames, two.frames) == (1, 2)
    assert one.seconds == pytest.approx(2.793472)
    # the second frame waits until a hundred times the first one's time has passed
    assert two.seconds == pytest.approx(100 * 2.793472 + lora_airtime(14, 12))
    assert two.air / two.period == pytest.approx(0.01)


def test_messages_and_credits() -> None:
    sms, sbd = BY_NAME["SMS"], BY_NAME["Iridium SBD"]
    assert [cost(sms, n).credits for n in (140, 141, 268, 269)] == [1, 2, 2, 3]
    assert [cost(sbd, n).credits for n in (1, 50, 51, 340, 341)] == [1, 1, 2, 7, 8]
    assert cost(sbd, 341).seconds == pytest.approx(50)  # the second session starts after 40 s


def test_nb_iot_goes_through_the_measurement() -> None:
    found = cost(BY_NAME["NB-IoT"], 584)
    assert found.seconds == pytest.approx(1.47)
    assert found.joules == pytest.approx(28.15e-3 * 3.7)


def options(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bandwidth.add_arguments(parser)
    return parser.parse_args(given)


def test_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], astronaut: np.ndarray, photograph
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(astronaut).save(folder / "a.png")
    Image.fromarray(photograph("coffee", 64, 48)).save(folder / "b.png")
    (folder / "broken.png").write_bytes(b"\x89PNG no more")
    out = tmp_path / "out"
    given = options("--images", str(folder), "--bytes", "51,24", "--out", str(out))
    assert bandwidth.run(given) == 1
    said = capsys.readouterr()
    assert "broken.png" in said.err
    assert "2 pictures" in said.out

    lines = [line.split("\t") for line in (out / "pictures.tsv").read_text().splitlines()]
    assert tuple(lines[0]) == bandwidth.COLUMNS
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    assert len(rows) == len(LINKS) * (2 + len(bandwidth.RIVALS))
    by_codec = {row["codec"]: row for row in rows}
    assert float(by_codec["tokcodec 24"]["bytes"]) == 24
    assert float(by_codec["tokcodec 51"]["psnr"]) > float(by_codec["tokcodec 24"]["psnr"])
    assert float(by_codec["JPEG q75"]["bytes"]) > float(by_codec["JPEG q10"]["bytes"])
    assert all((row["credits"] != "") == (BY_NAME[row["link"]].credit is not None) for row in rows)
    for link in LINKS:
        assert f"| {link.name} |" in said.out  # its sources


def test_means_are_over_pictures_each_at_its_own_bytes() -> None:
    link = BY_NAME["LoRaWAN DR0"]
    file = bandwidth.File("x", "1", 51, 20.0)
    rows = bandwidth.on_links([[file], [file._replace(bytes=53, psnr=22.0)]], (link,))
    row = dict(zip(bandwidth.COLUMNS, rows[0], strict=True))
    assert (row["bytes"], row["psnr"], row["frames"]) == (52, 21, 1.5)
    assert row["joules"] == pytest.approx((cost(link, 51).joules + cost(link, 53).joules) / 2)
