"""The state of a connection is used without a lock, and the compiler keeps everybody else from it."""

import pytest

# A state that may hold anything, also what no two threads may use at a time.
STATE = """
    final class Notes { var text = "" }
    struct Player { var notes = Notes(); var score = 0 }
"""

ALLOWED = """
    Route.ws("/one", state: { Player() }) { ws, event, message in
        ws.state.score += 1
        ws.state.notes = Notes()
        ws.state.notes.text += message.text
        let (handle, score) = (ws.webSocket, ws.state.score)
        Task { handle.send("\\(score)") }
    }
    Route.ws("/another") { ws, event, message in
        let notes = Notes()
        if event == .open { ws.setState(notes) }
        let text = message.text
        let count = ws.withState { (notes: inout Notes) in
            notes.text += text
            return notes.text.count
        }
        ws.send("\\(count ?? 0)")
    }
"""

ESCAPES_ITS_SCOPE = "escapes its scope"
DATA_RACE = "risks causing data races"
NOT_SENDABLE = "does not conform to the 'Sendable' protocol"
STAYS_SHARED = "'inout sending' parameter '$0' cannot be task-isolated at end of function"
FORBIDDEN = {
    "a part of the state in a task": (
        """
        Route.ws("/", state: { Player() }) { ws, _, _ in
            let notes = ws.state.notes
            Task { notes.text += "later" }
        }
        """,
        DATA_RACE,
    ),
    "what is in the state already in a task": (
        """
        Route.ws("/", state: { Player() }) { ws, _, _ in
            let notes = Notes()
            ws.state.notes = notes
            Task { notes.text += "later" }
        }
        """,
        DATA_RACE,
    ),
    "the connection with its state in a task": (
        """
        Route.ws("/", state: { Player() }) { ws, _, _ in Task { ws.state.score += 1 } }
        """,
        "'ws' " + ESCAPES_ITS_SCOPE,
    ),
    "one state for all connections": (
        """
        let shared = Notes()
        Route.ws("/", state: { shared }) { ws, _, _ in ws.state.text += "!" }
        """,
        "'shared'",
    ),
    "what was set, used on": (
        """
        func open(_ ws: JazzyWebSocket) {
            let notes = Notes()
            ws.setState(notes)
            notes.text += "still mine"
        }
        """,
        DATA_RACE,
    ),
    "a part that is taken out": (
        """
        func take(_ ws: JazzyWebSocket) -> Notes? {
            ws.withState(as: Player.self) { $0.notes }
        }
        """,
        NOT_SENDABLE,
    ),
    "a part that is put elsewhere": (
        """
        func take(_ ws: JazzyWebSocket) -> Notes? {
            var taken: Notes?
            ws.withState(as: Player.self) { taken = $0.notes }
            return taken
        }
        """,
        STAYS_SHARED,
    ),
    "something of others that is put in": (
        """
        func put(_ ws: JazzyWebSocket, _ notes: Notes) {
            ws.withState(as: Player.self) { $0.notes = notes }
        }
        """,
        STAYS_SHARED,
    ),
}


def test_a_handler_may_use_the_state_of_its_connection(compile_swift):
    result = compile_swift(STATE + ALLOWED)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("sharing", FORBIDDEN)
def test_sharing_does_not_compile(compile_swift, sharing):
    program, complaint = FORBIDDEN[sharing]
    result = compile_swift(STATE + program)
    assert result.returncode != 0
    assert complaint in result.stderr
