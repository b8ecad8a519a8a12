"""Real requests to a folder of streams: whole, in ranges, and what is not served."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from threading import BoundedSemaphore

import pytest

import tokcodec
from tokcodec.arriving import progressive
from tokcodec.errors import ArgumentError, InputError, LinkError
from tokcodec.transport.http import TYPE, Server, fetch


@pytest.fixture(scope="module")
def server(stream: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("http")
    (root / "pictures" / "sub").mkdir(parents=True)
    (root / "secret.tkc").write_bytes(stream)
    (root / "pictures" / "a b.tkc").write_bytes(stream)
    (root / "pictures" / "sub" / "c.tkc").write_bytes(stream)
    (root / "pictures" / "empty.tkc").write_bytes(b"")
    (root / "pictures" / "notes.txt").write_text("private")
    (root / "pictures" / "link.tkc").symlink_to(root / "secret.tkc")
    with Server(root / "pictures", port=0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(
    server: Server, path: str = "/a%20b.tkc", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def test_whole(server: Server, stream: bytes):
    status, headers, body = ask(server)
    assert (status, body) == (200, stream)
    assert headers["Content-Type"] == TYPE == "image/vnd.tokcodec"
    assert headers["Accept-Ranges"] == "bytes"
    assert ask(server, "/sub/c.tkc?x=1")[2] == stream


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, 399),
        ("bytes=-50", 350, 399),
        ("bytes=-9999", 0, 399),
        ("bytes=350-9999", 350, 399),
        ("bytes=0-0", 0, 0),
        ("bytes=0-399", 0, 399),
    ],
)
def test_ranges(server: Server, stream: bytes, wanted: str, first: int, last: int):
    status, headers, body = ask(server, Range=wanted)
    assert (status, body) == (206, stream[first : last + 1])
    assert headers["Content-Range"] == f"bytes {first}-{last}/400"
    assert headers["Content-Length"] == str(len(body))


def asked(server: Server, request: bytes) -> bytes:
    """All that comes back for bytes on one connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
        s.sendall(request)
        s.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: s.recv(1 << 16), b""))


@pytest.mark.parametrize("header", ["Content-Length: 40", "Transfer-Encoding: chunked"])
def test_a_body_is_no_second_request(server: Server, header: str):
    second = b"GET /sub/c.tkc HTTP/1.1\r\nHost: x\r\n\r\n"
    first = b"GET /a%20b.tkc HTTP/1.1\r\nHost: x\r\n"
    assert asked(server, first + b"\r\n" + second).count(b"HTTP/1.1 200") == 2
    assert asked(server, first + header.encode() + b"\r\n\r\n" + second).count(b"HTTP/1.1 200") == 1


def test_a_file_that_shrinks_ends_the_connection(server: Server, monkeypatch: pytest.MonkeyPatch):
    """What follows would else be taken for the rest of it."""
    path, whole = server.folder / "shrinking.tkc", bytes(1000)
    path.write_bytes(whole)
    found = os.fstat

    def fstat(number: int) -> os.stat_result:
        about = found(number)
        os.truncate(path, 300)
        return about

    monkeypatch.setattr("tokcodec.transport.http.os.fstat", fstat)
    request = b"GET /shrinking.tkc HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = asked(server, 2 * request)
    assert b"Content-Length: 1000" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.endswith(bytes(300))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_names_of_any_bytes(server: Server, stream: bytes):
    for name, target in ((b"caf\xe9.tkc", "/caf%E9.tkc"), ("né.tkc".encode(), "/n%C3%A9.tkc")):
        (server.folder / os.fsdecode(name)).write_bytes(stream)
        assert ask(server, target)[2] == stream
    assert asked(server, "GET /né.tkc HTTP/1.0\r\n\r\n".encode()).endswith(stream)
    assert b"".join(fetch(url(server, "né.tkc"))) == stream
    assert b"".join(fetch(url(server, os.fsdecode(b"caf\xe9.tkc")))) == stream
    (server.folder / "CAMERA.TKC").write_bytes(stream)
    assert ask(server, "/CAMERA.TKC")[2] == stream


