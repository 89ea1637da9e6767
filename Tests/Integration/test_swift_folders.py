"""The folders of the Swift module: which of them use the C core, and that CONTRIBUTING.md says what each is for."""

import re
import subprocess

import pytest

from support.programs import ROOT

MODULE = ROOT / "Sources/JazzySwift"


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


def test_contributing_says_what_each_folder_is_for():
    rows = re.findall(r"^\| `(\w+)/` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    folders = {entry.name for entry in MODULE.iterdir()}
    assert folders <= set(rows)
    assert {entry.name for entry in (ROOT / "Tests/JazzySwiftTests").iterdir()} <= folders | {"Support"}
