import json
from typing import Any

from runner import goals, report
from runner.goals import Goal
from runner.measurement import Results, figure_of
from runner.plot import ratios
from runner.workloads import C, FLOOR, Peer, Run, Workload, all_workloads

MACHINE = {"date": "2026-01-01", "commit": "abc", "processor": "p", "cores": "2", "memory": "1 GiB", "kernel": "k"}


def reading(cpu: float, **others: Any) -> dict[str, Any]:
    latency = {"p50": 1.0, "p99": 2.0, "p99.9": 3.0, "max": 4.0}
    return {"server_cpu_us_per_message": cpu, "latency_us": latency, "client_cpu_share": 0.5, "client_is_the_limit": False,
            "messages_per_second": 1000.0, "received_bytes_per_message": 22.0, "server_cpu_share": 1.0, "connections": 10,
            **others}  # fmt: skip


def results_of(**cpu: float) -> Results:
    workload = Workload("echo-20", "echo", "echo", tuple(Run(label, "", ("echo",)) for label in (FLOOR, C)))
    return Results([workload], {"echo-20": {FLOOR: {0: reading(cpu["floor"])}, C: {0: reading(cpu["c"])}}})


def verdict(limit: float, workload: str = "echo-20") -> goals.Verdict:
    return goals.judge(results_of(floor=1.0, c=1.03), [Goal("g", workload, C, limit, FLOOR)])[0]


def test_a_goal_is_met_up_to_its_limit() -> None:
    assert verdict(1.03).is_met is True
    assert verdict(1.02).is_met is False


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert verdict(1.03, "fan-out-1").is_met is None


def test_every_goal_is_about_something_that_is_measured() -> None:
    peers = [Peer("uWebSockets", "x {port}", "x {port} d", "x {port} t")]
    labels = {workload.key: {run.label for run in workload.runs} for workload in all_workloads(peers, 20_000)}
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
    verdicts = goals.judge(results, [Goal("CPU of the floor", "echo-20", C, 1.03, FLOOR)])
    text = report.markdown(results, verdicts, MACHINE, "method", [])
    assert "| CPU of the floor: echo | ≤ 1.03 | 1.250 | **not met** |" in text
    assert "| Jazzy, C | 2.500 |" in text
    assert "- echo: it ended" in text


def test_the_json_has_every_reading() -> None:
    results = results_of(floor=2.0, c=2.5)
    whole = json.loads(json.dumps(report.as_json(results, [], MACHINE, [{"name": "mask", "ns": 1.0}])))
    assert whole["workloads"][0]["runs"][C][0]["server_cpu_us_per_message"] == 2.5
    assert whole["machine"] == MACHINE and whole["micro"][0]["name"] == "mask"


def test_the_plot_shows_multiples_of_the_floor() -> None:
    assert ratios(results_of(floor=2.0, c=2.5)) == {"echo": {C: 1.25}}
