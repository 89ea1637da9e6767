"""The commands of the documentation: `make` knows each, and those that a reader begins with do what the text says."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from support import frames
from support.deadline import DEADLINE, eventually
from support.deployment import free_port
from support.documentation import markdown_examples
from support.programs import EXAMPLES as PROGRAMS
from support.programs import IS_SANITIZED, ROOT
from support.raw import RawConnection, open_websocket, request
from support.server import Server

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, the commands are the same")

EXAMPLES = [example for example in markdown_examples() if re.match(r"make ", example.code)]

BUILD_DEADLINE = 300

# Not the settings of a `make` that runs these tests.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "DESTDIR", "CC")}


def commands(code):
    """The commands of a block, without what is said of them: several may be in a line, with commas between them."""
    lines = [re.sub(r"( {2,}|\s+#).*", "", line) for line in code.splitlines()]
    return [command.strip() for line in lines for command in line.split(", ")]


MAKE = sorted({command for example in EXAMPLES for command in commands(example.code) if command.startswith("make ")})


def run(*command, **changes):
    settings = {"cwd": ROOT, "env": ENVIRONMENT, "capture_output": True, "text": True, "timeout": BUILD_DEADLINE}
    result = subprocess.run(command, **settings | changes)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def makefiles():
    """Everything that `make` reads, and the names of its targets."""
    text = "".join(path.read_text() for path in [ROOT / "Makefile", *ROOT.glob("Scripts/*.mk")])
    command = ["make", "--print-data-base", "--question", "help"]
    database = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=50).stdout
    return text, set(re.findall(r"^([\w-]+):", database, re.MULTILINE))


@pytest.mark.parametrize("command", MAKE)
def test_make_knows_the_target_and_the_settings(makefiles, command):
    text, targets = makefiles
    _, target, *settings = shlex.split(command)
    assert target in targets
    for name in [setting.partition("=")[0] for setting in settings]:
        assert f"$({name})" in text, f"nothing reads {name}"


def test_a_part_of_make_test_is_what_make_test_runs():
    """So CI runs each command that the table of tests lists."""
    recipe = (ROOT / "Scripts/test.mk").read_text().partition("\ntest: ")[2].partition("\n.PHONY")[0]
    parts = {command.removeprefix("make ") for command in MAKE if re.fullmatch(r"make (test-[\w-]+|docs)", command)}
    assert parts and parts <= set(re.findall(r"\$\(MAKE\) ([\w-]+)$", recipe, re.MULTILINE))


@pytest.fixture
def swift_that_has_built(tmp_path, monkeypatch):
    """In the place of SwiftPM: runs the program that was built, with the arguments that `swift run` passes to it."""
    program = tmp_path / "swift"
    home = PROGRAMS["home"]
    program.write_text(f'#!/bin/sh\nwhile [ "$1" != home ]; do shift || exit 1; done\nshift\nexec {home} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{tmp_path}:{os.environ['PATH']}")


def page_of(port):
    """None until it comes: a server whose port is chosen tries first, for a moment, whether it is free."""
    with contextlib.suppress(OSError, EOFError), RawConnection(port) as connection:
        connection.send(request())
        return connection.read_response().body


def test_make_run_serves_a_home_page_and_a_chat_until_ctrl_c(swift_that_has_built):
    assert "make run" in MAKE
    port = free_port()
    command = ["make", "run", f"PORT={port}"]
    terminal = {"start_new_session": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, text=True, **terminal) as process:
        try:
            assert b"<title>Jazzy for Swift</title>" in eventually(lambda: page_of(port), "it serves its page")
            with connect(f"ws://localhost:{port}/chat", proxy=None) as client:
                os.killpg(process.pid, signal.SIGINT)
                with pytest.raises(ConnectionClosed) as closed:
                    while True:
                        client.recv(DEADLINE)
                assert closed.value.rcvd.code == 1001
            process.wait(DEADLINE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_who_installs_the_core_builds_a_program_with_it(tmp_path):
    """The README's two commands, with another prefix, in a folder that has the program's source."""
    (example,) = [example for example in EXAMPLES if "pkg-config" in example.code]
    install, build = commands(example.code.replace("/usr/local", str(tmp_path)))
    run(*shlex.split(install))
    shutil.copy(ROOT / "Examples/echo-server.c", tmp_path)
    run("sh", "-c", build, cwd=tmp_path, env={**ENVIRONMENT, "PKG_CONFIG_PATH": str(tmp_path / "lib/pkgconfig")})
    found = {"LD_LIBRARY_PATH": str(tmp_path / "lib")}
    with Server([tmp_path / "echo-server", 0], announcement=r"^ws://localhost:(\d+)/echo$", environment=found) as server:
        with open_websocket(server.port) as connection:
            connection.send_frame(frames.TEXT, b"hello")
            assert connection.read_frame().payload == b"hello"


def test_every_other_line_is_one_of_these():
    lines = {command for example in EXAMPLES for command in commands(example.code)} - set(MAKE)
    assert [line for line in lines if not line.startswith("cc echo-server.c ")] == []
