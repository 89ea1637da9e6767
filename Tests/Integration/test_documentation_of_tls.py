"""
The Swift examples of JazzyTLS run, each with the files that it names, and a client visits it by TLS. The certificates are
made as the guide says.
"""

import re
import shlex
import ssl
import subprocess

import pytest

from support.documentation import docc_examples, markdown_examples
from support.playing import play
from support.programs import C_BUILD, IS_SANITIZED, ROOT, SWIFT_MODULES, swift_objects
from support.swift_examples import on_this_machine, paths_of

pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="the compiler's time; whole servers over TLS run sanitized")

EXAMPLES = [
    example
    for example in [*markdown_examples(), *docc_examples()]
    if example.language == "swift" and (example.module == "JazzyTLS" or "JazzyTransport" in example.code)
]

COMMANDS = [example for example in markdown_examples() if example.code.startswith("openssl req ")]

# Files of certificates and of their keys, with what is different from those of the guide's command.
FILES = {
    ("chain.pem", "key.pem"): "",
    ("fullchain.pem", "privkey.pem"): "",
    ("chat.pem", "chat.key"): "",
    ("chat-rsa.pem", "chat-rsa.key"): "-newkey rsa:2048",
    ("others.pem", "others.key"): "",
    ("admin.pem", "admin.key"): "-addext subjectAltName=DNS:admin.example.com",
}

# What follows an example that does not serve, by a line of it; the first is used.
MADE = "try JazzyTLS(certificates: [JazzyTLS.Certificate(chain: {chain}, key: {key})])"
MADE_OF_CHAIN = MADE.format(chain="chain", key='"privkey.pem"')
OF_FILES = MADE.format(chain='"chain.pem"', key='"key.pem"')
ROUTE = 'Route.ws("/") { ws, event, _ in if event == .open { ws.send("Welcome!") } }\n'
SERVE = 'try Jazzy.serve(on: [.tls(port: 0, certificate: "chain.pem", key: "key.pem")])'
ENDINGS = {
    r"^func serve\(": f"{ROUTE}try serve(Jazzy.server)",
    r"^func listen\(": f"try listen(Jazzy.server, with: {OF_FILES}.transport)\ntry Jazzy.server.runUntilSignal()",
    r"^func deferred\(": """
        let refused = deferred("chain.pem") { _ throws(JazzyError) in throw JazzyError(.invalidOption, "it is no chain") }
        do {
            try Jazzy.server.listen(on: [.over(refused, .port(0))])
            fatalError("nothing was thrown")
        } catch where error.message.contains("it is no chain") {
            """
    + f"{SERVE}\n}}",
    r"\bserve\(": "",
    r"^let address = ": f"{ROUTE}try Jazzy.serve(on: [address])",
    r"^let chain: ": f"{ROUTE}let tls = {MADE_OF_CHAIN}\n"
    + "try Jazzy.serve(on: [.tls(tls, port: 0)])",
    r"^let tls = ": f"{ROUTE}try Jazzy.serve(on: [.tls(tls, port: 0)])",
    r"\bRoute\.ws\(": SERVE,
}


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """The module and all that it needs, built once from its sources: no program of ours has it."""
    folder = tmp_path_factory.mktemp("library")
    modules = [*SWIFT_MODULES, "-I", ROOT / "Sources/CJazzyTLS/include"]
    command = ["swiftc", "-swift-version", "6", "-parse-as-library", "-module-name", "JazzyTLS", *modules]
    command += ["-package-name", re.sub(r"\W", "_", ROOT.name.lower()), *ROOT.glob("Sources/JazzyTLS/*.swift")]
    command += ["-emit-module", "-emit-module-path", folder / "JazzyTLS.swiftmodule", "-emit-library", *swift_objects()]
    command += [C_BUILD / "libcjazzytls.a", "-lssl", "-lcrypto", "-lz", "-o", folder / "libJazzyTLS.so"]
    subprocess.run(command, check=True, timeout=200)
    return [*modules, "-I", folder, folder / "libJazzyTLS.so", "-Xlinker", f"-rpath={folder}"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with all files that examples name, made by the guide's command."""
    folder = tmp_path_factory.mktemp("certificates")
    (example,) = COMMANDS
    for (chain, key), changes in FILES.items():
        words = shlex.split(example.code.replace("\\\n", ""))
        words[words.index("chain.pem")], words[words.index("key.pem")] = chain, key
        for option, value in zip(*[iter(shlex.split(changes))] * 2, strict=True):
            words[words.index(option) + 1] = value
        if "rsa" in changes:
            del words[words.index("-pkeyopt") : words.index("-pkeyopt") + 2]
        subprocess.run(words, check=True, capture_output=True, timeout=50, cwd=folder)
    (folder / "meters-ca.pem").write_bytes((folder / "chain.pem").read_bytes())
    return folder


def context(folder):
    """A client that trusts all of them, and has a certificate itself."""
    tls = ssl.create_default_context()
    for chain, _ in FILES:
        tls.load_verify_locations(folder / chain)
    tls.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    return tls


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_runs(linked, certificates, tmp_path, example):
    for path in certificates.iterdir():
        (tmp_path / path.name).symlink_to(path)
    ending = next(end for sign, end in ENDINGS.items() if re.search(sign, example.code, re.MULTILINE))
    program = on_this_machine(example.code, tmp_path) + ending
    source = tmp_path / "main.swift"
    source.write_text(f"import JazzySwift\nimport JazzyTLS\n{program}")
    command = ["swiftc", "-swift-version", "6", source, *linked, "-o", tmp_path / "example"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr

    # Which of two ports has TLS is not known; who has no route has no page either.
    has_one_port = "func listen(" not in example.code
    paths, pages = (paths_of(program), {"/nothing": 404}) if has_one_port else ([], {})
    tls = context(certificates)
    played = await play(tmp_path / "example", paths, [["hello"]], pages=pages, tls=tls, ends_in_order=True)
    assert (played.was_serving, played.code) == (True, 0), played.errors
    assert played.pages == pages
    assert [visit.path for visit in played.visits if visit.is_let_in] == paths
    assert all(visit.received for visit in played.visits), "it has sent something"
