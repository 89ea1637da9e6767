"""CONFORMANCE.md names a test for every requirement, and every test that it names is there."""

import re
import subprocess
from functools import cache

import pytest

from support.programs import CONFORMANCE, ROOT

DOCUMENT = (ROOT / "CONFORMANCE.md").read_text()
FOLDERS = ("Tests/Conformance", "Tests/CJazzyPollTests", "Tests/Integration", "Tests/JazzySwiftTests")

# The last cell of each row of a table with a column of tests.
HEADINGS = "| § | level | requirement | tests |", "| § | what the RFC says | what the core does, and why | tests |"


def rows_of_tables():
    """The rows below each of the headings, as lists of cells."""
    rows = []
    is_within = False
    for line in DOCUMENT.splitlines():
        is_within = line in HEADINGS or (is_within and line.startswith("|"))
        if is_within and line not in HEADINGS and not line.startswith("| ---"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def references(text):
    """The tests that a text names, as pairs of a file and a name."""
    return [tuple(found.split("::", 1)) for found in re.findall(r"`([\w.]+\.\w+::[^`]+)`", text)]


REFERENCES = sorted(set(references(DOCUMENT)))


@cache
def conformance_rows():
    listed = subprocess.run([CONFORMANCE, "--list"], check=True, capture_output=True, text=True).stdout
    rows = {}
    for line in listed.splitlines():
        file, name = line.split("::", 1)
        rows.setdefault(file, []).append(name)
    return rows


def source_of(file):
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob(file)]
    assert len(found) == 1, f"{file} is in {found}"
    return found[0].read_text()


def is_row_of_the_suite(file, name):
    pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
    return any(pattern.fullmatch(row) for row in conformance_rows()[file])


def is_test_of_a_file(file, name):
    """A function that is a test, or a row of a table in quotes, or both in pytest's way, function[row]."""
    source = source_of(file)
    if file.endswith(".py"):
        function, _, row = name.partition("[")
        is_there = re.search(rf"^(async )?def {re.escape(function)}\(", source, re.MULTILINE)
        return bool(is_there) and (not row or f'"{row.removesuffix("]")}"' in source)
    return f"cmocka_unit_test({name})" in source or f'"{name}"' in source


@pytest.mark.parametrize(("file", "name"), REFERENCES, ids=["::".join(each) for each in REFERENCES])
def test_every_test_that_is_named_exists(file, name):
    if file in conformance_rows():
        assert is_row_of_the_suite(file, name), f"no row of {file} is named '{name}'"
    else:
        assert is_test_of_a_file(file, name), f"{file} has no test named '{name}'"


def test_every_requirement_names_its_tests():
    rows = rows_of_tables()
    assert len(rows) > 100
    assert not [row for row in rows if not references(row[-1])]


def test_every_file_of_the_suite_is_named():
    assert not [file for file in conformance_rows() if f"`{file}" not in DOCUMENT]
