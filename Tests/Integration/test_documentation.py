"""The examples of the documentation compile, each on its own, and do what they say."""

import json
import re
import subprocess

import pytest

from support.documentation import docc_examples, example_programs, header_examples, markdown_examples
from support.programs import ROOT, SWIFT_MODULES

MANIFEST_EXAMPLES = [example for example in markdown_examples("swift") if example.code.startswith(".package(")]
MANIFESTS = [example for example in markdown_examples("swift") if example.code.startswith("// swift-tools-version:")]
SWIFT_EXAMPLES = [
    example
    for example in [*markdown_examples("swift"), *docc_examples()]
    if example not in [*MANIFEST_EXAMPLES, *MANIFESTS]
]
C_EXAMPLES = [*markdown_examples("c"), *header_examples()]

# Names that an example may use without declaring them. Each becomes a line before the example.
CONTEXT = {
    "server": "let server = JazzyServer()",
    "options": "var options = JazzyOptions()",
}
# The same of a handler, whose body an example may be.
HANDLER = {"ws", "event", "message"}


def declares(code, name):
    return re.search(rf"\b(let|var|func|in|for) {name}\b|[({{, ]{name}(, \w+)* in\b|\b{name}:", code) is not None


def uses(code, name):
    return re.search(rf"(?<![.\w\"]){name}\b", code) is not None and not declares(code, name)


def standing_alone(code):
    if any(uses(code, name) for name in HANDLER):
        code = f'Route.ws("/") {{ ws, event, message in\n{code}}}\n'
    context = [line for name, line in CONTEXT.items() if uses(code, name)]
    return "\n".join([*context, code])


@pytest.mark.parametrize("example", SWIFT_EXAMPLES, ids=str)
def test_an_example_in_swift_compiles(compile_swift, example):
    result = compile_swift(standing_alone(example.code))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("example", MANIFEST_EXAMPLES, ids=str)
def test_an_example_of_a_manifest_is_one(tmp_path, example):
    dependencies, targets = (
        [line for line in example.code.splitlines() if line.startswith(f".{kind}(")] for kind in ("package", "target")
    )
    (tmp_path / "Package.swift").write_text(
        "// swift-tools-version: 6.2\nimport PackageDescription\n"
        f'let package = Package(name: "App", dependencies: [{"".join(dependencies)}\n], '
        f"targets: [{''.join(targets)}\n])\n"
    )
    result = dump_package(tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("example", MANIFESTS, ids=str)
def test_a_whole_manifest_is_one(tmp_path, example):
    (tmp_path / "Package.swift").write_text(example.code)
    result = dump_package(tmp_path)
    assert result.returncode == 0, result.stderr


def dump_package(folder):
    command = ["swift", "package", "dump-package", "--package-path", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=50)


def complete_program(code):
    """Definitions are unchanged; statements become the body of a function."""
    paragraphs = code.split("\n\n")
    definitions = [paragraph for paragraph in paragraphs if paragraph.startswith(("static ", "#include"))]
    statements = [paragraph for paragraph in paragraphs if paragraph not in definitions]
    headers = ["#include <jazzy.h>", *(["#include <jazzy/tls.h>"] if "jz_tls" in code else [])]
    return "\n".join(
        [*headers, *definitions, "int main(void)\n{\njz_error error;", *statements, "return 0;\n}\n"]
    )


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("example", C_EXAMPLES, ids=str)
def test_an_example_in_c_compiles(tmp_path, example, compiler):
    source = tmp_path / "example.c"
    source.write_text(complete_program(example.code))
    command = [compiler, "-std=c17", "-Wall", "-Wpedantic", "-Werror"]
    command += [f"-I{ROOT}/Sources/{library}/include" for library in ("CJazzyPoll", "CJazzyTLS")]
    result = subprocess.run([*command, "-fsyntax-only", source], capture_output=True, text=True, timeout=50)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("example", SWIFT_EXAMPLES + C_EXAMPLES + example_programs(), ids=str)
def test_an_example_takes_no_ping_for_a_message(example):
    """Pings and pongs are messages, too: handlers of messages must check the kind."""
    handles_messages = re.search(r"event == \.message|case \.message|JZ_EVENT_MESSAGE", example.code)
    assert not handles_messages or re.search(r"message(\.|->)kind", example.code)


def test_there_are_examples_of_every_sort():
    places = [str(example) for example in SWIFT_EXAMPLES + C_EXAMPLES]
    for place in ["README.md", "Sources/JazzySwift/", "Sources/CJazzyPoll/include/jazzy.h"]:
        assert any(found.startswith(place) for found in places), place
    assert MANIFEST_EXAMPLES


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
