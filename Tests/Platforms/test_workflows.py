"""The workflows for GitHub can be read, and call only targets that the makefiles have."""

import pathlib
import re
import subprocess
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps_of(workflow: dict) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def targets() -> set[str]:
    command = ["make", "--no-print-directory", "-qp", "help"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"^([a-z][a-z0-9-]*):", printed, re.MULTILINE))


class Workflows(unittest.TestCase):
    def test_they_are_workflows(self):
        self.assertTrue(WORKFLOWS)
        for path in WORKFLOWS:
            with self.subTest(path.name):
                workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
                # "on" is a boolean in YAML 1.1, as this reader understands it.
                self.assertTrue({"name", True, "jobs"} <= set(workflow))
                for name, job in workflow["jobs"].items():
                    self.assertIn("runs-on", job, name)
                    self.assertIn("timeout-minutes", job, name)
                    self.assertEqual([step for step in job["steps"] if not {"run", "uses"} & set(step)], [])

    def test_what_they_make_is_there(self):
        known = targets()
        called = set()
        for path in WORKFLOWS:
            for run in steps_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
                called |= set(re.findall(r"(?:^|&& *)make ([a-z][a-z0-9-]*)", run, re.MULTILINE))
        self.assertTrue({"test", "lint", "test-c", "test-swift", "test-platforms"} <= called)
        self.assertEqual(called - known, set())


if __name__ == "__main__":
    unittest.main()
