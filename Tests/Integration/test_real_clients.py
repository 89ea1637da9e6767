"""
Widely used clients (clients/table.py), each with and without compression, against each compression mode of the server:
text and binary messages of all sizes, whole and in fragments, come back byte for byte. A relay between client and
server checks the offer, the agreement, and that it was followed.
"""

import asyncio
import contextlib
import functools
import itertools
import signal

import pytest

from clients.table import CLIENTS, NO_TAKEOVER
from clients.tap import Tap
from support.deadline import DEADLINE
from support.programs import BENCH
from support.server import Server

LANGUAGES = tuple(BENCH)
MODES = ("off", "shared", "dedicated")

MAX_MESSAGE = 16 << 20
SIZES = (1, 125, 126, 65535, 65536, 1 << 20)
ALL_SIZES = (*SIZES, MAX_MESSAGE)

# Where messages of all sizes are sent, as (mode, whether in fragments). Everywhere would take too long.
LARGE = {("off", False), ("off", True), ("shared", False), ("dedicated", True)}


@functools.cache
def all_text():
    """No two lines of it are the same, no line is ASCII alone, and it compresses well."""
    text = "".join(f"{number} Grüße, κόσμε, 世界, 🎷\n" for number in range(MAX_MESSAGE // 37)).encode()
    assert len(text) >= MAX_MESSAGE
    return text


def text_of(size):
    """So many bytes of text, filled up where a character would be cut."""
    whole_characters = all_text()[:size].decode(errors="ignore").encode()
    return whole_characters.ljust(size, b".")


def binary_of(size):
    """So many bytes that are not UTF-8."""
    return all_text()[:size].translate(bytes(range(255, -1, -1)))


def fragments_of(payload):
    """Parts of very different sizes; some end within a character."""
    cuts = sorted({min(cut, len(payload)) for cut in (0, 1, 7, 126, len(payload) // 2 + 1, len(payload))})
    return [payload[start:end] for start, end in zip(cuts, cuts[1:])]


@pytest.fixture(scope="module")
def server_with():
    """Gives the server of a language with a compression mode; starts each once."""
    with contextlib.ExitStack() as servers:

        @functools.cache
        def start(language, mode):
            command = [BENCH[language], "--port", 0, "--max-message", MAX_MESSAGE, "--deflate", mode]
            return servers.enter_context(Server(command))

        yield start


def is_default(mode, offer):
    """Whether this is a client's default with a server that compresses, and with one that does not."""
    return offer.name == ("none" if mode == "off" else "default")


def rows():
    """Every client with every offer it can make, and with none, whole and in fragments, against every server."""
    for language, mode, client in itertools.product(LANGUAGES, MODES, CLIENTS):
        for offer, way in itertools.product(client.all_offers(), client.ways_to_send()):
            # The C core answers the offers, for every caller.
            if language == "c" or is_default(mode, offer):
                name = f"{language}, {mode}: {client.name}, {offer.name}, {way}"
                yield pytest.param(language, mode, client, offer, way == "in fragments", id=name)


def sizes_for(mode, client, offer, is_fragmenting):
    is_large = is_default(mode, offer) and (mode, is_fragmenting) in LARGE
    sizes = ALL_SIZES if is_large else SIZES
    if offer.answer(mode) and client.cannot_take_uncompressed:
        return [size for size in sizes if size > 100]  # what our server compresses
    return sizes


async def echo_all(connection, sizes, is_fragmenting):
    """Sends a text and a binary message of each size and insists on getting both back; returns how many bytes."""
    for message_of, is_text in ((text_of, True), (binary_of, False)):
        for size in sizes:
            message = message_of(size)
            sent = fragments_of(message) if is_fragmenting else [message]
            kind, received = await asyncio.wait_for(connection.echo(is_text, sent), DEADLINE)
            assert kind == is_text, f"{size} bytes"
            if received != message:
                # Not an assertion, which would print both.
                pytest.fail(f"{size} bytes came back as {len(received)} others")
    return 2 * sum(sizes)


@pytest.mark.parametrize(("language", "mode", "client", "offer", "is_fragmenting"), list(rows()))
async def test_every_message_comes_back(server_with, language, mode, client, offer, is_fragmenting):
    sizes = sizes_for(mode, client, offer, is_fragmenting)
    async with Tap(server_with(language, mode).port) as tap:
        async with client.connect(tap.port, is_fragmenting, offer.setting) as connection:
            total = await echo_all(connection, sizes, is_fragmenting)
            await asyncio.wait_for(connection.close(), DEADLINE)
    agreed = offer.answer(mode)
    assert (tap.from_client.extensions, tap.from_server.extensions) == (offer.request, agreed)
    for direction in (tap.from_client, tap.from_server):
        assert direction.messages == 2 * len(sizes)
        if agreed:
            assert direction.compressed_messages >= 2 * sum(size >= 65535 for size in sizes)
            assert direction.bytes < total / 4
        else:
            assert direction.compressed_messages == 0
            assert direction.bytes > total
    if is_fragmenting:
        assert tap.from_client.continuations > 0
    assert tap.from_server.close_payload == (1000).to_bytes(2, "big")


@contextlib.asynccontextmanager
async def shipped_libwebsockets_client(port, *flags):
    """The test client that comes with libwebsockets. It offers compression, and mirrors or echoes text of its own."""
    address = f"ws://127.0.0.1:{port}/echo"
    quiet = {"stdin": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec("libwebsockets-test-client", address, *flags, **quiet)
    try:
        yield process
        assert await asyncio.wait_for(process.wait(), DEADLINE) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


OFFER_OF_SHIPPED_CLIENT = "permessage-deflate; client_no_context_takeover"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_shipped_libwebsockets_client_gets_its_drawing_back(server_with, language):
    async with Tap(server_with(language, "off").port) as tap:
        async with shipped_libwebsockets_client(tap.port, "--justmirror") as process:
            async with asyncio.timeout(DEADLINE):
                while tap.from_server.messages < 1000:
                    await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
    assert (tap.from_client.extensions, tap.from_server.extensions) == (OFFER_OF_SHIPPED_CLIENT, None)
    assert tap.from_server.close_payload is None


@pytest.mark.parametrize(
    ("mode", "agreed"), [("off", None), ("shared", NO_TAKEOVER), ("dedicated", OFFER_OF_SHIPPED_CLIENT)]
)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_shipped_libwebsockets_client_is_refused_what_is_no_text(server_with, language, mode, agreed):
    """With --echo it sends random bytes as text, which a server must refuse (RFC 6455 §8.1)."""
    async with Tap(server_with(language, mode).port) as tap:
        async with shipped_libwebsockets_client(tap.port, "--echo"):
            pass
    assert (tap.from_client.extensions, tap.from_server.extensions) == (OFFER_OF_SHIPPED_CLIENT, agreed)
    assert tap.from_server.close_payload[:2] == (1007).to_bytes(2, "big")
    assert tap.from_server.messages == 0
