"""`make install`: a C program is built against the installed copy, and runs."""

import os
import subprocess

import pytest

from support import frames
from support.programs import ROOT
from support.raw import open_websocket
from support.server import Server

# Seconds for building the library, which may be the first build there is.
BUILD_DEADLINE = 300


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    directory = tmp_path_factory.mktemp("prefix")
    command = ["make", "--no-print-directory", "install", f"PREFIX={directory}"]
    # Not the settings of a `make` that runs these tests.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "DESTDIR")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=BUILD_DEADLINE, capture_output=True)
    return directory


def flags(prefix, *arguments):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    command = ["pkg-config", *arguments, "cjazzypoll"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def build(prefix, compiler, linking, program):
    source = ROOT / "Examples" / "echo-server.c"
    libraries = flags(prefix, "--libs")
    if linking == "static":
        # The same name with .a is how a linker is told to take the archive where there are both.
        libraries = [flag.replace("-lcjazzypoll", "-l:libcjazzypoll.a") for flag in flags(prefix, "--static", "--libs")]
    command = [compiler, "-std=c17", "-Wall", "-Wextra", "-Werror", *flags(prefix, "--cflags"), source, *libraries]
    subprocess.run([*command, "-o", program], check=True, timeout=BUILD_DEADLINE, cwd=program.parent)


def needs_the_shared_library(program):
    listed = subprocess.run(["readelf", "--dynamic", program], check=True, capture_output=True, text=True).stdout
    return "[libcjazzypoll.so" in listed


@pytest.mark.parametrize("linking", ["static", "shared"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_program_built_against_the_installed_copy_echoes(prefix, tmp_path, monkeypatch, compiler, linking):
    program = tmp_path / "echo-server"
    build(prefix, compiler, linking, program)
    assert needs_the_shared_library(program) == (linking == "shared")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(prefix / "lib"))
    with Server([program, 0], announcement=r"^ws://localhost:(\d+)/echo$") as server:
        with open_websocket(server.port) as connection:
            connection.send_frame(frames.TEXT, b"hello")
            assert connection.read_frame() == frames.Frame(frames.TEXT, b"hello")
