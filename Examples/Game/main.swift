// A game of sixty steps a second: a page at http://localhost:8080/ plays it. At /game a client sends a byte whenever it
// holds down other keys (Directions, in World.swift), and gets a snapshot after each step (Snapshot.swift).
import ExampleSupport
import JazzySwift

// Little waits in the kernel, so that the game soon sees who is late.
let options = JazzyRouteOptions(
    maxMessageSize: 16, controlMessages: false, kernelSendLimit: 4_096, idleTimeout: .after(.seconds(10)))
let controls = Controls()
let game = Game(controls: controls)

Route.ws("/game", options: options) { ws, event, message in
    switch event {
    case .open:
        controls.join(ws)
    case .message:
        guard message.kind == .binary, message.count == 1 else {
            ws.close(code: .unsupportedData, reason: "an input is one byte")
            return
        }
        controls.steer(ws, Directions(rawValue: message.span[0]))
    case .close:
        controls.leave(ws)
    case .error:
        break
    }
}
Route.get("/", .html(gamePage))

try await withThrowingTaskGroup { group in
    group.addTask { try await game.run() }
    group.addTask { await serve() }
    try await group.next()
    group.cancelAll()
}
