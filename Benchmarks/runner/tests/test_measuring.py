import json
import os
from pathlib import Path
from typing import Any

import pytest
from runner import main as runner_main
from runner.load import check_reading
from runner.measurement import ENOUGH_ROUNDS, Plan, Results, measure
from runner.servers import Failure, Server, free_port, parse_peer
from runner.workloads import NEAR_A_LIMIT, Run, Workload, near_a_limit

from . import fakes

BOTH_CORES = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a server and its client need a core each")


def workload(*runs: Run) -> Workload:
    return Workload("echo-20", "echo", "echo", runs)


def run_with(folder: Path, *commands: str, load: str = "") -> Results:
    results = Results()
    runs = tuple(Run(f"server {i}", command, ("echo",)) for i, command in enumerate(commands))
    measure(workload(*runs), Plan(fakes.load(folder, load), rounds=2, seconds=0.1, warm_up=0.1), results)
    return results


def test_a_peer_is_a_name_and_a_command_with_a_port() -> None:
    assert parse_peer("uWebSockets=./echo --port {port} --x=1") == ("uWebSockets", "./echo --port {port} --x=1")


@pytest.mark.parametrize("text", ["name", "=command {port}", "name=", "name=command"])
def test_anything_else_is_no_peer(text: str) -> None:
    with pytest.raises(Failure, match="peer"):
        parse_peer(text)


@BOTH_CORES
def test_servers_take_turns(tmp_path: Path) -> None:
    server = fakes.server(tmp_path)
    results = run_with(tmp_path, server, server)
    assert results.failures == []
    assert results.figures("echo-20", "server 1", "server_cpu_us_per_message") == {0: 5.0, 1: 5.0}


@BOTH_CORES
def test_each_round_has_new_servers_in_the_opposite_order(tmp_path: Path) -> None:
    # The load notes the process that it is pointed at, and of which program it is.
    command_line = "open('/proc/' + arguments['--pid'] + '/cmdline').read().split('\\0')"
    noting = f"open({str(tmp_path / 'turns')!r}, 'a').write(arguments['--pid'] + ' ' + {command_line}[1] + '\\n')"
    commands = [fakes.server(tmp_path, name=name) for name in ("first", "second")]
    assert run_with(tmp_path, *commands, load=noting).failures == []
    pids, programs = zip(*(line.split() for line in (tmp_path / "turns").read_text().splitlines()))
    assert len(set(pids)) == 4
    assert [Path(program).stem for program in programs] == ["first", "second", "second", "first"]


@BOTH_CORES
def test_who_is_in_no_goal_takes_part_in_as_many_rounds_as_an_interval_needs(tmp_path: Path) -> None:
    command = fakes.server(tmp_path)
    runs = (Run("in goals", command, ("echo",)), Run("other", command, ("echo",), is_in_goals=False))
    for rounds, of_other in ((2, 2), (ENOUGH_ROUNDS + 1, ENOUGH_ROUNDS)):
        results = Results()
        measure(near_a_limit(workload(*runs)), Plan(fakes.load(tmp_path), rounds, seconds=0.01, warm_up=0.01), results)
        taken = {label: sorted(readings) for label, readings in results.readings["echo-20"].items()}
        assert taken == {"in goals": [*range(rounds * NEAR_A_LIMIT)], "other": [*range(of_other)]}


@BOTH_CORES
def test_a_reading_in_which_the_server_got_no_time_is_taken_again(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    still = "reading['server_cpu_us_per_message'] = 0.0 if len(readings) == 1 else 5.0"
    noting = f"readings = open({str(taken)!r}, 'a+'); readings.write('.'); readings.seek(0); readings = readings.read(); {still}"
    results = run_with(tmp_path, fakes.server(tmp_path), load=noting)
    assert results.figures("echo-20", "server 0", "server_cpu_us_per_message") == {0: 5.0, 1: 5.0}
    assert taken.read_text() == "..."


@BOTH_CORES
def test_a_server_that_gets_no_time_is_told(tmp_path: Path) -> None:
    results = run_with(tmp_path, fakes.server(tmp_path), load="reading['server_cpu_us_per_message'] = 0.0")
    assert results.failures == ["echo: server 0 got no time in 3 readings"]


@BOTH_CORES
def test_no_server_outlives_its_round(tmp_path: Path) -> None:
    noting = f"open({str(tmp_path / 'pids')!r}, 'a').write(arguments['--pid'] + ' ')"
    run_with(tmp_path, fakes.server(tmp_path), load=noting)
    for pid in (tmp_path / "pids").read_text().split():
        assert not Path(f"/proc/{pid}").exists()


@BOTH_CORES
def test_messages_are_sent_at_the_rate_at_which_servers_are_busy_for_half_of_the_time(tmp_path: Path) -> None:
    load = fakes.load(tmp_path, "reading['server_cpu_us_per_message'] = 50.0")
    by_clock = ("tails", "--rate", "{rate}")
    runs = tuple(Run(name, fakes.server(tmp_path), by_clock) for name in ("one", "other"))
    measured = Workload("tail", "by the clock", "echo", runs, capacity=by_clock, seconds=0.7)
    results = Results()
    measure(measured, Plan(load, rounds=2, seconds=0.1, warm_up=0.1), results)
    assert results.failures == []
    for name in ("one", "other"):
        assert results.figures("tail", name, "rate") == {0: 10_000, 1: 10_000}
        assert results.figures("tail", name, "seconds") == {0: 0.7, 1: 0.7}


@BOTH_CORES
@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("false {port}", "ended with 1"),
        ("no-such-program {port}", "cannot be started"),
        ("sh -c 'echo no licence; exit 3' {port}", "no licence"),
    ],
)
def test_a_server_that_does_not_start_is_told_and_the_others_go_on(tmp_path: Path, command: str, why: str) -> None:
    results = run_with(tmp_path, command, fakes.server(tmp_path))
    assert len(results.failures) == 1 and why in results.failures[0]
    assert len(results.readings["echo-20"]["server 1"]) == 2


