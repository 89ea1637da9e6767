"""Several processes behind one port, which are told of a Redis."""

import os
import re
import signal
import sys

import pytest

from support.deadline import eventually
from support.deployment import free_port
from support.programs import IS_SANITIZED, ROOT
from support.raw import RawConnection, request
from support.server import Server, run_to_end

PROCESSES = 3
SCRIPT = ROOT / "Scripts/cluster"
ANNOUNCEMENT = r"open http://localhost:(\d+)/"
FRONTS = [pytest.param((), id="one port"), pytest.param(("--haproxy",), id="behind HAProxy")]

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="whichever builds are tested, the script is the same")

# Says what it was told, on the socket that it was given.
STAND_IN = f"""\
#!{sys.executable}
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
assert (os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"]) == ("1", str(os.getpid()))
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    text = f"process {{os.environ['CLUSTER_PROCESS']}}, {{os.getpid()}}, {{os.environ['REDIS_URL']}}".encode()
    head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(text)
    connection.sendall(head + text)
    connection.close()
"""


@pytest.fixture
def stand_in(tmp_path):
    program = tmp_path / "stand-in"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return program


def cluster(program, port, *arguments):
    command = [SCRIPT, program, "--processes", PROCESSES, "--port", port, *arguments]
    return Server(command, announcement=ANNOUNCEMENT)


def told(port):
    with RawConnection(port) as connection:
        connection.send(request())
        return connection.read_response().body.decode()


def pids(server):
    """Of the processes that were started."""

    def announced(lines):
        found = [match[1] for line in lines if (match := re.search(r" of 3: kill (\d+) ", line))]
        return found if len(found) == PROCESSES else None

    return [int(pid) for pid in server.output.wait_for(announced)]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("arguments", FRONTS)
def test_every_process_answers_on_the_one_port_and_all_end_together(stand_in, arguments):
    with cluster(stand_in, free_port(), *arguments) as server:
        started = pids(server)
        answers = set()
        eventually(lambda: answers.add(told(server.port)) or len(answers) == PROCESSES, "all have answered")
        assert {answer.split(",")[0] for answer in answers} == {f"process {i} of 3" for i in (1, 2, 3)}
        assert {int(answer.split(",")[1]) for answer in answers} == set(started)
        assert len({answer.split(", ")[2] for answer in answers}) == 1
    assert not any(map(is_there, started))


@pytest.mark.parametrize("arguments", FRONTS)
def test_the_others_go_on_without_a_process(stand_in, arguments):
    with cluster(stand_in, free_port(), *arguments) as server:
        first, *others = pids(server)
        os.kill(first, signal.SIGKILL)
        assert server.output.wait_for(lambda lines: any(f"(pid {first}) ended with -9" in line for line in lines))
        answers = set()
        eventually(lambda: answers.add(told(server.port)) or len(answers) == PROCESSES - 1, "the others have answered")
        assert {int(answer.split(",")[1]) for answer in answers} == set(others)


def test_without_any_process_it_ends(stand_in):
    with cluster(stand_in, free_port()) as server:
        for pid in pids(server):
            os.kill(pid, signal.SIGTERM)
        assert server.wait() == 0


def test_a_port_that_another_cluster_has_is_refused(stand_in):
    with cluster(stand_in, free_port()) as server:
        code, errors = run_to_end([SCRIPT, stand_in, "--port", server.port])
        assert code == 1 and f"cannot listen on port {server.port}" in errors and "PORT=N" in errors


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["/nowhere/program"], 1, "cannot start /nowhere/program: No such file or directory"),
        (["/bin/false"], 1, "no process runs"),
        (["/bin/false", "--processes", "0"], 2, "--processes takes a number from 1 to 64, not 0"),
        (["/bin/false", "--port", "0"], 2, "--port takes a number from 1 to 65535, not 0"),
    ],
)
def test_what_cannot_be_started_is_told(arguments, code, why):
    if "--port" not in arguments:
        arguments = [*arguments, "--port", free_port()]
    ended, errors = run_to_end([SCRIPT, *arguments])
    assert ended == code and why in errors
