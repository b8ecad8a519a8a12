"""A folder of streams to web addresses of which any range from the start is a picture, and back.

tokcodec serve pictures/                          # http://localhost:8000/cat.tkc
curl -r 0-99 http://localhost:8000/cat.tkc        # the same picture in 100 bytes
"""

from __future__ import annotations

import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import punctuation
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

from tokcodec.arguments import is_number, is_whole
from tokcodec.errors import ArgumentError, InputError, LinkError
from tokcodec.stream.header import SUFFIX
from tokcodec.transport.address import check_port
from tokcodec.transport.interface import limit

TYPE = "image/vnd.tokcodec"
PATIENCE = 30.0  # seconds for a silent other end
MAX_CONNECTIONS = 128  # at once; further ones are told to come again
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
ANYWHERE = "0.0.0.0"
PIECE = 1 << 14  # bytes read at once
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Server(ThreadingHTTPServer):
    """Serves the .tkc files of a folder and its subfolders, and nothing else of them.

    `serve_forever()` until `shutdown()`.

    Args:
        folder: what is served; links out of it are not followed.
        host, port: where; an empty host is all addresses of this machine, port 0 any that is free:
            `port` tells which.

    Raises:
        InputError: there is no such folder.
        LinkError: the port is taken, or the address is none of this machine.
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let two servers share a port

    def __init__(self, folder: str | Path, host: str = "127.0.0.1", port: int = 8000) -> None:
        self.folder = Path(folder).resolve()
        if not self.folder.is_dir():
            raise InputError(f"there is no folder {folder}")
        check_port(port, first=0)
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        try:
            families = {found[0] for found in socket.getaddrinfo(host or ANYWHERE, port)}
            self.address_family = min(families, key=lambda family: family != socket.AF_INET)
            super().__init__((host or ANYWHERE, port), _Handler)
        except (OSError, UnicodeError, OverflowError, TypeError) as e:
            raise LinkError(f"cannot serve at {host}:{port}: {e}") from e

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def find(self, target: str) -> Path | None:
        """The file that a request's target names, if it may be had."""
        try:
            # Names of files are bytes, and so are targets: http.server takes them for Latin-1.
            name = os.fsdecode(unquote_to_bytes(urlsplit(target).path.encode("latin-1")))
            path = (self.folder / name.lstrip("/")).resolve()
            good = (
                path.suffix.lower() == SUFFIX
                and path.is_relative_to(self.folder)
                and path.is_file()
            )
        except (OSError, ValueError, RuntimeError):  # the last: links that lead back to themselves
            return None
        return path if good else None

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, of which there are at most `MAX_CONNECTIONS`."""
        if self._free.acquire(blocking=False):
            try:
                super().process_request(request, client_address)
            except RuntimeError:  # no thread can be had: none will end, either
                self._free.release()
                raise
            return
        with suppress(OSError):
            request.sendall(BUSY)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """What such a thread does."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that hangs up is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        # A body that nobody reads would be taken for the next request.
        length = self.headers.get("Content-Length", "0").strip()
        self.close_connection |= length != "0" or "Transfer-Encoding" in self.headers
        path = self.server.find(self.path)
        try:
            file = None if path is None else path.open("rb")
        except OSError:
            file = None
        if path is None or file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with file:
            about = os.fstat(file.fileno())  # by now another file may have that name
            tag = f'"{about.st_size:x}-{about.st_mtime_ns:x}"'
            known = self.headers.get("If-None-Match", "")
            if tag in known or known.strip() == "*":
                self._head(HTTPStatus.NOT_MODIFIED, tag)
                return
            # Ranges are for GET alone, and for the version that the client knows (RFC 9110, 14.2).
            ranged = body and self.headers.get("If-Range", tag) == tag
            wanted = self.headers.get("Range") if ranged else None
            part, partial = select(wanted, about.st_size)
            if partial and not part:
                empty = {"Content-Range": f"bytes */{about.st_size}", "Content-Length": "0"}
                self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, tag, empty)
                return
            more = {"Content-Type": TYPE, "Content-Length": str(len(part))}
            if partial:
                more["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{about.st_size}"
            self._head(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK, tag, more)
            if body:
                file.seek(part.start)
                left = len(part)
                while left and (piece := file.read(min(PIECE, left))):
                    self.wfile.write(piece)
                    left -= len(piece)
                self.close_connection |= left > 0  # the file shrank: what follows is no part of it

    def _head(self, status: HTTPStatus, tag: str, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"ETag": tag, "Accept-Ranges": "bytes", **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who wants a log puts a web server in front."""


def select(wanted: str | None, size: int) -> tuple[range, bool]:
    """The bytes that a Range header asks for, and whether it counts: one that asks for several
    ranges, or for something else than bytes, does not. An empty range that counts cannot be had.

    >>> select("bytes=0-99", 1000), select("bytes=-10", 1000), select(None, 1000)
    ((range(0, 100), True), (range(990, 1000), True), (range(0, 1000), False))
    """
    found = _RANGE.fullmatch(wanted.strip()) if wanted else None
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        return range(size), False
    if not first:
        return range(max(0, size - int(last)), size), True
    if last and int(last) < int(first):
        return range(size), False
    return range(int(first), min(int(last) + 1, size) if last else size), True


def fetch(url: str, max_bytes: int | None = None, *, timeout: float = PATIENCE) -> Iterator[bytes]:
    """A stream's bytes from a web server, as they come: for `tokcodec.progressive`.

    Args:
        url: http:// or https://
        max_bytes: from the start, at most; the server is asked for no more.
        timeout: seconds that it may be silent.

    Raises:
        ArgumentError: it is no such address.
        LinkError: the server cannot be reached, refuses, or breaks off.
    """
    if not isinstance(url, str):
        raise ArgumentError(f"a web address is text, not {url!r:.40}")
    try:
        parts = urlsplit(url)
        address = _as_sent(parts)
    except ValueError as e:
        raise ArgumentError(f"{url!a:.200} is no web address: {e}") from None
    if parts.scheme not in ("http", "https"):
        raise ArgumentError(f"{url} is no web address: it starts with http:// or https://")
    if parts.username is not None:
        raise ArgumentError("user and password in a web address are not sent: leave them out")
    if max_bytes is not None and not (is_whole(max_bytes) and max_bytes >= 1):
        raise ArgumentError(f"max_bytes is a whole number from 1, not {max_bytes!r:.40}")
    if not is_number(timeout) or not timeout > 0:
        raise ArgumentError(f"timeout is a number of seconds above 0, not {timeout!r:.40}")
    return _pieces(address, max_bytes, limit(timeout))


def _as_sent(parts: SplitResult) -> str:
    """An address as people type it in letters that travel. UnicodeError, if it has none."""
    host = parts.netloc
    if not host.isascii():
        port = "" if parts.port is None else f":{parts.port}"
        host = (parts.hostname or "").encode("idna").decode() + port
    path, query = (
        quote(part, punctuation, errors="surrogateescape") for part in (parts.path, parts.query)
    )
    return parts._replace(netloc=host, path=path, query=query).geturl()


def _pieces(url: str, max_bytes: int | None, timeout: float | None) -> Iterator[bytes]:
    headers = {"Accept": f"{TYPE}, application/octet-stream;q=0.5"}
    if max_bytes is not None:
        headers["Range"] = f"bytes=0-{max_bytes - 1}"
    left = max_bytes
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            while left is None or left > 0:
                piece = answer.read1(PIECE)[:left]  # a server may not know ranges, and send it all
                if not piece:
                    break
                left = None if left is None else left - len(piece)
                yield piece
            missing = left != 0 and bool(answer.length)
    except urllib.error.HTTPError as e:
        raise LinkError(f"{url}: the server says {e.code} {e.reason}") from e
    except (OSError, HTTPException, ValueError) as e:
        raise LinkError(f"{url}: {getattr(e, 'reason', None) or e}") from e
    if missing:
        raise LinkError(f"{url}: the server broke off")
