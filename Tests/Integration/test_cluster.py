"""`make cluster`: several processes of the chat behind one port, which share its room through Redis."""

import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as connected
from websockets.sync.client import connect

from support.browser import PROGRAM, Browser
from support.deadline import DEADLINE, eventually
from support.deployment import free_port
from support.programs import CLUSTER, IS_REPEATED, ROOT
from support.raw import RawConnection, request
from support.server import Server, run_to_end

PROCESSES = 3
SCRIPT = ROOT / "Scripts/cluster"
ANNOUNCEMENT = r"open http://localhost:(\d+)/"
FRONTS = [pytest.param((), id="one port"), pytest.param(("--haproxy",), id="behind HAProxy")]

pytestmark = pytest.mark.skipif(IS_REPEATED, reason="whichever builds are tested, the script is the same")

# Says what it was told, on the socket that it was given.
STAND_IN = f"""\
#!{sys.executable}
import contextlib, os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
assert (os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"]) == ("1", str(os.getpid()))
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):  # whoever only looks whether it listens has gone
        connection.recv(4096)
        text = f"process {{os.environ['CLUSTER_PROCESS']}}, {{os.getpid()}}, {{os.environ['REDIS_URL']}}".encode()
        head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(text)
        connection.sendall(head + text)
"""

# Has its socket a while before it listens, says that it is loading, and then that it is there.
SLOW_REDIS = f"""\
#!{sys.executable}
import contextlib, pathlib, socket, sys, time
path = pathlib.Path(sys.argv[sys.argv.index("--unixsocket") + 1])
listener = socket.socket(socket.AF_UNIX)
listener.bind(str(path))
time.sleep(0.3)
listener.listen()
for answer in 2 * ["-LOADING Redis is loading the dataset in memory"] + 1000 * ["+PONG"]:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        assert connection.recv(64) == b"PING\\r\\n"
        if answer == "+PONG":
            path.with_name("ready").touch()
        connection.sendall(answer.encode() + b"\\r\\n")
"""


def program(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def stand_in(tmp_path):
    return program(tmp_path, "stand-in", STAND_IN)


def cluster(program, port, *arguments, environment=()):
    command = [SCRIPT, program, "--processes", PROCESSES, "--port", port, *arguments]
    return Server(command, announcement=ANNOUNCEMENT, environment=environment)


def told(port):
    with RawConnection(port) as connection:
        connection.send(request())
        return connection.read_response().body.decode()


def all_answers(server, count=PROCESSES):
    """What so many processes say, once each has been asked: until then one of them may not run yet."""
    answers = set()
    eventually(lambda: answers.add(told(server.port)) or len(answers) == count, "all have answered")
    return answers


def pids(server):
    """Of the processes that were started."""

    def announced(lines):
        found = [match[1] for line in lines if (match := re.search(r" of 3: kill (\d+) ", line))]
        return found if len(found) == PROCESSES else None

    return [int(pid) for pid in server.output.wait_for(announced)]


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("arguments", FRONTS)
def test_every_process_answers_on_the_one_port_and_all_end_together(stand_in, arguments):
    with cluster(stand_in, free_port(), *arguments) as server:
        started, answers = pids(server), all_answers(server)
        assert {answer.split(",")[0] for answer in answers} == {f"process {i} of 3" for i in (1, 2, 3)}
        assert {int(answer.split(",")[1]) for answer in answers} == set(started)
        assert len({answer.split(", ")[2] for answer in answers}) == 1
    assert not any(map(is_there, started))


def test_processes_start_once_redis_answers(stand_in, tmp_path):
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "redis-server", SLOW_REDIS)
    starts = f'[ -e "$(dirname "${{REDIS_URL#unix://}}")/ready" ] && exec "{stand_in}"'
    impatient = program(tmp_path, "impatient", f"#!/bin/sh\n{starts}\n")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    with cluster(impatient, free_port(), environment={"PATH": path}) as server:
        assert len(all_answers(server)) == PROCESSES


@pytest.mark.parametrize("arguments", FRONTS)
def test_the_others_go_on_without_a_process(stand_in, arguments):
    with cluster(stand_in, free_port(), *arguments) as server:
        first, *others = pids(server)
        all_answers(server)  # until then one may not run its program yet, and have the socket of the first, too
        os.kill(first, signal.SIGKILL)
        assert server.output.wait_for(lambda lines: any(f"(pid {first}) ended with -9" in line for line in lines))
        assert {int(answer.split(",")[1]) for answer in all_answers(server, len(others))} == set(others)