def test_connections_are_bounded(server: Server, stream: bytes, monkeypatch: pytest.MonkeyPatch):
    with Server(server.folder, port=0) as few:
        few._free = BoundedSemaphore(2)
        thread = threading.Thread(target=few.serve_forever, args=(0.01,))
        thread.start()
        try:
            silent = [socket.create_connection(("127.0.0.1", few.port)) for _ in range(2)]
            for s in silent:  # an answer shows that it has its thread
                s.sendall(b"HEAD /a%20b.tkc HTTP/1.1\r\nHost: x\r\n\r\n")
                assert s.recv(15) == b"HTTP/1.1 200 OK"
            assert ask(few)[0] == 503
            for s in silent:
                s.close()
            for _ in range(100):
                status, _, body = ask(few)
                if status == 200:
                    break
                time.sleep(0.05)
            assert body == stream
        finally:
            few.shutdown()
            thread.join()


def test_ipv6(server: Server):
    try:
        with Server(server.folder, "::1", 0) as found:
            assert found.port > 0
    except LinkError as e:
        pytest.skip(f"no IPv6 here: {e}")


def test_a_range_is_a_smaller_picture(server: Server, stream: bytes):
    body = ask(server, Range="bytes=0-99")[2]
    assert body == tokcodec.cut(stream, max_bytes=100)
    assert tokcodec.decode(body, decoder="linear").size == (96, 80)


@pytest.mark.parametrize("wanted", ["bytes=400-", "bytes=500-600", "bytes=-0"])
def test_ranges_that_are_not_there(server: Server, wanted: str):
    status, headers, body = ask(server, Range=wanted)
    assert (status, body) == (416, b"")
    assert headers["Content-Range"] == "bytes */400"
    assert ask(server, "/empty.tkc", Range="bytes=0-99")[0] == 416


@pytest.mark.parametrize(
    "wanted",
    ["bytes=9-5", "bytes=-", "bytes=a-b", "pixels=0-9", "bytes=0-9,20-29", f"bytes=0-{'9' * 5000}"],
)
def test_ranges_that_do_not_count(server: Server, stream: bytes, wanted: str):
    assert ask(server, Range=wanted)[::2] == (200, stream)


def test_head(server: Server):
    for headers in ({}, {"Range": "bytes=0-9"}):
        status, found, body = ask(server, method="HEAD", **headers)
        assert (status, found["Content-Length"], body) == (200, "400", b"")


def test_versions(server: Server, stream: bytes):
    tag = ask(server)[1]["ETag"]
    for known in (tag, f'"another", {tag}', "*"):
        assert ask(server, If_None_Match=known)[::2] == (304, b"")
    assert ask(server, If_None_Match='"another"')[0] == 200
    assert ask(server, Range="bytes=0-9", If_Range=tag)[2] == stream[:10]
    assert ask(server, Range="bytes=0-9", If_Range='"another"')[::2] == (200, stream)


@pytest.mark.parametrize("after", [b"another, longer picture" * 50, None])
def test_a_file_that_is_replaced_meanwhile(
    server: Server, stream: bytes, after: bytes | None, monkeypatch: pytest.MonkeyPatch
):
    """What was opened is what is served, with its own length and tag, or what was deleted before is
    not there.
    """
    path, newer = server.folder / "changes.tkc", server.folder / "newer"
    path.write_bytes(stream)
    newer.write_bytes(after or b"")
    tag, opened = ask(server, "/changes.tkc")[1]["ETag"], Path.open

    def replaced(self: Path, *given: str):
        file = opened(self, *given)
        if self == path and after:
            newer.replace(path)
        elif self == path:
            path.unlink()
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", replaced)
        status, headers, body = ask(server, "/changes.tkc")
    assert (status, headers["ETag"], body) == (200, tag, stream)
    path.unlink(missing_ok=True)
    monkeypatch.setattr(server, "find", lambda target: path)  # it was there a moment ago
    assert ask(server, "/changes.tkc")[0] == 404


