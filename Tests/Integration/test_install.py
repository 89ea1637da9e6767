"""`make install`, by the compiler that is there: a C program is built against the installed copy, and runs."""

import os
import shutil
import subprocess

import pytest

from support import frames
from support.programs import ROOT
from support.raw import open_websocket
from support.server import Server

# Seconds for building the library, which may be the first build there is.
BUILD_DEADLINE = 300


# All that it takes besides a compiler: make, binutils, and what every machine has.
TOOLS = ["make", "ar", "as", "ld", "ld.bfd", "sh", "cmp", "find", "install", "ln", "mkdir", "rm", "uname"]


def machine_with(directory, *tools):
    """A folder with these programs, to be all of PATH."""
    for tool in tools:
        (directory / tool).symlink_to(shutil.which(tool))
    return directory


def make(*arguments, path=os.environ["PATH"], check=True):
    # Not the settings of a `make` that runs these tests.
    others = ("MAKEFLAGS", "MFLAGS", "DESTDIR", "CC", "PATH")
    environment = {name: value for name, value in os.environ.items() if name not in others} | {"PATH": str(path)}
    command = [shutil.which("make"), "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=check, timeout=BUILD_DEADLINE, capture_output=True, text=True
    )


@pytest.fixture(scope="module", params=["clang", "gcc"])
def prefix(tmp_path_factory, request):
    """Installation on a machine with only this compiler."""
    path = machine_with(tmp_path_factory.mktemp("tools"), request.param, *TOOLS)
    directory = tmp_path_factory.mktemp("prefix")
    # Not into the folder of the builds by the compiler that this machine has.
    settings = [] if request.param == "clang" else [f"BUILD={tmp_path_factory.mktemp('build')}"]
    make("-j2", "install", f"PREFIX={directory}", *settings, path=path)
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


@pytest.fixture(scope="module")
def prefix_with_isal(tmp_path_factory):
    directory = tmp_path_factory.mktemp("isal")
    make("-j2", "install", f"PREFIX={directory}", "JAZZY_DEFLATE=isal", f"BUILD={tmp_path_factory.mktemp('build')}")
    return directory


def test_the_other_engine_is_named_for_who_links_the_archive(prefix, prefix_with_isal):
    assert "-lisal" in flags(prefix_with_isal, "--static", "--libs")
    assert "-lisal" not in flags(prefix_with_isal, "--libs")
    assert "-lisal" not in flags(prefix, "--static", "--libs")


@pytest.mark.parametrize("linking", ["static", "shared"])
def test_a_program_with_the_other_engine_echoes(prefix_with_isal, tmp_path, monkeypatch, linking):
    program = tmp_path / "echo-server"
    build(prefix_with_isal, "gcc", linking, program)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(prefix_with_isal / "lib"))
    with Server([program, 0], announcement=r"^ws://localhost:(\d+)/echo$") as server:
        with open_websocket(server.port) as connection:
            connection.send_frame(frames.TEXT, b"hello")
            assert connection.read_frame() == frames.Frame(frames.TEXT, b"hello")


def test_an_unknown_engine_is_refused():
    result = make("library", "JAZZY_DEFLATE=zip", check=False)
    assert result.returncode != 0
    assert 'JAZZY_DEFLATE is zlib or isal, not "zip"' in result.stderr


@pytest.fixture
def compiler(tmp_path):
    """Stands for compilers: one that is called writes its name, and leaves an empty file where its output should be."""
    called = tmp_path / "called"

    def create(name):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho {name} >>{called}\nwhile [ "$1" != -o ]; do shift; done\nshift\n: >"$1"\n'
        )
        program.chmod(0o755)
        return program

    def calls():
        names = called.read_text().split() if called.exists() else []
        called.unlink(missing_ok=True)
        return names

    create.calls = calls
    return create


def test_the_compiler_that_is_asked_for_compiles_everything(compiler, tmp_path):
    one, another = compiler("one"), compiler("another")
    build = f"BUILD={tmp_path / 'build'}"
    make("library", f"CC={one}", build)
    first = compiler.calls()
    assert set(first) == {"one"}
    make("library", f"CC={one}", build)
    assert compiler.calls() == [], "nothing has changed"
    make("library", f"CC={another}", build)
    assert compiler.calls() == ["another"] * len(first)


def test_without_a_compiler_it_says_what_is_missing(tmp_path):
    path = machine_with(tmp_path, *TOOLS)
    result = make("install", f"PREFIX={tmp_path / 'prefix'}", f"BUILD={tmp_path / 'build'}", path=path, check=False)
    assert result.returncode != 0
    assert "A C compiler is needed: install clang or gcc, or name one" in result.stderr
