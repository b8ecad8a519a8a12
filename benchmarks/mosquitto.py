"""A mosquitto of one's own, on a free port of this machine, that is started and stopped at will."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tokcodec.errors import InputError

PATIENCE = 60.0  # seconds until a broker that does not answer counts as broken
ELSEWHERE = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # where servers are, not on every PATH


def binary() -> str | None:
    """The program, if it is here."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=ELSEWHERE)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of this machine that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Broker:
    """Keeps what it has over a restart.

    Args:
        folder: for its configuration and what it keeps; it and all above must be open to others, as
            mosquitto, started by root, becomes a user of its own.
        more: lines of its configuration.

    Raises:
        InputError: there is no mosquitto here.
    """

    def __init__(self, folder: Path, more: str = "") -> None:
        program = binary()
        if program is None:
            raise InputError("there is no mosquitto here: apt-get install mosquitto")
        self.port = free_port()
        self._process: subprocess.Popen | None = None
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\n{more}"
        )
        folder.chmod(0o777)
        self.start()

    @property
    def address(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start, and wait until it listens."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise InputError("mosquitto does not start")

    def stop(self) -> None:
        """As a service manager does it; harmless when done twice."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)
            self._process = None
