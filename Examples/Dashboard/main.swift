// What a server does, ten times a second: a page at http://localhost:8080/ draws it. Messages.swift has what viewers
// ask for at /feed, and what they get.
import ExampleSupport
import JazzySwift

struct Viewer { var hasMissed = false }

// A viewer that does not keep up misses samples, and nobody waits for it. Small buffers, because old samples are of no
// use: what waits is at most some seconds old. Each sample is compressed once, for all viewers.
let options = JazzyRouteOptions(
    maxMessageSize: 1_024, deflate: .shared, backpressureLimit: 4_096, kernelSendLimit: 4_096,
    backpressurePolicy: .report)

Route.ws(
    "/feed", options: options, state: { Viewer() },
    onDrain: { ws in
        if ws.state.hasMissed { try ws.send(json: Update.missed) }
        ws.state.hasMissed = false
    },
    onDrop: { ws in
        ws.state.hasMissed = true
        ws.log(.warning, "misses samples")
    }
) { ws, event, message in
    guard event == .message, message.kind == .text else { return }
    do {
        switch try message.decode(Command.self) {
        case .subscribe(let topics): for topic in topics { ws.subscribe(topic.rawValue) }
        case .unsubscribe(let topics): for topic in topics { ws.unsubscribe(topic.rawValue) }
        }
    } catch let error as WsDecodingError {
        try ws.send(json: Update.refused(reason: "\(error)"))
    }
}

Route.get("/", .html(dashboardPage))

try await withThrowingTaskGroup { group in
    group.addTask { try await Feed(server: Jazzy.server).run() }
    group.addTask { await serve() }
    try await group.next()
    group.cancelAll()
}
