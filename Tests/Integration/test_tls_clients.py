"""Clients that we did not write, by TLS: libraries (clients/table.py), curl, openssl and browsers."""

import asyncio
import contextlib
import itertools
import json
import subprocess

import pytest

from clients.table import CLIENTS
from support import browser, firefox
from support.deadline import DEADLINE
from support.programs import PROBE
from support.raw import request
from support.server import Server

MAX_MESSAGE = 16 << 20

# Around what fits into one record (16 KiB), besides the borders of the length encodings.
SIZES = (1, 125, 126, 16_383, 16_384, 16_385, 65_535, 65_536, 1 << 20)

MODES = ("off", "dedicated")


@pytest.fixture(scope="module")
def server_with(authority, certificate):
    """Gives the server with a compression mode; starts each once."""
    with contextlib.ExitStack() as stack:
        flags = ["--port", 0, "--max-message", MAX_MESSAGE, "--backpressure-limit", 256 << 20, *certificate.flags()]
        servers = {mode: Server([PROBE, *flags, "--deflate", mode], authority=authority.path) for mode in MODES}
        yield {mode: stack.enter_context(server) for mode, server in servers.items()}


def rows():
    """Every client, whole and in fragments, without compression and with the one that it offers by default."""
    for client, mode in itertools.product(CLIENTS, MODES):
        offers = [each for each in client.all_offers() if each.name == ("none" if mode == "off" else "default")]
        for offer, way in itertools.product(offers, client.ways_to_send()):
            yield pytest.param(client, mode, offer, way == "in fragments", id=f"{client.name}, {mode}, {way}")


def text_of(size):
    text = ("Grüße, κόσμε, 世界! " * (size // 30 + 1)).encode()[:size]
    return text.decode(errors="ignore").encode().ljust(size, b".")


def binary_of(size):
    return (bytes(range(128, 160)) * (size // 32 + 1))[:size]


def fragments_of(payload):
    cuts = sorted({min(cut, len(payload)) for cut in (0, 1, 126, len(payload) // 2 + 1, len(payload))})
    return [payload[start:end] for start, end in zip(cuts, cuts[1:])]


@pytest.mark.parametrize(("client", "mode", "offer", "is_fragmenting"), list(rows()))
async def test_every_message_comes_back(server_with, client, mode, offer, is_fragmenting):
    port = server_with[mode].port
    sizes = (*SIZES, MAX_MESSAGE) if mode == "off" and not is_fragmenting else SIZES
    if mode != "off" and client.cannot_take_uncompressed:
        sizes = [size for size in sizes if size > 100]
    async with client.connect(port, is_fragmenting, offer.setting, port.authority) as connection:
        for (message_of, is_text), size in itertools.product(((text_of, True), (binary_of, False)), sizes):
            message = message_of(size)
            sent = fragments_of(message) if is_fragmenting else [message]
            kind, received = await asyncio.wait_for(connection.echo(is_text, sent), DEADLINE)
            assert kind == is_text, f"{size} bytes"
            if received != message:
                pytest.fail(f"{size} bytes came back as {len(received)} others")  # an assertion would print both
        await asyncio.wait_for(connection.close(), DEADLINE)


def curl(server, *arguments, path="/plain"):
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(DEADLINE)]
    trust = ["--cacert", server.port.authority, f"https://localhost:{server.port}{path}"]
    return subprocess.run([*command, *arguments, *trust], capture_output=True, check=True).stdout


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_gets_pages(secure_probe, version):
    only = ("--tls-max", version, f"--tlsv{version}")
    assert curl(secure_probe, *only) == b"plain text\n"
    assert len(curl(secure_probe, *only, path="/large")) == 16 << 20


def test_curl_offers_http_2_and_gets_1_1(secure_probe):
    assert curl(secure_probe, "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}") == b"1.1 200"


def test_curl_upgrades_to_a_websocket(start_secure):
    server = start_secure("--close-timeout-ms", 500)  # it answers no close frame
    headers = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    arguments = [word for header in headers for word in ("--header", header)]
    arguments += ["--header", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "--include"]
    answer = curl(server, *arguments, path="/greet-and-close")
    head, _, frames = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert frames.startswith(b"\x81\x05hello\x88\x0a\x03\xe8good-bye")


def s_client(port, *flags, send=b""):
    """Runs `openssl s_client` until the server ends the connection: what it printed."""
    trust = ["-CAfile", port.authority, "-verify_return_error", "-servername", "localhost"]
    command = ["openssl", "s_client", "-connect", f"localhost:{port}", *trust, *flags]
    done = subprocess.run(command, input=send, capture_output=True, timeout=DEADLINE)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_openssl_gets_a_page_and_a_proper_end(secure_probe, version):
    asked = request(path="/plain", headers={"Host": "localhost", "Connection": "close"})
    said = s_client(secure_probe.port, f"-{version}", "-ign_eof", "-alpn", "h2,http/1.1", send=asked)
    assert "plain text" in said
    assert "ALPN protocol: http/1.1" in said
    assert "Verify return code: 0 (ok)" in said
    assert said.count("closed") == 1 and "unexpected eof" not in said


# Text and binary messages from a page to the server and back, and the close.
SCRIPT = """
(async () => {
    const socket = new WebSocket(`wss://${location.host}/echo`);
    socket.binaryType = 'arraybuffer';
    const next = (name) => new Promise((resolve, reject) => {
        socket['on' + name] = resolve;
        socket.onerror = () => reject(new Error('the socket failed'));
    });
    await next('open');
    for (const size of [1, 125, 126, 16384, 16385, 65536, 1000000]) {
        const text = 'é'.repeat(size / 2) + 'e'.repeat(size % 2);
        socket.send(text);
        if ((await next('message')).data !== text) return `text of ${size}`;
        const bytes = new Uint8Array(size).map((_, index) => index % 251);
        socket.send(bytes);
        const back = new Uint8Array((await next('message')).data);
        if (back.length !== size || back.some((byte, index) => byte !== bytes[index])) return `binary of ${size}`;
    }
    const closed = next('close');
    socket.close(4321, 'done');
    const { code, reason, wasClean } = await closed;
    return JSON.stringify([location.protocol, window.isSecureContext, code, reason, wasClean]);
})()
"""


@pytest.mark.skipif(browser.PROGRAM is None, reason="there is no Chromium on this machine")
async def test_chromium_talks_to_the_server_of_its_page(secure_probe, certified, tmp_path):
    async with browser.Browser(tmp_path, trusting=certified.key_digest) as chromium:
        tab = await chromium.open(f"https://localhost:{secure_probe.port}/")
        await tab.until("document.title === 'Probe'")
        assert json.loads(await tab.evaluate(SCRIPT)) == ["https:", True, 4321, "", True]


@pytest.mark.skipif(firefox.PROGRAM is None, reason="there is no Firefox on this machine")
async def test_firefox_talks_to_the_server_of_its_page(secure_probe, tmp_path):
    async with firefox.Firefox(tmp_path) as fox:
        await fox.open(f"https://localhost:{secure_probe.port}/")
        assert await fox.evaluate("document.title") == "Probe"
        assert json.loads(await fox.evaluate(SCRIPT)) == ["https:", True, 4321, "", True]
