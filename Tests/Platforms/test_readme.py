"""The table of platforms in the README has each that the makefiles build for, and no other."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Scripts/platforms.mk").read_text(encoding="utf-8")

# By the first cell of each row: the targets of zig, and what the makefiles run on it from here.
ROWS = {
    "Linux, x86-64, glibc": ((), ()),
    "Linux, ARM64, glibc": (("aarch64-linux-gnu",), ("test-arm64",)),
    "Linux, x86-64 and ARM64, musl": (("x86_64-linux-musl", "aarch64-linux-musl"), ("test-musl",)),
    "macOS 15, ARM64 and x86-64": (("aarch64-macos", "x86_64-macos"), ()),
    "FreeBSD 14, x86-64": (("x86_64-freebsd",), ()),
    "Linux, s390x (big-endian)": ((), ("test-big-endian",)),
}


def table() -> list[list[str]]:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Platforms")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


class Readme(unittest.TestCase):
    def test_it_has_a_row_for_each_platform(self):
        self.assertEqual([row[0] for row in table()], list(ROWS))
        self.assertTrue(all(len(row) == 4 and all(row) for row in table()))

    def test_what_is_compiled_for_is_in_it(self):
        targets = re.search(r"^PLATFORMS := (.*)$", MAKEFILE, re.MULTILINE)[1].split()
        self.assertEqual(sorted(targets), sorted(target for zig, _ in ROWS.values() for target in zig))

    def test_what_runs_here_is_what_test_platforms_runs(self):
        recipe = re.search(r"^test-platforms:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[1]
        runs = set(re.findall(r"\b(test-[\w-]+)$", recipe, re.MULTILINE))
        self.assertEqual(runs, {goal for _, goals in ROWS.values() for goal in goals})


if __name__ == "__main__":
    unittest.main()
