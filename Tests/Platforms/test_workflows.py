"""The workflows for GitHub are what GitHub can read, and call only targets that the makefiles have."""

import pathlib
import re
import subprocess
import sys
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps_of(workflow: dict) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def jobs() -> dict[str, dict]:
    return {
        name: job
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()
    }


def as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


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

    def test_they_are_as_the_schema_of_workflows_says(self):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_systems_that_people_deploy_on_are_among_them(self):
        linux = jobs()["linux"]["strategy"]["matrix"]
        self.assertEqual(linux["system"], ["jammy", "noble", "bookworm"])  # Ubuntu 22.04 and 24.04, Debian 12
        self.assertEqual(linux["runner"], ["ubuntu-24.04", "ubuntu-24.04-arm"])
        self.assertEqual(jobs()["macos"]["runs-on"], "macos-15")
        self.assertIn("nightly", jobs()["nightly"]["container"])

    def test_git_is_in_a_container_before_the_checkout_and_may_read_it_where_it_is_asked(self):
        for name, job in jobs().items():
            if "container" not in job:
                continue
            steps = [step.get("uses") or step["run"] for step in job["steps"]]
            checkout = next(place for place, step in enumerate(steps) if step.startswith("actions/checkout@"))
            self.assertRegex("\n".join(steps[:checkout]), r"apt-get install .*\bgit\b", name)
            if steps[checkout + 1 :] != ["make test-platforms"]:  # which has no need of git
                self.assertIn("safe.directory", steps[checkout + 1], name)

    def test_what_they_make_is_there(self):
        known = targets()
        called = set()
        for path in WORKFLOWS:
            for run in steps_of(yaml.safe_load(path.read_text(encoding="utf-8"))):
                for goals in re.findall(r"(?:^|&& *)g?make((?: [a-z][a-z0-9-]*(?![\w=-]))+)", run, re.MULTILINE):
                    called |= set(goals.split())
        everywhere = {"test", "lint", "test-c", "test-swift", "test-platforms", "install-redis"}
        self.assertTrue(everywhere | {"nightly-redis", "nightly-resuming"} <= called)
        self.assertEqual(called - known, set())

    def test_two_releases_of_swift_are_named_and_none_is_older_than_what_is_needed(self):
        found = re.search(r"Swift (\d+\.\d+) or later is needed", (ROOT / "Makefile").read_text(encoding="utf-8"))
        needed = as_numbers(found[1])
        for name in ["linux", "macos"]:
            with self.subTest(name):
                versions = [as_numbers(version) for version in jobs()[name]["strategy"]["matrix"]["swift"]]
                self.assertEqual(len(set(versions)), 2)
                self.assertGreaterEqual(min(versions), needed)

    def test_on_macos_the_make_of_homebrew_is_called(self):
        for name, job in jobs().items():
            if not job["runs-on"].startswith("macos"):
                continue
            runs = "\n".join(step.get("run", "") for step in job["steps"])
            self.assertRegex(runs, r"brew install (.* )?make\b", name)
            self.assertNotRegex(runs, r"(?m)(^|&& *)make ", name)


if __name__ == "__main__":
    unittest.main()
