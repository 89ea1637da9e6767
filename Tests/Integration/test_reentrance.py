"""Handlers that send to and close any connection while they hold a lock (see servers/guard.h)."""

import asyncio

import websockets

from support.deadline import DEADLINE, eventually
from support.frames import TEXT, encode, encode_close
from support.process import descriptor_count, descriptors_without_clients
from support.raw import open_websocket


async def connect(port, path, count):
    address = f"ws://localhost:{port}{path}"
    connecting = (websockets.connect(address, compression=None, proxy=None, max_queue=None) for _ in range(count))
    return await asyncio.gather(*connecting)


async def gather(connection, count):
    return [await connection.recv() for _ in range(count)]


async def test_a_chat_under_load_delivers_everything_to_everyone(probe):
    clients = await connect(probe.port, "/chat", 8)
    messages_each = 50

    async def talk(number, client):
        for message in range(messages_each):
            await client.send(f"{number} says {message}")

    heard, *_ = await asyncio.wait_for(
        asyncio.gather(
            asyncio.gather(*(gather(client, len(clients) * messages_each) for client in clients)),
            *(talk(number, client) for number, client in enumerate(clients)),
        ),
        DEADLINE,
    )
    # One loop broadcasts, so all clients hear one order, and in it every speaker's own order.
    assert all(each == heard[0] for each in heard)
    for number in range(len(clients)):
        own = [line for line in heard[0] if line.startswith(f"User: {number} says ")]
        assert own == [f"User: {number} says {message}" for message in range(messages_each)]
    for client in clients:
        await client.close()


async def test_clients_that_come_and_go_do_not_disturb_a_chat(probe):
    speaker, listener = await connect(probe.port, "/chat", 2)

    async def come_and_go(number):
        for _ in range(10):
            visitor = open_websocket(probe.port, "/chat")
            (visitor.reset if number % 2 else visitor.socket.close)()
            await asyncio.sleep(0)

    async def talk():
        for message in range(100):
            await speaker.send(str(message))
            assert await speaker.recv() == f"User: {message}"

    await asyncio.wait_for(asyncio.gather(talk(), *(come_and_go(number) for number in range(6))), DEADLINE)
    assert await asyncio.wait_for(gather(listener, 100), DEADLINE) == [f"User: {message}" for message in range(100)]
    await speaker.close()
    await listener.close()


async def test_a_handler_can_close_every_connection_its_own_included(probe):
    before = descriptors_without_clients(probe.pid)
    clients = await connect(probe.port, "/close-everyone", 20)
    await clients[7].send("now")
    await asyncio.wait_for(asyncio.gather(*(client.wait_closed() for client in clients)), DEADLINE)
    assert {(client.close_code, client.close_reason) for client in clients} == {(4002, "everyone out")}
    eventually(lambda: descriptor_count(probe.pid) == before, "all connections are gone")


def test_messages_that_follow_in_the_same_read_are_not_delivered_after_a_close(probe):
    with open_websocket(probe.port, "/close-me") as connection:
        connection.send(encode(TEXT, b"4000 first") + encode(TEXT, b"4001 second") + encode(TEXT, b"1005 third"))
        assert connection.read_close() == (4000, "first")
        # A handler that were called again would try to close with 1005 and send that this was refused.
        connection.send(encode_close(4000))
        connection.expect_end_of_stream()