@pytest.mark.parametrize(
    "path",
    ["/", "/none.tkc", "/notes.txt", "/sub", "/../secret.tkc", "/%2e%2e/secret.tkc",
     "/sub/../../secret.tkc", "//etc/passwd", "/a%00b.tkc", "/link.tkc", "/" + 3000 * "x" + ".tkc"],
)  # fmt: skip
def test_nothing_else_is_served(server: Server, path: str):
    status, _, body = ask(server, path)
    assert status == 404
    assert b"private" not in body


def test_other_methods_are_refused(server: Server):
    assert ask(server, method="PUT")[0] == 501


def url(server: Server, path: str = "a%20b.tkc") -> str:
    return f"http://127.0.0.1:{server.port}/{path}"


def test_fetch_progressively(server: Server, stream: bytes):
    assert b"".join(fetch(url(server))) == stream
    assert b"".join(fetch(url(server, "a b.tkc"))) == stream
    assert b"".join(fetch(url(server), max_bytes=100)) == stream[:100]
    assert b"".join(fetch(url(server), max_bytes=10_000)) == stream
    shown = list(progressive(fetch(url(server)), decoder="linear"))
    assert shown[-1] == tokcodec.decode(stream, decoder="linear")


def test_fetch_fails_clearly(server: Server):
    with pytest.raises(LinkError, match="404"):
        list(fetch(url(server, "none.tkc")))
    with Server(server.folder, port=0) as other:
        gone = url(other)
    with pytest.raises(LinkError, match="refused"):
        list(fetch(gone))
    for wrong in ("file:///etc/passwd", "picture.tkc", "http://[x", 5):
        with pytest.raises(ArgumentError, match="web address"):
            fetch(wrong)
    for user in ("http://user:secret@127.0.0.1/x", "http://user@localhost/x"):
        with pytest.raises(ArgumentError, match="leave them out"):
            fetch(user)
    for away in ("http://\u4f8b\u3048.invalid/x.tkc", "http://\u0142.invalid:80/x.tkc"):
        with pytest.raises(LinkError, match=r"xn--.*\.invalid"):
            list(fetch(away, timeout=5))
    with pytest.raises(ArgumentError, match="web address"):
        fetch("http://127.0.0.1:1/\ud800.tkc")
    for most in (0, "5", 1.5):
        with pytest.raises(ArgumentError, match="max_bytes"):
            fetch(url(server), max_bytes=most)
    for seconds in (0, "5", float("nan"), None):
        with pytest.raises(ArgumentError, match="timeout"):
            fetch(url(server), timeout=seconds)


def test_a_server_may_be_waited_for_without_end(server: Server, stream: bytes):
    assert b"".join(fetch(url(server), timeout=float("inf"))) == stream


def test_a_link_that_leads_to_itself_is_not_there(server: Server):
    (server.folder / "loop.tkc").symlink_to("loop.tkc")
    assert ask(server, "/loop.tkc")[0] == 404


def test_no_host_is_every_address(server: Server, stream: bytes):
    with Server(server.folder, "", 0) as everywhere:
        threading.Thread(target=everywhere.serve_forever, daemon=True).start()
        assert b"".join(fetch(f"http://127.0.0.1:{everywhere.port}/sub/c.tkc")) == stream
        everywhere.shutdown()


def test_no_folder_no_port(server: Server, tmp_path: Path):
    with pytest.raises(InputError, match="no folder"):
        Server(tmp_path / "none", port=0)
    with pytest.raises(LinkError, match="cannot serve"):
        Server(tmp_path, port=server.port)
    for wrong in ("x", -1, 70_000):
        with pytest.raises(ArgumentError, match="port"):
            Server(tmp_path, port=wrong)


@pytest.mark.skipif(os.name != "posix", reason="needs permissions of files")
def test_a_file_that_cannot_be_read(server: Server, stream: bytes):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = server.folder / "closed.tkc"
    path.write_bytes(stream)
    path.chmod(0)
    assert ask(server, "/closed.tkc")[0] == 404
