import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from redis_runner import main as redis_main
from redis_runner import report
from redis_runner.crowd import reach, shares
from redis_runner.goals import GOALS, judge
from redis_runner.wire import text_frame
from runner.servers import Failure

MACHINE = {"date": "2026-01-01", "commit": "abc", "processor": "p", "cores": "2", "memory": "1 GiB", "kernel": "k"}


@pytest.mark.parametrize(
    ("figures", "readings"),
    [
        ({"of_redis_benchmark": 0.9}, (0.9,)),  # taken once
        ({"of_redis_benchmark": 0.9, "of_redis_benchmark_rounds": [0.8, 0.9, 1.0]}, (0.8, 0.9, 1.0)),
        ({"of_redis_benchmark": None, "of_redis_benchmark_rounds": []}, ()),
        ({}, ()),
    ],
)
def test_a_goal_is_judged_by_its_rounds(figures: dict[str, Any], readings: tuple[float, ...]) -> None:
    judged = {each.text: each for each in judge({"rate": figures})}
    assert judged["publishing rate of one process, of redis-benchmark's"].readings == readings


def test_what_was_not_measured_is_not_judged() -> None:
    assert judge({}) == []
    assert {each.is_least for each in judge({"rate": {}})} == {True, False}


def test_every_goal_is_about_something_that_is_measured() -> None:
    plan = redis_main.plan_of(redis_main.arguments(["--quick"]))
    assert {goal.path[0] for goal in GOALS} <= redis_main.measurements(plan, []).keys()


def test_connections_are_shared_by_servers() -> None:
    assert shares(100_000, 6) == [16667, 16667, 16667, 16667, 16666, 16666]


def test_a_message_reaches_the_first_the_middle_and_the_last() -> None:
    assert reach(1_000_000, [4_000_000, 2_000_000, 3_000_000]) == {"first": 1.0, "median": 2.0, "p99": 3.0, "last": 3.0}


def test_a_command_is_a_masked_frame() -> None:
    frame = text_frame(b"subscribe 0 5")
    mask = frame[2:6]
    assert frame[:2] == bytes([0x81, 0x80 | 13])
    assert bytes(byte ^ mask[i % 4] for i, byte in enumerate(frame[6:])) == b"subscribe 0 5"


def test_what_was_measured_before_is_kept_when_only_a_part_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "latest.json"
    path.write_text(json.dumps({"results": {"latency": 1, "storm": 2}}))
    assert redis_main.merged(path, {"storm": 3}, is_partial=True) == {"latency": 1, "storm": 3}
    assert redis_main.merged(path, {"storm": 3}, is_partial=False) == {"storm": 3}


def test_a_measurement_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no measurement begins with 'nothing'"):
        redis_main.main(["--only", "nothing", "--output", str(tmp_path)])


def test_a_crowd_that_descriptors_do_not_suffice_for_is_refused() -> None:
    with pytest.raises(Failure, match="descriptors"):
        redis_main.plan_of(redis_main.arguments(["--connections", "100000000"]))


def test_the_page_calculates_with_what_was_measured() -> None:
    results: dict[str, Any] = {}
    for path in report.USED.values():
        place = results
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = 12.5
    page = report.page(results, MACHINE)
    assert page is not None and '"own_bytes": 12.5' in page and report.PLACE_OF_FIGURES not in page


FIGURES = {"own_bytes": 1000, "kernel_bytes": 3000, "publish_us": 10, "receive_us": 20, "deliver_us": 4,
           "redis_publish_us": 1, "redis_subscriber_us": 0.5}  # fmt: skip
ASSUMPTIONS = {"connections": 1e6, "rate": 1, "receivers": 1, "size": 100, "memory": 4, "cores": 4, "load": 50}


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node to calculate as a browser does")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # A publication for each delivery: 10 + 20 + 4 µs, a million times a second, on cores that are half busy.
        ({}, {"servers": 17, "cores": 34, "published": 1e6, "delivered": 1e6, "reached": 1, "redis": 3}),
        # Nearly quiet: 4 GB of memory.
        ({"rate": 1e-6}, {"servers": 1, "memory": 4e9}),
        ({"rate": 1e-6, "connections": 1e7}, {"servers": 10, "memory": 4e10}),
    ],
)
def test_the_page_counts_memory_and_processors(changes: dict[str, float], expected: dict[str, float]) -> None:
    function = re.search(r"^function calculate.*?^}", report.PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert function is not None
    script = (
        f"const headerBytes = 54; {function[0]}\n"
        f"console.log(JSON.stringify(calculate({json.dumps(ASSUMPTIONS | changes)}, {json.dumps(FIGURES)})))"
    )
    finished = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    assert {key: json.loads(finished.stdout)[key] for key in expected} == pytest.approx(expected)


def test_without_a_figure_there_is_no_page() -> None:
    assert report.page({"latency": {"added_us": {"p50": 1.0}}}, MACHINE) is None


def test_the_markdown_has_goals_and_figures() -> None:
    results = {"storm": {"part_of_a_core": 0.25}, "rate": {"cpu_of_bare": 1.0, "cpu_of_bare_rounds": [0.9, 1.1]}}
    titles = {"storm": "topics that come and go", "rate": "publishing"}
    text = report.markdown(results, titles, MACHINE, "method")
    assert "| CPU of publishing by itself, of bare hiredis's | ≤ 1.3 | 1.000 | 0.900–1.100 | 2 | met |" in text
    assert "cpu of bare rounds" not in text
    assert "| part of a core for 10,000 topics a second that come and go | ≤ 0.2 | 0.250 | – | 1 | **not met** |" in text
    assert "## Topics that come and go" in text and "| part of a core | 0.25 |" in text
