"""A network of a test's own, so that it can be taken away: a namespace with nothing in it but a loopback device."""

import contextlib
import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys

import pytest

from support.programs import ROOT

# Set in the process that is inside.
INSIDE = "JAZZY_TEST_HAS_ITS_OWN_NETWORK"

# Seconds; less than the deadline of a test, and long enough for a machine that is slow.
LONGEST = 240

# netdevice(7)
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def in_its_own_network(test):
    """Runs the test by a pytest of its own, within a new network whose loopback device is up."""

    @functools.wraps(test)
    def run(*arguments, **fixtures):
        if os.environ.get(INSIDE):
            set_loopback(up=True)
            test(*arguments, **fixtures)
        else:
            run_inside(os.environ["PYTEST_CURRENT_TEST"].rpartition(" (")[0])

    return run


def run_inside(node):
    command = [*unsharing(), sys.executable, "-m", "pytest", "-q", node]
    done = subprocess.run(
        command,
        cwd=ROOT / "Tests/Integration",
        env={**os.environ, INSIDE: "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@functools.cache
def unsharing():
    """The command that runs another in a new network namespace: as root, or as root within a user namespace."""
    for ways in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
        with contextlib.suppress(OSError):
            if subprocess.run([*ways, "true"], capture_output=True).returncode == 0:
                return [*ways, "--kill-child"]
    pytest.skip("this machine lets nobody have a network of his own (unshare --net)")


def set_loopback(*, up):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16xh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))[0]
        wanted = struct.pack("16sh14x", b"lo", flags | IFF_UP if up else flags & ~IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, wanted)


@contextlib.contextmanager
def without_network():
    """All packets are lost silently, as if the other machine had lost its power."""
    set_loopback(up=False)
    try:
        yield
    finally:
        set_loopback(up=True)
