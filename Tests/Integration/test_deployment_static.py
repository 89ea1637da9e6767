"""The guide's static programs: what each needs at run time, and that the one that needs nothing runs where nothing is."""

import signal
import subprocess

import pytest

from support.clients import CLIENTS
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
from support.programs import IS_SANITIZED, ROOT

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
