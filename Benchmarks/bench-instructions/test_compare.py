"""The guard itself: what it accepts, what it refuses, and its messages."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import compare

TOOLCHAIN = {"compiler": "gcc 12", "processor": "x86_64"}
BASELINE = {"echo": 1000.0, "handshake": 5000.0}
ENTRIES = [{"toolchain": TOOLCHAIN, "instructions_per_message": BASELINE}]


def judged(now, toolchain=None, tolerance=compare.TOLERANCE):
    """The exit status, standard output, and standard error."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        toolchain = toolchain or TOOLCHAIN
        status = compare.judge(compare.baseline_of(ENTRIES, toolchain), toolchain, now, tolerance)
    return status, out.getvalue(), errors.getvalue()


PROFILE = """\
ob=(1) /lib/libcrypto.so
fl=(1) crypto/aes.c
fn=(1) encrypt
10 5000
ob=(2) program
fl=(2) /work/Sources/a.c
fn=(2) send
+3 20
* 1
cob=(1)
cfi=(1)
cfn=(1)
calls=2 10
* 5000
-2 3
fi=(3) /usr/include/string.h
+1 700
fe=(2)
+1 4
cfi=(4) /work/Sources/b.c
cfn=(3) receive
calls=1 7
+1 30
fn=(4) another
7 2

fl=(4)
fn=(3)
7 30
totals: 5760
"""


class CountingSources(unittest.TestCase):
    def test_only_what_was_compiled_from_the_folder_counts_and_no_calls(self):
        self.assertEqual(compare.count_of_sources(PROFILE, "Sources/"), 20 + 1 + 3 + 4 + 2 + 30)

    def test_nothing_else_does(self):
        self.assertEqual(compare.count_of_sources(PROFILE, "Benchmarks/"), 0)


class Comparing(unittest.TestCase):
    def test_the_same_passes(self):
        self.assertEqual(judged(BASELINE)[0], 0)

    def test_a_little_worse_passes(self):
        status, _, errors = judged(BASELINE | {"echo": 1029.0})
        self.assertEqual((status, errors), (0, ""))

    def test_worse_fails_and_names_the_scenario_and_the_way_out(self):
        status, out, errors = judged(BASELINE | {"echo": 1031.0})
        self.assertEqual(status, 1)
        self.assertIn("+3.10%", out)
        self.assertIn("echo takes 1031.0 instructions per message, 3.1% more", errors)
        self.assertIn("make bench-instructions-baseline", errors)
        self.assertNotIn("handshake", errors)

    def test_less_is_tolerated_where_less_is_asked_for(self):
        status, _, errors = judged(BASELINE | {"echo": 1011.0}, tolerance=0.01)
        self.assertEqual(status, 1)
        self.assertIn("(1.0% are allowed)", errors)
        self.assertEqual(judged(BASELINE | {"echo": 1009.0}, tolerance=0.01)[0], 0)

    def test_every_scenario_that_is_worse_is_named(self):
        _, _, errors = judged({"echo": 2000.0, "handshake": 9000.0})
        self.assertEqual(len(errors.splitlines()), 2)

    def test_a_goal_that_is_missed_fails_even_if_it_was_missed_before(self):
        (scenario, (other, most)), *_ = compare.GOALS.items()
        for ratio, expected in ((most, 0), (most + 0.01, 1)):
            counts = {other: 1000.0, scenario: 1000.0 * ratio}
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
                self.assertEqual(compare.judge(counts, TOOLCHAIN, counts), expected)
            self.assertEqual(scenario in errors.getvalue(), expected == 1)

    def test_better_passes_with_a_hint(self):
        status, out, _ = judged(BASELINE | {"handshake": 4800.0})
        self.assertEqual(status, 0)
        self.assertIn("Better than the baseline by more than is tolerated: handshake.", out)

    def test_one_that_is_better_does_not_make_up_for_one_that_is_worse(self):
        self.assertEqual(judged({"echo": 1100.0, "handshake": 100.0})[0], 1)

    def test_a_scenario_that_was_not_counted_fails(self):
        status, _, errors = judged({"echo": 1000.0})
        self.assertEqual(status, 1)
        self.assertIn("handshake is in the baseline and was not counted", errors)

    def test_a_scenario_without_a_baseline_fails(self):
        status, _, errors = judged(BASELINE | {"ping": 1.0})
        self.assertEqual(status, 1)
        self.assertIn("ping is not in the baseline", errors)

    def test_another_toolchain_is_not_compared(self):
        status, _, errors = judged({"echo": 9999.0}, TOOLCHAIN | {"compiler": "gcc 13"})
        self.assertEqual(status, 0)
        self.assertIn("NOT COMPARED", errors)
        self.assertIn("gcc 13, x86_64", errors)


class Updating(unittest.TestCase):
    def test_the_toolchain_at_hand_is_replaced(self):
        self.assertEqual(
            compare.update(ENTRIES, TOOLCHAIN, {"echo": 1.0}),
            [{"toolchain": TOOLCHAIN, "instructions_per_message": {"echo": 1.0}}],
        )

    def test_other_toolchains_stay(self):
        self.assertEqual(len(compare.update(ENTRIES, TOOLCHAIN | {"compiler": "gcc 13"}, BASELINE)), 2)


class WritingGoals(unittest.TestCase):
    def test_each_goal_is_written_with_what_was_counted(self):
        counts = {name: 1000.0 for scenario, (other, _) in compare.GOALS.items() for name in (scenario, other)}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "goals.json"
            compare.write_goals(path, TOOLCHAIN, counts)
            goals = json.loads(path.read_text(encoding="utf-8"))["goals"]
        self.assertEqual([goal["limit"] for goal in goals], [most for _, most in compare.GOALS.values()])
        self.assertEqual({goal["readings"][0] for goal in goals}, {1.0})


if __name__ == "__main__":
    unittest.main()
