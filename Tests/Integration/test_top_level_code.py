"""Top-level code of a program may await, and it may block: each call resolves to the intended function."""

import pytest

PROGRAMS = {
    "blocking": """
        let server = JazzyServer()
        try server.start(port: 0)
        if let ending = server.stop(grace: .seconds(1)) { print(ending.clean) }
        server.stop(grace: .zero)
    """,
    "blocking, where others await": """
        let server = JazzyServer()
        try server.start(port: 0)
        try await Task.sleep(for: .seconds(1))
        if let ending = server.stop(grace: .seconds(1)) { print(ending.clean) }
        server.stop(grace: .zero)
        server.wait()
    """,
    "awaiting": """
        let server = JazzyServer()
        try server.start(port: 0)
        let ending = await server.stopAndWait(grace: .seconds(1))
        print(ending.clean)
        await server.stopAndWait(grace: .zero)
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
