// A game of sixty steps a second: a page at http://localhost:8080/ plays it. At /game a client sends a byte whenever it
// holds down other keys (Directions, in World.swift), and gets a snapshot after each step (Snapshot.swift).
import ExampleSupport
import JazzySwift

// Little waits in the kernel, so that the game soon sees who is late.
let options = JazzyRouteOptions(maxMessageSize: 16, kernelSendLimit: 4_096, idleTimeout: .after(.seconds(10)))
let controls = Controls()
let game = Game(controls: controls)

Route.ws("/game", options: options) { ws, event, message in
    switch event {
    case .open:
        controls.join(ws)
    case .message where message.kind == .binary || message.kind == .text:
        let bytes = Array(message.bytes)
        guard message.kind == .binary, bytes.count == 1 else {
            ws.close(code: 1003, reason: "an input is one byte")
            return
        }
        controls.steer(ws, Directions(rawValue: bytes[0]))
    case .close:
        controls.leave(ws)
    case .message, .error:
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
