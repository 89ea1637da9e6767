"""Servers under test, and deadlines for every test."""

import asyncio
import contextlib
import inspect
import signal
import subprocess

import pytest

from support.programs import BENCH, PROBE, SWIFT_MODULES
from support.server import Server

# Seconds: only to prevent hanging for ever. Waits within a test have shorter deadlines of their own; this leaves time
# for slow work on a busy machine.
TEST_DEADLINE = 300

MAX_MESSAGE = 16 * 1024 * 1024

# A probe server whose bytes travel through a transport, so many of them at a time at most.
THROTTLED = ("--throttle", 4000)

# The same with a transport that keeps them in memory; a bridge of its process takes them from sockets and back.
IN_MEMORY = ("--memory", 4000)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Runs coroutine tests to their end on an event loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """No test waits for ever."""

    def give_up(*_):
        raise TimeoutError(f"{item.name} did not end within {TEST_DEADLINE} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TEST_DEADLINE)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module", params=BENCH)
def bench(request):
    """The benchmark server of each language: /echo and /fan."""
    with Server([BENCH[request.param], "--port", 0, "--max-message", MAX_MESSAGE]) as server:
        yield server


@pytest.fixture(params=BENCH)
def fresh_bench(request):
    """A benchmark server for one test alone, which may stop it."""
    with Server([BENCH[request.param], "--port", 0, "--max-message", MAX_MESSAGE]) as server:
        yield server


def pytest_generate_tests(metafunc):
    """Attacks come over sockets, and through transports that pass on little at a time."""
    if "way" in metafunc.fixturenames and metafunc.module.__name__.startswith("test_attacks"):
        ways = {"sockets": (), "throttled": THROTTLED, "memory": IN_MEMORY}
        metafunc.parametrize("way", ways.values(), ids=ways, indirect=True, scope="module")


@pytest.fixture(scope="module")
def way(request):
    """The flags of a probe server that say what its bytes travel through."""
    return getattr(request, "param", ())


@pytest.fixture
def descriptors_each(way):
    """How many descriptors of a probe server a connection takes: a bridge has a client's socket, and a bell's end."""
    return 3 if way == IN_MEMORY else 1


@pytest.fixture(autouse=True)
def leave_out_of_memory(request):
    """Tests that a bridge in front of the server would make untrue: @pytest.mark.not_in_memory(reason)."""
    mark = request.node.get_closest_marker("not_in_memory")
    if mark and request.getfixturevalue("way") == IN_MEMORY:
        pytest.skip(mark.args[0])


@pytest.fixture(scope="module")
def probe(way):
    """The probe server with default options."""
    with Server([PROBE, "--port", 0, *way]) as server:
        yield server


@pytest.fixture
def start_probe(way):
    """Starts probe servers with flags, and stops them after the test."""
    with contextlib.ExitStack() as servers:
        yield lambda *flags: servers.enter_context(Server([PROBE, "--port", 0, *way, *flags]))


@pytest.fixture
def compile_swift(tmp_path):
    """Compiles a program as far as its diagnosis goes: lifetimes are checked after types, on SIL."""

    def compile_program(text):
        source = tmp_path / "main.swift"
        source.write_text("import JazzySwift\nimport Synchronization\n" + text)
        command = ["swiftc", "-swift-version", "6", "-emit-sil", "-o", tmp_path / "main.sil", *SWIFT_MODULES, source]
        return subprocess.run(command, capture_output=True, text=True, timeout=50)

    return compile_program
