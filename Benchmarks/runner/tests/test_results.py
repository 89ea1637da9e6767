import json
from typing import Any

import pytest
from runner import goals, report
from runner.goals import Goal
from runner.measurement import Results, figure_of
from runner.plot import ratios
from runner.verdict import MET, NOT_MEASURED, Judged
from runner.workloads import C, FLOOR, SWIFT, Peer, Run, Workload, all_tails, all_workloads

MACHINE = {"date": "2026-01-01", "commit": "abc", "processor": "p", "cores": "2", "memory": "1 GiB", "kernel": "k"}


def reading(cpu: float, **others: Any) -> dict[str, Any]:
    latency = {"p50": 1.0, "p99": 2.0, "p99.9": 3.0, "max": 4.0}
    return {"server_cpu_us_per_message": cpu, "latency_us": latency, "client_cpu_share": 0.5, "client_is_the_limit": False,
            "messages_per_second": 1000.0, "received_bytes_per_message": 22.0, "server_cpu_share": 1.0, "connections": 10,
            **others}  # fmt: skip


def results_of(**cpu: float) -> Results:
    workload = Workload("echo-20", "echo", "echo", tuple(Run(label, "", ("echo",)) for label in (FLOOR, C)))
    return Results([workload], {"echo-20": {FLOOR: {0: reading(cpu["floor"])}, C: {0: reading(cpu["c"])}}})


def test_a_goal_is_judged_by_the_ratios_of_rounds() -> None:
    goal = Goal("CPU of the floor", "echo-20", C, 1.03, FLOOR)
    assert goals.judge(results_of(floor=2.0, c=2.5), [goal]) == [Judged("CPU of the floor: echo", 1.03, (1.25,))]


def test_a_goal_without_another_server_is_judged_by_the_figure() -> None:
    assert goals.judge(results_of(floor=2.0, c=2.5), [Goal("CPU", "echo-20", C, 3.0)])[0].readings == (2.5,)


def test_what_had_no_reading_is_not_measured_and_what_had_no_turn_is_left_out() -> None:
    absent = Goal("CPU of uWebSockets", "echo-20", C, 1.0, "uWebSockets")
    elsewhere = Goal("CPU of the floor", "fan-out-1", C, 1.03, FLOOR)
    assert [each.verdict for each in goals.judge(results_of(floor=2.0, c=2.5), [absent, elsewhere])] == [NOT_MEASURED]


MEMCPY = {"name": "memcpy, 64 KB", "bytes": 1000, "gigabytes_per_second": 50.0}


@pytest.mark.parametrize(
    ("limit_of", "limit", "readings", "is_met"),
    [
        ("ns", 3, (2.0, 2.5), True),
        ("ns", 2.4, (2.0, 2.5), False),
        ("GB/s", 400, (500.0, 400.0), True),
        ("GB/s", 401, (500.0, 400.0), False),
        ("memcpy", 8, (10.0, 8.0), True),
    ],
)
def test_rows_of_the_micro_benchmark_have_goals_of_three_kinds(
    limit_of: str, limit: float, readings: tuple[float, ...], is_met: bool
) -> None:
    row = {"name": "mask", "bytes": 1000, "limit": limit, "limit_of": limit_of, "readings_ns": [2.0, 2.5]}
    (judged,) = goals.judge_micro([MEMCPY, row])
    assert judged.readings == pytest.approx(readings)
    assert (judged.verdict == MET) is is_met


ANOTHER_WAY = f"{C}, in another way"


def beside_a_peer(peer: list[float], ours: list[float]) -> Results:
    workload = Workload("connect", "connect", "connection", tuple(Run(label, "", ("connect",)) for label in (C, SWIFT, ANOTHER_WAY, "quick")))
    readings = {"quick": dict(enumerate(map(reading, peer))), C: dict(enumerate(map(reading, ours)))}
    readings |= {SWIFT: {0: reading(0.1)}, ANOTHER_WAY: {0: reading(0.1)}}
    return Results([workload], {"connect": readings})


@pytest.mark.parametrize(
    ("peer", "beats_us"),
    [([1.8, 1.9], True), ([1.8, 2.1], False), ([2.1, 2.2], False)],
)
def test_a_peer_beats_us_where_it_does_beyond_noise(peer: list[float], beats_us: bool) -> None:
    results = beside_a_peer(peer, ours=[2.0, 2.0])
    assert [judged.text for judged in goals.rivals(results)] == (["quick: connect"] if beats_us else [])
    text = report.markdown(results, [], MACHINE, "method", [])
    assert ("| quick: connect | 1.082 |" in text) is beats_us
    assert ("None, beyond noise." in text) is not beats_us


def test_every_goal_is_about_something_that_is_measured() -> None:
    peers = [Peer("uWebSockets", "x {port}", "x {port} d", "x {port} t")]
    workloads = [*all_workloads(peers, 20_000), *all_tails(20_000)]
    labels = {workload.key: {run.label for run in workload.runs} for workload in workloads}
    for goal in goals.GOALS:
        assert goal.label in labels[goal.workload]
        assert goal.versus is None or goal.versus in labels[goal.workload]


def test_the_memory_of_a_connection_is_told_by_what_was_before_and_after() -> None:
    memory = {"before": 100, "with_connections": 1100, "after_burst": 1150, "after_close": 120, "per_connection": 100.0}
    idle = reading(0.0, memory_bytes=memory)
    assert figure_of(idle, "memory_per_connection") == 100.0
    assert figure_of(idle, "memory_kept_after_burst") == 5.0
    assert figure_of(idle, "memory_kept_after_close") == 2.0


def test_the_markdown_has_goals_ratios_and_failures() -> None:
    results = results_of(floor=2.0, c=2.5)
    results.failures.append("echo: it ended")
    judged = goals.judge(results, [Goal("CPU of the floor", "echo-20", C, 1.03, FLOOR)])
    text = report.markdown(results, judged, MACHINE, "method", [])
    assert "| CPU of the floor: echo | ≤ 1.03 | 1.250 | – | 1 | **not met** |" in text
    assert "0 met, 0 within noise, 1 not met, 0 not measured." in text
    assert "| Jazzy, C | 2.500 |" in text
    assert "- echo: it ended" in text


def test_a_server_that_failed_is_named_below_the_table_that_lacks_it() -> None:
    results = results_of(floor=2.0, c=2.5)
    results.failures += ["echo: uWebSockets: it sent no message back", "echo of text: gws: it ended"]
    table = report.markdown(results, [], MACHINE, "method", []).partition("## Echo\n")[2].partition("\n## ")[0]
    assert table.endswith("\n\nNot measured: uWebSockets: it sent no message back\n")


def test_the_json_has_every_reading() -> None:
    results = results_of(floor=2.0, c=2.5)
    whole = json.loads(json.dumps(report.as_json(results, [], MACHINE, [{"name": "mask", "ns": 1.0}])))
    assert whole["workloads"][0]["runs"][C][0]["server_cpu_us_per_message"] == 2.5
    assert Results.of_json(whole["workloads"]).readings == results.readings
    assert whole["machine"] == MACHINE and whole["micro"][0]["name"] == "mask"


def test_the_plot_shows_multiples_of_the_floor() -> None:
    assert ratios(results_of(floor=2.0, c=2.5)) == {"echo": {C: 1.25}}