@BOTH_CORES
def test_a_server_that_dies_under_load_is_told(tmp_path: Path) -> None:
    # The first to come is who asks whether it listens. The load ends when there is nothing left of it but its exit code.
    dying = fakes.server(tmp_path, "listener.accept(); listener.accept(); sys.exit('out of luck')")
    coming = "import socket; load = socket.create_connection(('127.0.0.1', int(arguments['--port'])))"
    is_there = "open('/proc/' + arguments['--pid'] + '/stat').read().rpartition(')')[2].split()[0] != 'Z'"
    results = run_with(tmp_path, dying, load=f"{coming}\nwhile {is_there}: pass\nsys.exit('lost')")
    assert "ended under load with 1" in results.failures[0] and "out of luck" in results.failures[0]


@BOTH_CORES
@pytest.mark.parametrize(
    ("load", "why"),
    [
        ("print('hello'); sys.exit()", "no JSON"),
        ("sys.exit('bench-load: lost')", "lost"),
        ("reading['size'] = 7", "measured size 7, not 20"),
        ("reading['workload'] = 'idle'", "measured idle, not echo"),
    ],
)
def test_a_load_that_cannot_be_believed_is_told(tmp_path: Path, load: str, why: str) -> None:
    results = Results()
    run = Run("server", fakes.server(tmp_path), ("echo", "--size", "20"))
    measure(workload(run), Plan(fakes.load(tmp_path, load), rounds=3, seconds=0.1, warm_up=0.1), results)
    assert len(results.failures) == 1 and why in results.failures[0]


@pytest.mark.parametrize(
    ("reading", "arguments", "why"),
    [
        ({"deflate": True}, [], "--deflate"),
        ({"resume": False}, ["--tls", "1.3", "--resume"], "--resume"),
        ({"tls": "1.2"}, ["--tls", "1.3"], "tls 1.2, not 1.3"),
        ({"handshakes": 0}, ["--tls", "1.3", "--handshakes", "1000"], "handshakes 0, not 1000"),
    ],
)
def test_what_was_not_asked_for_is_not_believed(reading: dict[str, Any], arguments: list[str], why: str) -> None:
    with pytest.raises(Failure, match=why):
        check_reading({"workload": "echo", "tls": "1.3", **reading}, ["echo", *arguments])


@BOTH_CORES
def test_servers_are_ended(tmp_path: Path) -> None:
    server = Server("server", fakes.server(tmp_path), {0})
    server.start()
    server.stop()
    assert server.process is not None and server.process.poll() is not None


def test_no_port_is_given_twice_in_a_row() -> None:
    ports = [free_port() for _ in range(500)]
    assert len({port + offset for port in ports for offset in (0, 1)}) == 1000


def test_a_workload_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no workload begins with 'nothing'"):
        runner_main.main(["--only", "nothing", "--allow-shared-core", "--output", str(tmp_path)])


def test_one_core_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with pytest.raises(Failure, match="--allow-shared-core"):
        runner_main.main(["--output", str(tmp_path)])


@BOTH_CORES
def test_failures_are_written_down_and_end_the_run_with_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runner_main, "quick_workloads", lambda peers: [workload(Run("gone", "false {port}", ("echo",)))])
    monkeypatch.setattr(runner_main.plot, "draw", lambda results, path: path.write_text("<svg/>"))
    load = fakes.load(tmp_path)
    assert runner_main.main(["--quick", "--output", str(tmp_path), "--load-program", load]) == 1
    assert "ended with 1" in (tmp_path / "quick.md").read_text()
    assert json.loads((tmp_path / "quick.json").read_text())["failures"]
