"""The Swift examples of the documentation run: each as a program of its own, whose routes a client visits."""

import asyncio
import re
import signal
import subprocess

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from support.deadline import DEADLINE, eventually
from support.process import listening_ports
from support.programs import IS_SANITIZED, SWIFT_MODULES, swift_objects
from test_documentation import SWIFT_EXAMPLES, standing_alone

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="the compiler's time; the programs of the examples run sanitized")

# How an example serves by itself.
SERVES = re.compile(r"\b(run|runOrExit|runUntilCancelled|runUntilSignal|serve|start|listen)\(")

# What is not everybody's: ports, folders, and a socket of systemd's.
SUBSTITUTIONS = [
    (r"\bport: \d+", "port: 0"),
    (r"\.port\(\d+", ".port(0"),
    (r'"/run/app/', '"{folder}/'),
    (r', owner: "[^"]*"', ""),
    (r"\.activated\b", ".port(0)"),
]

# So many messages, that a task for each connection has handled some of them before a ping behind them is answered.
MORE_THAN_WAIT = 70

SERVING = """
import Foundation
try {server}.listen(port: 0)
try await {server}.runUntilCancelled(untilSignal: true)
"""


def serving(code, folder):
    """The example as a program that serves until a signal, if it has routes."""
    program = standing_alone(code)
    for pattern, replacement in SUBSTITUTIONS:
        program = re.sub(pattern, replacement.format(folder=folder), program)
    if SERVES.search(program):
        return program
    registering = {"Jazzy.server": r"\bRoute\.\w+\(", "server": r"\bserver\.ws\("}
    servers = [server for server, pattern in registering.items() if re.search(pattern, program)]
    return program + (SERVING.format(server=servers[0]) if servers else "")


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The module's objects, linked once."""
    path = tmp_path_factory.mktemp("library") / "libjazzy.so"
    subprocess.run(["swiftc", "-emit-library", *swift_objects(), "-lz", "-o", path], check=True, timeout=200)
    return path


async def visit(port, path, texts):
    """What a client does that knows nothing of the route: it may be refused, or closed."""
    address = f"ws://127.0.0.1:{port}{path}"
    try:
        async with asyncio.timeout(DEADLINE), connect(address, max_queue=None) as client:
            await client.send(b"\x00\x01\x02\x03\x04\x05\x06\x07")
            for _ in range(texts):
                await client.send("hello")
            await (await client.ping())
    except (ConnectionClosed, ConnectionError, InvalidHandshake):
        pass


@pytest.mark.parametrize("example", SWIFT_EXAMPLES, ids=str)
async def test_an_example_in_swift_runs(library, tmp_path, example):
    source = tmp_path / "main.swift"
    program = serving(example.code, tmp_path)
    source.write_text("import JazzySwift\nimport Synchronization\n" + program)
    command = ["swiftc", "-swift-version", "6", *SWIFT_MODULES, source, library, "-Xlinker", f"-rpath={library.parent}"]
    result = subprocess.run([*command, "-o", tmp_path / "example"], capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr

    with subprocess.Popen([tmp_path / "example"], stderr=subprocess.PIPE, text=True) as process:
        try:
            eventually(lambda: listening_ports(process.pid) or process.poll() is not None, "it listens, or has ended")
            for port in listening_ports(process.pid)[:1]:
                texts = MORE_THAN_WAIT if "messages in" in program else 3
                for path in re.findall(r'\bws\(\s*"([^"]+)"', program):
                    await visit(port, re.sub(r"[:*](\w+)", r"\1", path), texts)
            is_serving = process.poll() is None
            if is_serving:
                process.send_signal(signal.SIGTERM)
            errors = process.communicate(timeout=DEADLINE)[1]
        finally:
            process.kill()
    assert process.returncode in ([0, -signal.SIGTERM] if is_serving else [0]), errors
