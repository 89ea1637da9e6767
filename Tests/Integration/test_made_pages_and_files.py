"""Pages that are made for each request, and files, seen by curl, aiohttp and plain sockets, over TCP and TLS."""

import asyncio
import contextlib
import json
import os
import random
import resource
import socket
import subprocess

import aiohttp
import pytest

from support.deadline import DEADLINE, eventually
from support.process import descriptor_count, peak_memory, reset_peak_memory
from support.programs import IS_SANITIZED
from support.raw import RawConnection, open_websocket, request, upgrade_request

MEBIBYTE = 1024 * 1024
LARGE = random.Random(1).randbytes(24 * MEBIBYTE)
STYLE = b"body { color: red; }\n" * 1000
SECRET = b"not to be served\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder to serve, and what is beside it."""
    top = tmp_path_factory.mktemp("site")
    public = top / "public"
    (public / "sub").mkdir(parents=True)
    (top / "secret.txt").write_bytes(SECRET)
    (public / "index.html").write_bytes(b"<p>index</p>\n")
    (public / "large.bin").write_bytes(LARGE)
    (public / "style.css").write_bytes(STYLE)
    (public / "sub" / "a b.txt").write_bytes(b"0123456789")
    (public / ".env").write_bytes(SECRET)
    (public / "link.txt").symlink_to("../secret.txt")
    (public / "up").symlink_to("..")
    return public


@pytest.fixture(scope="module", params=["sockets", "TLS"])
def site(request, probe_with, folder, authority, certificate):
    """A server with the folder, and what curl has to know of it."""
    from support.programs import PROBE
    from support.server import Server

    flags = certificate.flags() if request.param == "TLS" else ()
    with Server([PROBE, "--port", 0, *flags, "--folder", folder],
                authority=authority.path if flags else None) as server:
        scheme = "https" if flags else "http"
        server.curl = [f"{scheme}://localhost:{server.port}", *(["--cacert", authority.path] if flags else [])]
        yield server


def curl(site, path, *arguments):
    """Runs curl, and returns its standard output."""
    address, *trust = site.curl
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(DEADLINE), *trust, *arguments]
    return subprocess.run([*command, address + path], capture_output=True, check=True).stdout


@pytest.mark.parametrize("path", ["/made/", "/made-by-worker/"])
def test_a_page_is_made_for_each_request(site, path):
    is_secure = site.curl[0].startswith("https")
    for number in range(3):
        made = json.loads(curl(site, f"{path}{number}%2F?a={number}"))
        assert made == {"id": f"{number}/", "query": f"a={number}", "secure": is_secure}
    assert curl(site, "/made-later") == b"later\n"
    head = curl(site, f"{path}1", "--head").decode().lower()
    assert head.startswith("http/1.1 200 ") and "\r\ncache-control: no-store\r\n" in head


def test_curl_gets_files_whole(site):
    assert curl(site, "/files/") == b"<p>index</p>\n"
    assert curl(site, "/files/sub/a%20b.txt") == b"0123456789"
    assert curl(site, "/files/large.bin") == LARGE


def test_curl_goes_on_with_a_download(site, tmp_path):
    partial = tmp_path / "large.bin"
    partial.write_bytes(LARGE[:MEBIBYTE])
    curl(site, "/files/large.bin", "--continue-at", "-", "--output", partial)
    assert partial.read_bytes() == LARGE
    assert curl(site, "/files/large.bin", "--range", "-1000") == LARGE[-1000:]
    assert curl(site, "/files/large.bin", "--range", "100-70099") == LARGE[100:70100]


def test_curl_asks_whether_a_file_has_changed(site, tmp_path):
    tag, content = tmp_path / "tag", tmp_path / "content"
    code = ("--write-out", "%{http_code}", "--output", content)
    assert curl(site, "/files/style.css", "--etag-save", tag, *code) == b"200"
    assert curl(site, "/files/style.css", "--etag-compare", tag, *code) == b"304"
    assert curl(site, "/files/style.css", "--time-cond", content, *code) == b"304"


def test_curl_decompresses(site):
    assert curl(site, "/files/style.css", "--compressed") == STYLE
    size = curl(site, "/files/style.css", "--compressed", "--write-out", "%{size_download}", "--output", "/dev/null")
    assert int(size) < len(STYLE) / 10


PATHS_OUT = [
    "/files/../secret.txt",
    "/files/%2e%2e/secret.txt",
    "/files/..%2fsecret.txt",
    "/files/%2e%2e%2fsecret.txt",
    "/files/%252e%252e%252fsecret.txt",
    "/files/sub/../../secret.txt",
    "/files/sub/..%2f..%2fsecret.txt",
    "/files/..%5csecret.txt",
    "/files/....//secret.txt",
    "/files//secret.txt",
    "/files//etc/passwd",
    "/files/%2fetc%2fpasswd",
    "/files/%c0%ae%c0%ae/secret.txt",
    "/files/%e0%80%ae%e0%80%ae/secret.txt",
    "/files/%uff0e%uff0e/secret.txt",
    "/files/secret.txt%00.html",
    "/files/..%00/secret.txt",
    "/files/link.txt",
    "/files/up/secret.txt",
    "/files/.env",
    "/files/%2eenv",
    "/files/sub/../.env",
]


@pytest.mark.parametrize("path", PATHS_OUT)
def test_no_path_leads_out(site, path):
    answer = curl(site, path, "--path-as-is", "--include")
    assert answer.split()[1] in (b"404", b"400")
    assert SECRET not in answer and b"root:" not in answer


