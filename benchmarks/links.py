"""Bytes in, seconds and joules on named radio links out; every constant with its source.

All of it is arithmetic: no loss, no retransmission, the device is joined or attached already, and
the receiver acknowledges nothing above the link layer. `source` says where each number is from,
`assumed` what no source gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tokcodec.errors import ArgumentError

LORAWAN_HEADER = 13  # MHDR 1, DevAddr 4, FCtrl 1, FCnt 2, FPort 1, MIC 4: LoRaWAN L2 1.0.4, 4
UDP_HEADER = 28  # IPv4 20, UDP 8: RFC 791, RFC 768


def lora_airtime(
    payload: int,
    spreading_factor: int,
    bandwidth: float = 125e3,
    coding_rate: int = 1,
    preamble: int = 8,
    crc: bool = True,
    explicit_header: bool = True,
) -> float:
    """Seconds that a LoRa packet is on the air (Semtech SX1276 data sheet rev. 5, section 4.1.1.7).

    Args:
        payload: bytes after the LoRa header, 0 to 255; in LoRaWAN 13 more than the application's.
        spreading_factor: 7 to 12.
        bandwidth: in hertz.
        coding_rate: 1 to 4 for 4/5 to 4/8.
        preamble: symbols.

    Raises:
        ArgumentError: a payload, spreading factor or coding rate that LoRa does not have.
    """
    if not (0 <= payload <= 255 and 7 <= spreading_factor <= 12 and 1 <= coding_rate <= 4):
        raise ArgumentError(
            "LoRa takes 0 to 255 bytes, spreading factors 7 to 12 and coding rates 1 to 4; "
            f"not {payload}, {spreading_factor}, {coding_rate}"
        )
    symbol = 2**spreading_factor / bandwidth
    slow = symbol > 0.016  # low data rate optimisation is mandatory from there on
    bits = 8 * payload - 4 * spreading_factor + 28 + 16 * crc - 20 * (not explicit_header)
    blocks = math.ceil(max(bits, 0) / (4 * (spreading_factor - 2 * slow)))
    return (preamble + 4.25 + 8 + blocks * (coding_rate + 4)) * symbol


def ble_packet(payload: int) -> tuple[float, float]:
    """Seconds of sending and of listening for one notification on the 1M PHY.

    Packet: preamble 1, access address 4, header 2, L2CAP 4, ATT 3, payload, CRC 3 bytes at 8
    microseconds; the other side answers with an empty packet of 80; 150 between any two (Bluetooth
    Core Specification 5.4, volume 6, part B, 2.1 and 4.1; volume 3, parts A and F).
    """
    return 8e-6 * (17 + payload), 80e-6 + 2 * 150e-6


@dataclass(frozen=True)
class Link:
    """A way to send bytes.

    Attributes:
        name: as in tables.
        whole: most bytes of application payload that travel in one frame.
        part: the same for each frame of a picture that needs several; smaller where the link has to
            number them.
        air: application bytes of a frame to seconds that the radio sends or is in session.
        energy: application bytes of a frame to joules that the radio takes from the battery for it.
        spacing: seconds of `air` to seconds from the start of a frame to that of the next.
        session: (seconds, joules) once a picture, whatever its size.
        credit: bytes to a unit of billing, a frame rounded up; None where bytes are not billed.
        source: where the numbers are from.
        assumed: what no source says.
    """

    name: str
    whole: int
    part: int
    air: Callable[[int], float]
    energy: Callable[[int], float]
    source: str
    assumed: str
    spacing: Callable[[float], float] = lambda seconds: seconds
    session: tuple[float, float] = (0.0, 0.0)
    credit: int | None = None


@dataclass(frozen=True)
class Cost:
    """What a picture costs on a link.

    Attributes:
        frames: frames or messages.
        air: seconds that the radio sends or is in session.
        seconds: from the first bit to the last, on a link that was free before.
        period: seconds from one picture to the next when they follow one another without end.
        joules: taken from the battery by the radio.
        credits: units billed, or None.
    """

    frames: int
    air: float
    seconds: float
    period: float
    joules: float
    credits: int | None


def cost(link: Link, size: int) -> Cost:
    """What a file of `size` bytes costs on a link.

    Raises:
        ArgumentError: `size` is below 1.
    """
    if size < 1:
        raise ArgumentError(f"a picture has at least one byte, not {size}")
    frames = frames_of(link, size)
    airs = [link.air(n) for n in frames]
    starts = [link.spacing(seconds) for seconds in airs]
    seconds, joules = link.session
    return Cost(
        len(frames),
        sum(airs) + seconds,
        sum(starts[:-1]) + airs[-1] + seconds,
        sum(starts) + seconds,
        sum(link.energy(n) for n in frames) + joules,
        None if link.credit is None else sum(-(-n // link.credit) for n in frames),
    )


def frames_of(link: Link, size: int) -> list[int]:
    """Application bytes in each frame of a file of `size` bytes."""
    if size <= link.whole:
        return [size]
    full, rest = divmod(size, link.part)
    return [link.part] * full + ([rest] if rest else [])


LORA_WATTS = 0.1465
LORA_SOURCE = (
    "Time on air: SX1276 data sheet rev. 5, 4.1.1.7. Largest payload: LoRaWAN Regional Parameters "
    "1.0.3, 2.2.6, repeater compatible. Duty cycle of 1 %: ETSI EN 300 220-2 V3.2.1, 868.0 to "
    "868.6 MHz. 146.5 mW while sending at 14 dBm (44 mA at 3.3 V), 0.5 mJ to start, 1.3 mJ for the "
    "second receive window and {rx} mJ for the first: LoRaEnergySim (Callebaut et al., "
    "arXiv:1806.08624), its energy profile of a node."
)
LORA_ASSUMED = (
    "One sub-band. Unconfirmed uplinks; the frame counter puts the parts of a picture in order."
)


def _lorawan(name: str, spreading_factor: int, payload: int, rx_mj: float) -> Link:
    def air(n: int) -> float:
        return lora_airtime(LORAWAN_HEADER + n, spreading_factor)

    return Link(
        name,
        payload,
        payload,
        air,
        lambda n: LORA_WATTS * air(n) + (0.5 + 1.3 + rx_mj) / 1e3,
        LORA_SOURCE.format(rx=rx_mj),
        LORA_ASSUMED,
        spacing=lambda seconds: seconds / 0.01,
    )


NB_RATE, NB_WATTS, NB_BYTES = 62.5e3, 0.5, 584
BLE_SEND, BLE_LISTEN = 7.1e-3 * 3, 6.5e-3 * 3
SBD_SECONDS, SBD_WATTS = 10.0, 0.150 * 5
SMS_SECONDS, SMS_WATTS = 6.2, 0.0495 * 3.8
WIFI_WATTS = 0.310 * 3.3

LINKS = (
    _lorawan("LoRaWAN DR0", 12, 51, 6.4),
    _lorawan("LoRaWAN DR5", 7, 222, 0.5),
    Link(
        "NB-IoT",
        1330,
        1330,
        lambda n: 8 * n / NB_RATE,
        lambda n: 8 * n / NB_RATE * NB_WATTS,
        "One message of 584 bytes (CoAP, DTLS) from sleep to sleep: 1.47 s and 28.15 mC at 3.7 V "
        "(Røstad, NTNU 2020, nRF9160, Cat NB1, 23 dBm, release assistance). Largest datagram: MTU "
        "1358, 3GPP TS 23.060 annex C.",
        "Bytes more or fewer than 584 count at 62.5 kbit/s (peak of Cat NB1 uplink) and 0.5 W "
        "(3GPP TR 45.820): good coverage. Without release assistance the modem stays on for 10 s "
        "more and takes 1.36 J more (same thesis).",
        session=(1.47 - 8 * NB_BYTES / NB_RATE, 28.15e-3 * 3.7 - 8 * NB_BYTES / NB_RATE * NB_WATTS),
    ),
    Link(
        "SMS",
        140,
        134,
        lambda n: SMS_SECONDS,
        lambda n: SMS_SECONDS * SMS_WATTS,
        "140 bytes of 8-bit data, 134 beside a concatenation header: 3GPP TS 23.040, 9.2.3.24. "
        "6.2 s at a mean of 49.5 mA a message: Telit's answer in its technical forum, GSM 900, "
        "power level 5.",
        "3.8 V. The same thread quotes Aalborg University with 2 to 3 J on phones.",
        credit=140,
    ),
    Link(
        "Iridium SBD",
        340,
        340,
        lambda n: SBD_SECONDS,
        lambda n: SBD_SECONDS * SBD_WATTS,
        "340 bytes a message, billed by 50: RockBLOCK documentation, PX4 guide. 150 mA at 5 V "
        "during a session: Iridium 9602N developer's guide, table 9. About 10 s a session: NAL "
        "Research, SHOUT nano manual, appendix C. One message in 40 s: PX4 guide.",
        "Clear sky, every session succeeds.",
        spacing=lambda seconds: 40.0,
        credit=50,
    ),
    Link(
        "BLE",
        244,
        244,
        lambda n: sum(ble_packet(n)),
        lambda n: BLE_SEND * ble_packet(n)[0] + BLE_LISTEN * ble_packet(n)[1],
        "Packets: Bluetooth Core Specification 5.4, volume 6, part B; ATT MTU 247 with data length "
        "extension. 7.1 mA sending at 0 dBm, 6.5 mA listening, 3 V: nRF52832 product specification "
        "1.1, power management.",
        "Connected already; packets follow one another within a connection event; between packets "
        "the radio draws what listening does.",
    ),
    Link(
        "1 Mbit/s",
        1472,
        1472,
        lambda n: 8e-6 * (n + UDP_HEADER),
        lambda n: 8e-6 * (n + UDP_HEADER) * WIFI_WATTS,
        "UDP over IPv4 at 1 Mbit/s, MTU 1500. 310 mA at 3.3 V while sending 802.11b at 1 Mbit/s: "
        "ESP32-S2-WROOM data sheet 1.1, table 7.",
        "The whole rate is the sender's; no association, no contention, no preambles.",
    ),
)
