"""What an upgrade hook gives a connection is the state of its route, or the program does not compile."""

import pytest

TYPES = """
    final class Notes { var text = "" }
    struct Seat: Sendable { let room: String; var name = "" }
    func look(_ session: String?) async throws -> String? { session }
"""

ALLOWED = """
    Route.ws("/typed/:id", state: Seat.self, upgrade: { request in
        guard let name = try await look(request.cookie("session")) else { return .reject(401) }
        return .accept(Seat(room: request.parameters["id"] ?? "lobby", name: name))
    }) { ws, event, message in
        if event == .open { ws.subscribe(ws.state.room) }
        ws.state.name += message.text
    }
    Route.ws("/annotated/:id", upgrade: { request -> JazzyAdmission<Seat> in
        guard let name = try await look(request.cookie("session")) else { return .reject(401) }
        return .accept(Seat(room: request.parameters["id"] ?? "lobby", name: name), compression: false)
    }, onDrain: { ws in ws.send(ws.state.room) }) { ws, _, _ in
        ws.send(ws.state.name)
    }
    Route.ws("/short", upgrade: { request in .accept(Seat(room: request.path)) }) { ws, event, message in
        ws.send(ws.state.room)
    }
    Route.ws("/task/:id", state: Seat.self, upgrade: { request in
        guard let name = try await look(request.cookie("session")) else { return .reject(401) }
        return .accept(Seat(room: request.parameters["id"] ?? "lobby", name: name))
    }) { ws, messages in
        for try await message in messages { ws.publish(ws.state.room, message.text) }
        let later = ws
        Task { later.send(later.state.name) }
    }
    Route.ws("/notes", state: Notes.self, upgrade: { request in
        let notes = Notes()
        notes.text = request.path
        return .accept(notes)
    }) { ws, event, message in
        ws.state.text += message.text
    }
    Route.ws("/made", state: { request in Seat(room: request.parameters["id"] ?? "lobby") }) { ws, event, message in
        ws.state.name += message.text
    }
    Route.ws("/as/before", upgrade: { request in
        guard request.cookie("session") != nil else { return .reject(401) }
        return .accept(state: Seat(room: request.path))
    }, state: { Seat(room: "lobby") }) { ws, event, message in
        ws.send(ws.state.room)
    }
    Route.ws("/as/before", upgrade: { _ in .reject(404) }) { ws, event, message in ws.send("") }
    Route.ws("/as/before", upgrade: { _ in .accept() }) { ws, messages in ws.send("") }

    let hook: JazzyAdmissionHook<Seat> = { request in
        guard request.path.count < 100 else { return .reject(404) }
        return .accept(Seat(room: request.path))
    }
    @Sendable func admit(_ request: JazzyRequest) async throws -> JazzyAdmission<Seat> {
        guard let name = try await look(request.cookie("session")) else { return .reject(401) }
        return .accept(Seat(room: request.path, name: name))
    }
    Route.ws("/function", upgrade: admit) { ws, _, _ in ws.send(ws.state.room) }
    Route.ws("/one", upgrade: hook) { ws, _, _ in ws.send(ws.state.room) }
    Route.ws("/two", upgrade: hook) { ws, messages in ws.send(ws.state.room) }
"""

DATA_RACE = "risks causing data races"
FORBIDDEN = {
    "a state of another type": (
        """
        Route.ws("/", state: Seat.self, upgrade: { _ in .accept("lobby") }) { ws, _, _ in ws.send(ws.state.room) }
        """,
        "cannot convert value of type 'String' to expected argument type 'Seat'",
    ),
    "no state": (
        """
        Route.ws("/", state: Seat.self, upgrade: { _ in .accept() }) { ws, _, _ in ws.send(ws.state.room) }
        """,
        "missing argument",
    ),
    "another state than the hook's": (
        """
        func send(_ ws: borrowing JazzyStatefulWebSocket<String>) { ws.send(ws.state) }
        Route.ws("/", upgrade: { _ in .accept(Seat(room: "")) }) { ws, _, _ in send(ws) }
        """,
        "cannot convert value of type 'Seat' to expected argument type 'String'",
    ),
    "a state that the hook still uses": (
        """
        Route.ws("/", state: Notes.self, upgrade: { _ in
            let notes = Notes()
            let admission = JazzyAdmission.accept(notes)
            Task { notes.text += "later" }
            return admission
        }) { ws, _, _ in ws.state.text += "!" }
        """,
        DATA_RACE,
    ),
    "one state for all connections": (
        """
        let shared = Notes()
        Route.ws("/", state: Notes.self, upgrade: { _ in .accept(shared) }) { ws, _, _ in ws.state.text += "!" }
        """,
        "'shared'",
    ),
    "one state for all connections, made from the request": (
        """
        let shared = Notes()
        Route.ws("/", state: { _ in shared }) { ws, _, _ in ws.state.text += "!" }
        """,
        "'shared'",
    ),
    "a state that is shared behind the admission": (
        """
        Route.ws("/", state: Notes.self, upgrade: { _ in
            let admission = JazzyAdmission.accept(Notes())
            Task { print(admission.state?.text ?? "") }
            return admission
        }) { ws, _, _ in ws.state.text += "!" }
        """,
        DATA_RACE,
    ),
    "a state of an actor": (
        """
        actor Keeper {
            let notes = Notes()
            func admit() -> JazzyAdmission<Notes> { .accept(notes) }
        }
        let keeper = Keeper()
        Route.ws("/", state: Notes.self, upgrade: { _ in await keeper.admit() }) { ws, _, _ in ws.state.text += "!" }
        """,
        DATA_RACE,
    ),
    "a hook of the main actor, whose state is not Sendable": (
        """
        Route.ws("/", state: Notes.self, upgrade: { @MainActor _ in .accept(Notes()) }) { ws, _, _ in
            ws.state.text += "!"
        }
        """,
        "conform to 'Sendable' protocol",
    ),
    "a part of the state in a task": (
        """
        Route.ws("/", upgrade: { _ in .accept(Notes()) }) { ws, _, _ in
            let notes = ws.state
            Task { notes.text += "later" }
        }
        """,
        DATA_RACE,
    ),
    "a state for a task that is not Sendable": (
        """
        Route.ws("/", state: Notes.self, upgrade: { _ in .accept(Notes()) }) { ws, messages in ws.send(ws.state.text) }
        """,
        "type 'Notes' does not conform to the 'Sendable' protocol",
    ),
    "a default beside it": (
        """
        Route.ws("/", upgrade: { _ -> JazzyAdmission<Seat> in .reject(404) }, state: { Seat(room: "") }) { ws, _, _ in
            ws.send(ws.state.room)
        }
        """,
        "JazzyAdmission<Seat>",
    ),
}


def test_a_hook_gives_the_state_of_its_route(compile_swift):
    result = compile_swift(TYPES + ALLOWED)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("mistake", FORBIDDEN)
def test_anything_else_does_not_compile(compile_swift, mistake):
    program, complaint = FORBIDDEN[mistake]
    result = compile_swift(TYPES + program)
    assert result.returncode != 0
    assert complaint in result.stderr
