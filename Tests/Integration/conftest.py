"""Servers under test, and deadlines for every test."""

import asyncio
import contextlib
import inspect
import signal
import subprocess

import pytest

from support.certificates import Authority
from support.programs import BENCH, PROBE, ROOT, SWIFT_MODULES
from support.server import Server

# Seconds: only to prevent hanging for ever. Waits within a test have shorter deadlines of their own; this leaves time
# for slow work on a busy machine.
TEST_DEADLINE = 300

MAX_MESSAGE = 16 * 1024 * 1024

# A probe server whose bytes travel through a transport, so many of them at a time at most.
THROTTLED = ("--throttle", 4000)

# The same with a transport that keeps them in memory; a bridge of its process takes them from sockets and back.
IN_MEMORY = ("--memory", 4000)

# The same with a port of TLS.
WITHIN_TLS = ("--certificate",)

# The same over sockets, with files, too, so that it has pages of every kind: attacks leave all of them as they were.
WITH_PAGES = ("--folder", ROOT / "Tests/Integration/clients")

# The attacks to which TLS can make a difference; of them, some are not played within TLS, and say why: the mark
# `not_within_tls`. TLS has more of its own: test_tls_hostile_*.py.
ALSO_WITHIN_TLS = tuple(f"test_attacks_on_{what}" for what in ("frames", "handshakes", "limits", "rates", "resources"))


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
    """
    Attacks come over sockets, where the server has pages of every kind, and through transports that pass on little at a
    time; some also within TLS.
    """
    if "way" in metafunc.fixturenames and metafunc.module.__name__.startswith("test_attacks"):
        ways = {"sockets": WITH_PAGES, "throttled": THROTTLED, "memory": IN_MEMORY}
        if metafunc.module.__name__ in ALSO_WITHIN_TLS:
            ways["tls"] = WITHIN_TLS
        metafunc.parametrize("way", ways.values(), ids=ways, indirect=True, scope="module")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Who certifies the servers of these tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certified(authority):
    """The certificate of a server on this machine, and its key."""
    return authority.certify("localhost", "127.0.0.1", "::1")


@pytest.fixture(scope="session")
def certificate(certified, tmp_path_factory):
    """Their files."""
    return certified.write(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture(scope="module")
def way(request):
    """What the bytes of a probe server travel through: its flags."""
    return getattr(request, "param", ())


@pytest.fixture(scope="module")
def probe_with(way, authority, certificate):
    """A probe server with these flags, whose bytes travel in that way; it is to be entered."""
    flags, trust = (certificate.flags(), authority.path) if way == WITHIN_TLS else (way, None)
    return lambda *further: Server([PROBE, "--port", 0, *flags, *further], authority=trust)


@pytest.fixture
def start_secure(authority, certificate):
    """Starts probe servers with a port of TLS, and stops them after the test. `files`: another certificate's."""
    with contextlib.ExitStack() as servers:

        def start(*flags, files=certificate):
            command = [PROBE, "--port", 0, *(files.flags() if files else ()), *flags]
            return servers.enter_context(Server(command, authority=authority.path))

        yield start


@pytest.fixture(scope="module")
def secure_probe(authority, certificate):
    """The probe server with default options, and a port of TLS."""
    with Server([PROBE, "--port", 0, *certificate.flags()], authority=authority.path) as server:
        yield server


@pytest.fixture
def is_plain(way):
    """Whether clients who are turned away are told why: what travels through a transport is only closed."""
    return way == WITH_PAGES


@pytest.fixture
def descriptors_each(way):
    """How many descriptors of a probe server a connection takes: a bridge has a client's socket, and a bell's end."""
    return 3 if way == IN_MEMORY else 1


@pytest.fixture(autouse=True)
def leave_out(request):
    """Tests that one of the ways would make untrue, or repeat for nothing: @pytest.mark.not_in_memory(reason)."""
    for name, way in {"not_in_memory": IN_MEMORY, "not_within_tls": WITHIN_TLS}.items():
        mark = request.node.get_closest_marker(name)
        if mark and request.getfixturevalue("way") == way:
            pytest.skip(mark.args[0])


@pytest.fixture(scope="module")
def probe(probe_with):
    """The probe server with default options."""
    with probe_with() as server:
        yield server


@pytest.fixture
def start_probe(probe_with):
    """Starts probe servers with flags, and stops them after the test."""
    with contextlib.ExitStack() as servers:
        yield lambda *flags: servers.enter_context(probe_with(*flags))


@pytest.fixture
def compile_swift(tmp_path):
    """Compiles a program as far as its diagnosis goes: lifetimes are checked after types, on SIL."""

    def compile_program(text):
        source = tmp_path / "main.swift"
        source.write_text("import JazzySwift\nimport Synchronization\n" + text)
        command = ["swiftc", "-swift-version", "6", "-emit-sil", "-o", tmp_path / "main.sil", *SWIFT_MODULES, source]
        return subprocess.run(command, capture_output=True, text=True, timeout=50)

    return compile_program
