"""The folders of the Swift module: which of them use the C core, and their purposes; and the folders of tests."""

import re
import subprocess
from collections import Counter

import pytest

from support.programs import ROOT

MODULE = ROOT / "Sources/JazzySwift"
TESTING = ROOT / "Sources/JazzyTesting"


def folders_in(folder):
    return {entry.name for entry in folder.iterdir() if entry.is_dir()}


def check(folder):
    command = [ROOT / "Scripts/check-core-imports", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=50)


def test_only_two_folders_import_the_core():
    result = check(MODULE)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("place", "line", "is_allowed"),
    [
        ("Core/CoreCall.swift", "import CJazzyPoll", True),
        ("Connections/JazzyWebSocket.swift", "import CJazzyPoll", True),
        ("Server/JazzyServer.swift", "import CJazzyPoll", False),
        ("Server/Core/Other.swift", "import CJazzyPoll", False),
        ("Route.swift", "import CJazzyPoll", False),
        ("Routes/Route.swift", "@_exported import CJazzyPoll", False),
        ("Messages/WsMessage.swift", "internal import struct CJazzyPoll.jz_message", False),
        ("Handshake/JazzyRequest.swift", "import Synchronization; import CJazzyPoll", False),
        ("Handshake/JazzyRequest.swift", "// Not: import CJazzyPoll", True),
        ("Handshake/JazzyRequest.swift", "import CJazzyPollTests", True),
    ],
)
def test_an_import_elsewhere_is_found(tmp_path, place, line, is_allowed):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"// One line.\n{line}\n")
    result = check(tmp_path)
    assert result.returncode == (0 if is_allowed else 1)
    if not is_allowed:
        assert f"./{place}:2:{line}" in result.stderr
        assert "move what uses it to a file there" in result.stderr


@pytest.mark.parametrize("module", [MODULE, TESTING], ids=lambda module: module.name)
def test_contributing_says_what_each_folder_is_for(module):
    rows = re.findall(r"^\| `([\w.]+)/` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert folders_in(module) <= set(rows)


@pytest.mark.parametrize(
    ("tests", "sources", "others"),
    [
        ("Tests/JazzySwiftTests", MODULE, {"Support"}),
        ("Tests/JazzyTestingTests", TESTING, {"Guide", "Support"}),
        ("Tests/CJazzyPollTests", ROOT / "Sources/CJazzyPoll", {"support", "behaviour"}),
        ("Tests/CJazzyTLSTests", ROOT / "Sources/CJazzyTLS", {"support", "behaviour"}),
        ("Tests/CJazzyRedisTests", ROOT / "Sources/CJazzyRedis", {"support", "behaviour"}),
    ],
)
def test_tests_have_the_folders_of_what_they_test(tests, sources, others):
    assert folders_in(ROOT / tests) <= folders_in(sources) | others
    assert not [entry for entry in (ROOT / tests).iterdir() if entry.is_file()], "a test that is in no folder"


def test_no_two_unit_tests_have_the_same_name():
    names = Counter(path.name for path in (ROOT / "Tests").glob("CJazzy*Tests/**/test_*.c"))
    assert not [name for name, count in names.items() if count > 1], "their programs would be the same"
