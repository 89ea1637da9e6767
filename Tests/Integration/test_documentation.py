"""The documentation: its links, what it says of everything public, and names that there are."""

import json
import re
import subprocess

import pytest

from support.documentation import every_example, example_programs
from support.programs import ROOT, SWIFT_MODULES


@pytest.mark.parametrize("example", [*every_example(), *example_programs()], ids=str)
def test_an_example_takes_no_ping_for_a_message(example):
    """Pings and pongs are messages, too: handlers of messages must check the kind."""
    handles_messages = re.search(r"event == \.message|case \.message|JZ_EVENT_MESSAGE", example.code)
    assert not handles_messages or re.search(r"message(\.|->)kind", example.code)


@pytest.fixture(scope="module")
def symbols(tmp_path_factory):
    """Everything public of JazzySwift, in a folder as DocC takes it."""
    folder = tmp_path_factory.mktemp("symbols")
    target = json.loads(subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True).stdout)
    command = ["swift", "symbolgraph-extract", "-module-name", "JazzySwift", *SWIFT_MODULES]
    command += ["-target", target["target"]["unversionedTriple"], "-output-dir", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=50)
    return folder


def public_symbols(symbols):
    return json.loads((symbols / "JazzySwift.symbols.json").read_text())["symbols"]


def test_every_link_of_a_comment_and_of_a_guide_leads_somewhere(symbols, tmp_path):
    catalogue = ROOT / "Sources/JazzySwift/JazzySwift.docc"
    command = ["docc", "convert", catalogue, "--additional-symbol-graph-dir", symbols, "--output-path", tmp_path]
    command += ["--fallback-display-name", "JazzySwift", "--fallback-bundle-identifier", "JazzySwift"]
    result = subprocess.run([*command, "--warnings-as-errors"], capture_output=True, text=True, timeout=50)
    assert result.returncode == 0, result.stdout + result.stderr


def test_everything_public_is_documented(symbols):
    ours = [symbol for symbol in public_symbols(symbols) if "location" in symbol]
    assert ours
    silent = [".".join(symbol["pathComponents"]) for symbol in ours if "docComment" not in symbol]
    assert silent == []


def test_the_readme_names_what_there_is(symbols):
    """The names in its sentences, such as `ws.topics` and `JazzyOptions.threads`."""
    members = {re.sub(r"\(.*", "", symbol["pathComponents"][-1]) for symbol in public_symbols(symbols)}
    text = re.sub(r"^```.*?^```$", "", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`[^`]*?(?<![-/\w])((?:ws|message|request|server|Route|Jazzy\w*|Ws\w+)(?:\.\w+)+)", text)
    unknown = [span for span in spans if not set(span.split(".")[1:]) <= members]
    assert spans and unknown == []
