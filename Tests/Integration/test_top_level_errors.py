"""
What ends a program at its top level is one line on standard error and exit code 1, and no crash report. And what hangs in
an upgrade hook is told, too.
"""

import re
import signal
import socket
import subprocess

import pytest

from support.deadline import eventually
from support.deployment import free_port, is_listening
from support.documentation import markdown_examples
from support.frames import TEXT
from support.process import catches_signal
from support.programs import IS_REPEATED, SWIFT_MODULES, swift_objects
from support.raw import RawConnection, open_websocket, upgrade_request

pytestmark = pytest.mark.skipif(IS_REPEATED, reason="programs are linked as users link them")

README = next(example.code for example in markdown_examples() if example.file == "README.md")

SLOW_HOOK = """
    import JazzySwift
    var options = JazzyOptions()
    options.upgradeTimeout = .milliseconds(100)
    Route.ws("/room/:id", upgrade: { _ in try await Task.sleep(for: .seconds(3600)); return .accept() }) { _, _, _ in }
    await Jazzy.runOrExit(port: 8080, options: options)
"""

PROGRAMS = {
    "slow hook": SLOW_HOOK,
    "readme": README,
    "blocking": """
        import JazzySwift
        Route.ws("/echo") { _, _, _ in }
        Jazzy.exitOnError { try Jazzy.serve(port: 8080) }
    """,
    "variables of the top level": """
        import JazzySwift
        var attempts = 0
        let name = await Jazzy.exitOnError { try await Task.sleep(for: .zero); attempts += 1; return "the program" }
        print(name, "has tried", attempts, "times")
        let server = JazzyServer()
        await Jazzy.exitOnError { try await server.run(on: [.port(8080)], untilSignal: true) }
    """,
    "main": """
        import JazzySwift
        struct Failure: Error, CustomStringConvertible { let description = "there is no database: start it first" }
        func connect() async throws { throw Failure() }
        @main struct App {
            static func main() async {
                await Jazzy.exitOnError {
                    try await connect()
                    try await Jazzy.run(port: 8080)
                }
            }
        }
    """,
}


@pytest.fixture
def build(tmp_path):
    """Links one of the programs with the library, for a port."""

    def build_program(name, port):
        is_library = "@main" in PROGRAMS[name]
        source = tmp_path / ("App.swift" if is_library else "main.swift")
        source.write_text(PROGRAMS[name].replace("8080", str(port)))
        flags = ["-swift-version", "6", *(["-parse-as-library"] if is_library else [])]
        command = ["swiftc", *flags, "-o", tmp_path / "app", *SWIFT_MODULES, source, *swift_objects(), "-lz"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert (result.returncode, result.stderr) == (0, "")
        return tmp_path / "app"

    return build_program


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_error_is_told_in_one_line(build, name):
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = subprocess.run([build(name, port)], capture_output=True, text=True, timeout=50)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    if name == "main":
        assert line == "app: there is no database: start it first"
    else:
        assert line.startswith(f"app: cannot listen on any address, port {port}: the port is in use; ")
    assert result.stdout == ("the program has tried 1 times\n" if name.startswith("variables") else "")


def test_without_an_error_the_readmes_program_serves_until_it_is_told_to_end(build):
    port = free_port()
    with subprocess.Popen([build("readme", port)], stderr=subprocess.PIPE) as program:
        eventually(lambda: is_listening(port) and catches_signal(program.pid, signal.SIGTERM), "it serves")
        with open_websocket(port) as connection:
            connection.send_frame(TEXT, b"hello")
            assert connection.read_frame().payload == b"You said: hello"
        program.send_signal(signal.SIGTERM)
        assert (program.wait(50), program.stderr.read()) == (0, b"")


def test_a_hook_that_does_not_answer_in_time_is_told_with_its_route(build):
    port = free_port()
    with subprocess.Popen([build("slow hook", port)], stderr=subprocess.PIPE, text=True) as program:
        eventually(lambda: is_listening(port) and catches_signal(program.pid, signal.SIGTERM), "it serves")
        with RawConnection(port) as connection:
            connection.send(upgrade_request("/room/7"))
            assert connection.read_response().status == 503
        program.send_signal(signal.SIGTERM)
        assert program.wait(50) == 0
        line = r"jazzy: warning: 127\.0\.0\.1:\d+: refused: the upgrade hook of /room/:id did not answer within 100 ms .*\n"
        assert re.fullmatch(line, program.stderr.read())
