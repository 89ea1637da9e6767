"""Top-level code of a program may await, and it may block: each call resolves to the intended function."""

import pytest

PROGRAMS = {
    "blocking": """
        let server = JazzyServer()
        try server.start(port: 0)
        if let ending = server.stop(grace: .seconds(1)) { print(ending.clean) }
        server.stop(grace: .zero)
    """,
    "blocking, in functions that do not await, where others await": """
        let server = JazzyServer()
        func end() { if let ending = server.stop(grace: .seconds(1)) { print(ending.clean) } }
        try server.start(port: 0)
        try await Task.sleep(for: .seconds(1))
        end()
    """,
    "serving beside tasks": """
        var count = 0
        Task { while true { try await Task.sleep(for: .seconds(1)); count += 1 } }
        Route.ws("/", upgrade: { _ in await MainActor.run { count > 0 } ? .accept() : .reject(503) }) { _, _, _ in }
        try await Jazzy.run(port: 8080)
    """,
    "serving, blocked": """
        Route.ws("/") { _, _, _ in }
        try Jazzy.serve(port: 8080)
    """,
    "awaiting": """
        let server = JazzyServer()
        try server.start(port: 0)
        let ending = await server.stopAndWait(grace: .seconds(1))
        print(ending.clean)
        await server.stopAndWait(grace: .zero)
        try await server.run(port: 0)
        try await server.run(on: [.port(0)], grace: .seconds(1))
        try server.listen()
        try await server.runUntilCancelled()
        await server.waitForEnd()
        try await Jazzy.run(on: [.port(0)], grace: .seconds(1))
    """,
    "in a handler and in an upgrade hook": """
        let server = JazzyServer()
        server.ws("/", upgrade: { [weak server] _ in
            await server?.stopAndWait(grace: .zero)
            return .reject(503)
        }) { [weak server] _, _, _ in server?.stop(grace: .zero) }
        try server.start(port: 0)
    """,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_ends_its_server_either_way(compile_swift, program):
    result = compile_swift(PROGRAMS[program])
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


# What blocks, and what the compiler names instead in asynchronous code.
BLOCKING = {
    "try Jazzy.serve(port: 8080)": "use run(host:port:options:grace:)",
    "try Jazzy.serve(on: [.port(8080)])": "use run(on:options:grace:)",
    "try server.serve(port: 8080)": "use run(host:port:untilSignal: true)",
    "try server.serve(on: [.port(8080)])": "use run(on:untilSignal: true)",
    "try server.run()": "use runUntilCancelled(grace:), or run(on:grace:), which listens, too",
    "try server.runUntilSignal()": "use runUntilCancelled(untilSignal: true)",
    "server.wait()": "use waitForEnd()",
    "server.stop(grace: .zero)": "use stopAndWait(grace:)",
    "try server.stop(code: 1012)": "use stopAndWait(code:reason:spread:grace:)",
}
PLACES = {
    "at the top level, where others await": "await Task.yield()\n{}",
    "in a task": "Task {{ {} }}",
    "in a function that is awaited": "do {{ func end() async throws {{ {} }} }}",
}


@pytest.mark.parametrize("place", PLACES)
def test_what_blocks_is_an_error_in_asynchronous_code_and_names_what_does_not(compile_swift, place):
    lines = [PLACES[place].format(call) for call in BLOCKING]
    result = compile_swift("let server = JazzyServer()\n" + "\n".join(lines))
    assert result.returncode != 0
    for call, instead in BLOCKING.items():
        assert f"is unavailable from asynchronous contexts; {instead}" in result.stderr, call