RANGES = [
    "bytes=0-18446744073709551615",
    "bytes=18446744073709551615-",
    "bytes=18446744073709551616-18446744073709551617",
    "bytes=-18446744073709551616",
    "bytes=" + ",".join(f"{start}-" for start in range(1300)),
    "bytes=" + ",".join(["0-"] * 1500),
    "bytes=9-0",
    "bytes=--1",
    "bytes=" + "9" * 4000 + "-",
]


def test_no_range_costs_more_than_the_file(probe_with, folder):
    with probe_with("--folder", folder) as server:
        for value in RANGES:
            with RawConnection(server.port) as connection:
                connection.send(request(path="/files/sub/a%20b.txt", headers=(("Host", "a"), ("Range", value))))
                response = connection.read_response()
                assert response.status in (200, 206, 416)
                assert len(response.body) <= 40


async def test_aiohttp_mixes_pages_files_and_websockets(site, authority):
    import ssl

    address, *trust = site.curl
    context = ssl.create_default_context(cafile=authority.path) if trust else None
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or False)) as session:

        async def get(path, expected, **headers):
            async with session.get(address + path, headers=headers) as response:
                assert response.status in (200, 206), path
                assert await response.read() == expected

        async def echo(number):
            async with session.ws_connect(address + "/echo") as websocket:
                await websocket.send_str(str(number))
                assert await websocket.receive_str() == str(number)

        for number in range(4):
            await asyncio.gather(
                get("/files/large.bin", LARGE),
                get("/files/large.bin", LARGE[7:70008], Range="bytes=7-70007"),
                get("/files/style.css", STYLE),
                get("/made-later", b"later\n"),
                get("/files/", b"<p>index</p>\n"),
                echo(number),
            )


def test_requests_at_once_are_answered_in_order(probe_with, folder):
    paths = ["/files/sub/a%20b.txt", "/made/1", "/plain", "/made-later", "/files/style.css", "/nowhere",
             "/files/none", "/made-by-worker/2"]
    lengths = []
    with probe_with("--folder", folder) as server, RawConnection(server.port) as connection:
        connection.send(b"".join(request(path=path) for path in paths * 5) + upgrade_request())
        for path in paths * 5:
            response = connection.read_response()
            assert response.status == (404 if path in ("/nowhere", "/files/none") else 200), path
            lengths.append(len(response.body))
        assert lengths[: len(paths)] * 5 == lengths
        assert connection.read_response(has_body=False).status == 101


def test_a_thousand_slow_readers_cost_little_and_keep_nobody_waiting(probe_with, folder):
    count = 200 if IS_SANITIZED else 1000
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    # Nobody is let go for reading nothing as long as a busy machine may take.
    patient = probe_with("--folder", folder, "--handshake-timeout-ms", 200_000)
    with patient as server, contextlib.ExitStack() as readers:
        idle = descriptor_count(server.pid)
        with RawConnection(server.port) as connection:
            connection.send(request(path="/files/large.bin"))
            connection.read_response()
        eventually(lambda: descriptor_count(server.pid) <= idle, "nothing is left of the first of them")
        reset_peak_memory(server.pid)
        before = peak_memory(server.pid)
        slow = []
        for _ in range(count):
            slow.append(readers.enter_context(RawConnection(server.port, receive_buffer=4096)))
            slow[-1].send(request(path="/files/large.bin"))
        eventually(lambda: descriptor_count(server.pid) >= idle + 2 * count, "all of them are served")
        with open_websocket(server.port) as connection:
            connection.send_frame(1, b"still here")
            assert connection.read_frame().payload == b"still here"
        assert peak_memory(server.pid) - before < count * 300 * 1024 + 64 * MEBIBYTE
        for connection in slow[: count // 2]:
            connection.reset()
        for connection in slow[-2:]:
            assert connection.read_response().body == LARGE
        for connection in slow:
            connection.socket.close()
        eventually(lambda: descriptor_count(server.pid) <= idle, "nothing is left open")


def test_a_file_that_is_changed_is_never_complete_and_wrong(probe_with, tmp_path):
    path = tmp_path / "changing.bin"
    versions = [bytes([letter]) * (4 * MEBIBYTE) for letter in b"ab"]
    path.write_bytes(versions[0])
    with probe_with("--folder", tmp_path) as server:
        for turn in range(10):
            with RawConnection(server.port, receive_buffer=4096) as connection:
                connection.send(request(path="/files/changing.bin"))
                received = connection.read_exactly(1000)
                path.write_bytes(versions[(turn + 1) % 2])
                received += b"".join(iter(lambda: connection.socket.recv(65536), b""))
                head, _, body = received.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                assert len(body) < len(versions[0]) or body in versions
                assert body in (versions[0][: len(body)], versions[1][: len(body)])


def test_a_file_that_is_replaced_is_served_as_it_was(probe_with, tmp_path):
    path, other = tmp_path / "replaced.bin", tmp_path / "other"
    path.write_bytes(b"a" * (4 * MEBIBYTE))
    with probe_with("--folder", tmp_path) as server, RawConnection(server.port, receive_buffer=4096) as connection:
        connection.send(request(path="/files/replaced.bin"))
        start = connection.read_exactly(1000)
        other.write_bytes(b"b" * (4 * MEBIBYTE))
        os.rename(other, path)
        rest = connection.read_exactly(4 * MEBIBYTE - 1000 + len(start.partition(b"\r\n\r\n")[0]) + 4)
        assert set((start + rest).partition(b"\r\n\r\n")[2]) == {ord("a")}
