"""Many connections whose tasks await one actor for each message: nothing is lost, and each keeps its order."""

import contextlib
import subprocess
import threading

from support.frames import TEXT, encode
from support.programs import IS_SANITIZED, SWIFT_MODULES, swift_objects
from support.raw import open_websocket
from support.server import Server

CLIENTS = 100
MESSAGES = 20_000
PATIENCE = 200  # seconds, for a debug build with sanitizers on a busy machine

# Counts a break wherever a message is not the one after its connection's last.
PROGRAM = """
import Foundation
import JazzySwift

actor Game {
    private var expected: [JazzyWebSocket: Int] = [:]
    private var (received, breaks) = (0, 0)

    func input(_ ws: JazzyWebSocket, _ number: Int) {
        if expected[ws, default: 0] != number { breaks += 1 }
        expected[ws] = number + 1
        received += 1
        if received == ALL { say("all of \\(expected.count) connections, \\(breaks) breaks") }
    }
}

func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\\n").utf8)) }

// A function: at the end the leak checker does not see the text in the frame of the top level, which is a task.
func announce() { say("listening on port \\(Jazzy.server.port)") }

let game = Game()
Route.ws("/game") { ws, messages in
    for try await message in messages { await game.input(ws, Int(message.text) ?? -1) }
}
try Jazzy.server.listen(host: "127.0.0.1", port: 0)
announce()
try await Jazzy.server.runUntilCancelled(untilSignal: true)
"""


def test_messages_of_many_connections_keep_their_order_through_an_actor(tmp_path):
    source = tmp_path / "main.swift"
    source.write_text(PROGRAM.replace("ALL", str(CLIENTS * MESSAGES)))
    flags = ["-sanitize=address", "-Xclang-linker", "-fsanitize=undefined"] if IS_SANITIZED else []
    command = ["swiftc", "-swift-version", "6", *flags, *SWIFT_MODULES, source, *swift_objects(), "-lz"]
    subprocess.run([*command, "-o", tmp_path / "game"], check=True, timeout=200)

    messages = b"".join(encode(TEXT, b"%d" % number) for number in range(MESSAGES))
    with Server([tmp_path / "game"]) as server, contextlib.ExitStack() as connections:
        clients = [connections.enter_context(open_websocket(server.port, "/game")) for _ in range(CLIENTS)]
        senders = [threading.Thread(target=client.send, args=(messages,), daemon=True) for client in clients]
        for client, sender in zip(clients, senders, strict=True):
            client.socket.settimeout(PATIENCE)
            sender.start()
        result = server.output.wait_for(lambda lines: [line for line in lines if line.startswith("all of")], PATIENCE)
        assert result == [f"all of {CLIENTS} connections, 0 breaks"]
