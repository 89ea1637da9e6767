/// The handler that starts a task for each connection of a route with a ``JazzyAsyncHandler``, and fills its inbox.
func startingTasks(
    _ handler: @escaping JazzyAsyncHandler, _ coders: JazzyCoders, _ errors: HandlerErrors,
    _ observer: (any ServerObserver)?
) -> JazzyHandler {
    { ws, event, message in
        if event == .open {
            let given = ws.stateObject
            let surrounded = given as? SurroundedState
            let state = surrounded?.given ?? given as? any GivenState
            let inbox = MessageInbox(ws, given: state, request: KeptRequest(of: ws), observer: observer)
            guard ws.replaceState(given, with: inbox) else {
                ws.close(code: .internalError)
                return
            }
            // Detached: a task that runs a server on the loop's thread has nothing to do with it.
            observer?.begins(taskOf: ws)
            let handler = surrounded.map { within($0.surroundings, handler) } ?? handler
            inbox.handle(in: Task.detached { await run(handler, ws, inbox, errors, observer) })
        }
        guard let inbox = ws.stateObject as? MessageInbox else { return }
        switch event {
        case .open: break
        case .message:
            if message.kind == .text || message.kind == .binary { inbox.append(WsOwnedMessage(message, coders)) }
        case .error(let error): inbox.fail(error)
        case .close(let close): inbox.end(close)
        }
    }
}

private func run(
    _ handler: JazzyAsyncHandler, _ ws: JazzyWebSocket, _ inbox: MessageInbox, _ errors: HandlerErrors,
    _ observer: (any ServerObserver)?
) async {
    do {
        try await MessageInbox.$ofTask.withValue(inbox) { try await handler(ws, WsMessages(inbox: inbox)) }
        if inbox.finish() { await close(ws, .normal) }
        observer?.ends(taskOf: ws, nil)
    } catch {
        let wasThere = inbox.finish()
        errors.tell(ws, wasThere ? .error : .debug, "handler", threw: error)
        if wasThere { await close(ws, .internalError) }
        observer?.ends(taskOf: ws, wasThere ? error : nil)
    }
}

/// If the mailbox of its event loop is full, it is repeated: nobody takes messages any more. A task that has cancelled
/// itself cannot sleep, so another one does.
private func close(_ ws: JazzyWebSocket, _ code: WsCloseCode) async {
    while ws.close(code: code) == .dropped {
        await Task.detached { try? await Task.sleep(for: .milliseconds(10)) }.value
    }
}

/// What an upgrade hook gave to a connection that is handled in a task: a state, and what the task runs in.
final class SurroundedState: GivenState {
    let given: (any GivenState)?
    let surroundings: TaskSurroundings

    init(given: (any GivenState)?, surroundings: @escaping TaskSurroundings) {
        self.given = given
        self.surroundings = surroundings
    }
}

private func within(
    _ surroundings: @escaping TaskSurroundings, _ handler: @escaping JazzyAsyncHandler
) -> JazzyAsyncHandler {
    { ws, messages in try await surroundings { try await handler(ws, messages) } }
}
