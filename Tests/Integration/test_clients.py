"""The clients that people use: websockets, aiohttp and node-ws."""

import asyncio

import pytest

from support import events
from support.clients import CLIENTS, FRAGMENTING_CLIENTS

# Around every border of the length encodings (§5.2), and far beyond any buffer.
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1024 * 1024, 16 * 1024 * 1024]

TEXT = "Grüße, κόσμε, 世界, 🎷!"


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client(request):
    return request.param


@pytest.fixture(params=FRAGMENTING_CLIENTS.values(), ids=FRAGMENTING_CLIENTS)
def fragmenting_client(request):
    return request.param


def text_of(size):
    """A text of so many bytes, most of them not ASCII."""
    return "é" * (size // 2) + "e" * (size % 2)


def binary_of(size):
    """Bytes of all values; 251 is prime, so that no power of two repeats them."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("message_of", [text_of, binary_of], ids=["text", "binary"])
async def test_messages_of_all_sizes_come_back_as_they_went(bench, client, message_of):
    async with client(bench.port, "/echo") as connection:
        for size in SIZES:
            message = message_of(size)
            await connection.send(message)
            assert await connection.receive() == message, f"{size} bytes"


async def test_many_messages_come_back_in_order(bench, client):
    async with client(bench.port, "/echo") as connection:
        for number in range(500):
            await connection.send(f"{TEXT} {number}")
        for number in range(500):
            assert await connection.receive() == f"{TEXT} {number}"


@pytest.mark.parametrize(
    "fragments",
    [
        ["one ", "two ", "three"],
        ["", "after an empty fragment"],
        ["before an empty fragment", ""],
        [b"\x00\xff", b"", b"\xfe" * 70000, b"\x01"],
        ["x"] * 1000,
    ],
    ids=["text", "empty first", "empty last", "binary", "a thousand"],
)
async def test_fragments_come_back_as_one_message(bench, fragmenting_client, fragments):
    async with fragmenting_client(bench.port, "/echo") as connection:
        await connection.send_fragments(fragments)
        assert await connection.receive() == type(fragments[0])().join(fragments)


@pytest.mark.parametrize("payload", [b"", b"are you there?", bytes(range(125))], ids=["empty", "text", "125 bytes"])
async def test_a_ping_is_answered_with_its_own_payload(bench, client, payload):
    async with client(bench.port, "/echo") as connection:
        await connection.ping(payload)
        await connection.send(TEXT)
        assert await connection.receive() == TEXT


async def test_the_handler_sees_the_pong_to_its_ping(probe, client):
    async with client(probe.port, "/ping-me") as connection:
        await connection.send("42")
        # aiohttp answers a ping only while it receives, as here.
        assert await connection.receive() == "pong 42"


async def test_the_handler_sees_pings(probe, client):
    async with client(probe.port, "/ping-me") as connection:
        await connection.ping(b"43")
        assert await connection.receive() == "ping 43"


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_close_is_answered_with_its_own_code(bench, client, code):
    async with client(bench.port, "/echo") as connection:
        assert await connection.close(code, "on my way") == code


async def test_the_handler_sees_the_clients_close_code_and_reason(start_probe, client):
    server = start_probe()
    async with client(server.port, "/events") as connection:
        await connection.close(4321, TEXT)
    close = (await asyncio.to_thread(events.of_connection, server))[-1]
    assert (close["code"], close["reason"].decode(), close["clean"]) == (4321, TEXT, True)


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "going"), (1011, "oh"), (3000, TEXT), (4999, "x" * 123)]
)
async def test_the_client_sees_the_handlers_close_code_and_reason(probe, client, code, reason):
    async with client(probe.port, "/close-me") as connection:
        await connection.send(f"{code} {reason}")
        assert await connection.closed() == (code, reason)


async def test_a_reason_that_is_too_long_is_cut_at_the_end_of_a_character(probe, client):
    async with client(probe.port, "/close-me") as connection:
        await connection.send("4000 " + "世" * 50)
        assert await connection.closed() == (4000, "世" * 41)


@pytest.mark.parametrize(("code", "seen"), [(1005, (1005, "")), (1006, (1001, "because")), (1015, (1011, "because"))])
async def test_what_a_close_event_hands_on_closes_with_a_code_that_may_be_sent(probe, client, code, seen):
    async with client(probe.port, "/close-me") as connection:
        await connection.send(f"{code} because")
        told, reason = await connection.closed()
        assert (told or 1005, reason) == seen  # one client returns 0 if there is no code


@pytest.mark.parametrize("code", [0, 999, 1004, 1016, 2999, 5000])
async def test_a_handler_may_not_close_with_a_code_that_may_not_be_sent(probe, client, code):
    async with client(probe.port, "/close-me") as connection:
        await connection.send(f"{code} because")
        assert await connection.receive() == "dropped"


async def test_what_the_handler_sends_on_open_is_the_first_message(probe, client):
    async with client(probe.port, "/greet") as connection:
        assert await connection.receive() == "hello"


async def test_the_handler_can_close_on_open(probe, client):
    async with client(probe.port, "/close-on-open") as connection:
        assert await connection.closed() == (4001, "because")


async def test_what_was_sent_before_a_close_arrives_before_it(probe, client):
    async with client(probe.port, "/greet-and-close") as connection:
        assert await connection.receive() == "hello"
        assert await connection.closed() == (1000, "good-bye")


async def test_a_thread_of_the_applications_own_can_send_and_close(probe, client):
    async with client(probe.port, "/from-thread") as connection:
        await connection.send("1000")
        for number in range(1000):
            assert await connection.receive() == str(number)
        assert await connection.closed() == (1000, "done")


async def test_a_message_goes_to_every_connection_of_the_fan(bench):
    clients = [each(bench.port, "/fan") for each in CLIENTS.values() for _ in range(2)]
    for client in clients:
        await client.__aenter__()
    try:
        for number, sender in enumerate(clients):
            message = f"{TEXT} {number}" if number % 2 else f"{TEXT} {number}".encode()
            await sender.send(message)
            assert await asyncio.gather(*(client.receive() for client in clients)) == [message] * len(clients)
    finally:
        for client in clients:
            await client.__aexit__(None, None, None)
