import json
from pathlib import Path
from typing import Any

import goals


def write(path: Path, whole: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(whole))


def servers(key: str, cpu: float, on: str) -> dict[str, Any]:
    def runs(value: float) -> list[dict[str, float]]:
        return [{"server_cpu_us_per_message": value}] * 2

    return {"machine": {"date": on, "commit": "abc"}, "micro": [],
            "workloads": [{"key": key, "title": f"the {key}", "runs": {"floor": runs(1.0), "Jazzy, C": runs(cpu)}}]}  # fmt: skip


def test_every_part_is_in_one_table_with_its_own_date(tmp_path: Path) -> None:
    write(tmp_path / "latest.json", servers("echo-20", 1.0, "2026-01-01"))
    write(tmp_path / "redis" / "latest.json", {"machine": {}, "results": {"storm": {"part_of_a_core": 0.1}}})
    goal = {"goal": "all of them, s", "limit": 5, "is_least": False, "readings": [4.0, 6.0]}
    write(tmp_path / "resume.json", {"machine": {"date": "2026-01-03"}, "goals": [goal]})
    text = goals.markdown(tmp_path, quick=False)
    assert "| CPU per message of the floor: the echo-20 | ≤ 1.03 | 1.000 | 1.000–1.000 | 2 | met | – | – |" in text
    assert "| part of a core for 10,000 topics a second that come and go | ≤ 0.2 | 0.100 | – | 1 | met | – | – |" in text
    assert "| all of them, s | ≤ 5 | 5.000 | 4.000–6.000 | 2 | within noise | – | – |" in text
    assert "`make bench-resume` | 2026-01-03 |" in text
    assert "`make bench-scrape` | never |" in text


def test_a_quick_run_has_a_table_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "latest.json", servers("echo-20", 1.0, "2026-01-01"))
    assert "the echo-20" not in goals.markdown(tmp_path, quick=True)
    write(tmp_path / "quick.json", servers("echo-20", 1.0, "2026-01-01"))
    assert "the echo-20" in goals.markdown(tmp_path, quick=True)


def test_runs_before_are_told_of_and_judged_together(tmp_path: Path) -> None:
    for cpu in (0.9, 1.01, 1.02, 1.2):
        write(tmp_path / "latest.json", servers("echo-20", cpu, "2026-01-01"))
        goals.keep(tmp_path)
    line = "| CPU per message of the floor: the echo-20 | ≤ 1.03 | 1.200 | 1.200–1.200 | 2 | **not met** | 1.020, 1.010 |"
    text = goals.markdown(tmp_path, quick=False)
    # Of six readings two are beyond the limit.
    assert f"{line} within noise |" in text
    assert "This run: 0 met, 0 within noise, 1 not met" in text
    assert "Together with the runs before: 0 met, 1 within noise, 0 not met" in text
    assert len(json.loads((tmp_path / goals.KEPT).read_text())) == goals.RUNS


def test_a_goal_whose_limit_has_changed_has_no_runs_before(tmp_path: Path) -> None:
    goal = {"goal": "all of them, s", "limit": 5, "is_least": False, "readings": [4.0, 6.0]}
    for limit, readings in ((5, [4.0, 6.0]), (4, [3.0, 3.0])):
        write(tmp_path / "resume.json", {"machine": {}, "goals": [goal | {"limit": limit, "readings": readings}]})
        goals.keep(tmp_path)
    assert "| all of them, s | ≤ 4 | 3.000 | 3.000–3.000 | 2 | met | – | – |" in goals.markdown(tmp_path, quick=False)
