"""
The guide's static programs: what each needs at run time, and that the one that needs nothing runs where nothing is; and
a program with TLS.
"""

import signal
import subprocess

import pytest

from support.clients import CLIENTS
from support.deadline import DEADLINE, eventually
from support.deployment import (
    Contained,
    blocks,
    free_port,
    is_superuser,
    needed_libraries,
    put_program,
    reachable_folder,
    static_program,
)
from support.process import listening_ports
from support.programs import IS_SANITIZED, ROOT
from support.tls_clients import SecureClient, context_for

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="the program is built as users build it")

MOSTLY_STATIC = "swift build -c release --static-swift-stdlib"
STATIC = "swift build -c release --static-swift-stdlib -Xswiftc -static-executable"


@pytest.fixture
def mostly_static():
    return static_program(MOSTLY_STATIC)


@pytest.fixture
def static():
    return static_program(STATIC)


def test_the_guides_program_is_the_example():
    (code,) = blocks("swift")
    assert (ROOT / "Examples/Deployed/main.swift").read_text().endswith(code)


def test_a_program_with_swifts_libraries_in_it_needs_only_those_that_debian_has(tmp_path, mostly_static):
    program = put_program(tmp_path / "app", mostly_static)
    packages = {"libc6": "c m", "libstdc++6": "stdc++", "libgcc-s1": "gcc_s", "zlib1g": "z"}
    allowed = {f"lib{name}.so" for names in packages.values() for name in names.split()}
    found = {name.rpartition(".so.")[0] + ".so" for name in needed_libraries(program) if not name.startswith("ld-")}
    assert found <= allowed


def test_a_program_with_swifts_libraries_in_it_speaks_tls_by_debians_openssl(tmp_path, authority, certificate):
    program = put_program(tmp_path / "secure", static_program(MOSTLY_STATIC, "secure"))
    assert {"libssl.so.3", "libcrypto.so.3"} <= needed_libraries(program)
    process = subprocess.Popen([program, certificate.certificate, certificate.key, "0"])
    try:
        (port,) = eventually(lambda: listening_ports(process.pid), "it listens")
        for _ in range(2):
            with SecureClient(port, context_for(authority.path)) as client:
                client.upgrade("/echo")
                assert client.read_frame().payload == b"Welcome, over TLSv1.3!"
                assert client.ask(b"hello") == b"You said: hello"
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()


async def test_a_static_program_runs_where_there_is_nothing_else(static):
    may_enter = subprocess.run(["unshare", *([] if is_superuser() else ["--map-root-user"]), "--mount", "true"])
    if may_enter.returncode != 0:
        pytest.skip("this user may not have a root of its own")
    with reachable_folder() as folder:
        program = put_program(folder / "app", static)
        assert needed_libraries(program) == set()
        assert [path.name for path in folder.iterdir()] == ["app"]
        with Contained(folder, {"LISTEN": str(free_port()), "HOST": "127.0.0.1"}) as server:
            for client in CLIENTS.values():
                async with client(server.port, "/echo") as connection:
                    await connection.receive()
                    for message in ["Grüße, 世界!", bytes(range(256)) * 1000]:
                        await connection.send(message)
                        assert await connection.receive() == message
            async with CLIENTS["websockets"](server.port, "/echo") as connection:
                await connection.receive()
                server.send_signal(signal.SIGTERM)
                assert (await connection.closed())[0] == 1001