def test_without_any_process_it_ends(stand_in):
    with cluster(stand_in, free_port()) as server:
        all_answers(server)
        for pid in pids(server):
            os.kill(pid, signal.SIGTERM)
        assert server.wait() == 0


@pytest.mark.parametrize("arguments", FRONTS)
def test_nothing_is_left_of_it_when_it_is_killed(stand_in, arguments):
    server = cluster(stand_in, free_port(), *arguments).__enter__()
    processes = set(pids(server))
    all_answers(server)
    started = children(server.pid)
    assert processes < set(started)  # and Redis
    os.kill(server.pid, signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL
    eventually(lambda: not any(map(is_there, started)), "all have ended")


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


def test_who_is_on_another_process_hears_what_is_said():
    with cluster(CLUSTER, free_port()) as server, contextlib.ExitStack() as connections:
        members = {}
        while len(members) < PROCESSES:
            member = connections.enter_context(connect(f"ws://localhost:{server.port}/room", proxy=None))
            process = member.recv(DEADLINE)
            assert process.startswith("You are on process ")
            members.setdefault(process, member)
        (speaker, *_) = members.values()
        heard = {process: [] for process in members}

        def everybody_has_heard():
            # The others' subscriptions may be on their way to Redis: it is said again until they are there.
            speaker.send("Ada: Hello!")
            for process, member in members.items():
                with contextlib.suppress(TimeoutError):
                    heard[process].append(member.recv(0.05))
            return all(heard.values())

        eventually(everybody_has_heard, "everybody has heard it")
        assert {line for lines in heard.values() for line in lines} == {"Ada: Hello!"}


def test_all_are_told_who_is_there_on_every_process_and_who_is_gone_with_one():
    with cluster(CLUSTER, free_port()) as server, contextlib.ExitStack() as connections:
        members = {}
        while len(members) < PROCESSES:
            member = connections.enter_context(connect(f"ws://localhost:{server.port}/room", proxy=None))
            pid = int(re.search(r" with the pid (\d+)\.$", member.recv(DEADLINE))[1])
            members.setdefault(pid, member)
        names = dict(zip(members, ["Ada", "Grace", "Alan"], strict=True))
        for pid, member in members.items():
            member.send(f"{names[pid]} joined.")
        for member in members.values():
            _await_people(member, sorted(names.values()))
        crashed, *others = members
        os.kill(crashed, signal.SIGKILL)
        for pid in others:
            _await_people(members[pid], sorted(names[each] for each in others))
        members[others[0]].close()
        _await_people(members[others[1]], [names[others[1]]])


def _await_people(member, expected):
    """Until it is told that those are there; everything else is passed over."""
    last = None
    while last != expected:
        line = member.recv(2 * DEADLINE)
        if line.startswith("Here are\n"):
            last = line.split("\n")[1:]


@pytest.mark.skipif(PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell")
async def test_the_page_shows_on_which_process_it_is_and_moves_when_that_ends(tmp_path):
    shown = "document.getElementById('process')?.textContent"
    with cluster(CLUSTER, free_port()) as server:
        async with Browser(tmp_path / "browser") as browser:
            tab = await browser.open(f"http://localhost:{server.port}/")
            await tab.until(f"{shown}?.startsWith('You are on process ')")
            before = await tab.evaluate(shown)
            await tab.screenshot(tmp_path / "page.png")
            pid = int(re.search(r"with the pid (\d+)\.$", before)[1])
            assert pid in pids(server)
            people = "document.getElementById('people').textContent"
            name = await tab.evaluate("document.getElementById('name').value")
            await tab.until(f"{people} == 'Here: {name}'")
            async with connected(f"ws://localhost:{server.port}/room", proxy=None) as member:
                await member.send("Ada joined.")
                await tab.until(f"{people} == 'Here: Ada, {name}'")
            await tab.until(f"{people} == 'Here: {name}'")
            os.kill(pid, signal.SIGKILL)
            await tab.until(f"{shown} !== {before!r}")
            assert int(re.search(r"with the pid (\d+)\.$", await tab.evaluate(shown))[1]) in set(pids(server)) - {pid}
            await tab.until(f"{people} == 'Here: {name}'")
