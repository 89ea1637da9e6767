import Foundation
import JazzySwift

/// What is told of a room, for those who watch it.
struct Change: Encodable {
    var joined: [[String]]
    var left: [[String]]
    var count: Int

    init(_ change: JazzyPresenceChange) {
        joined = change.joined.map { [$0.key, $0.text] }
        left = change.left.map { [$0.key, $0.text] }
        count = change.memberCount
    }
}

/// Clients of `/room` are members, as their query says; those of `/watch` are told who comes and who leaves.
let server = JazzyServer()
server.ws("/room") { ws, event, message in
    if event == .message, message.text == "leave" { ws.unsubscribe("room") }
    if event == .message, message.text == "end" { ws.terminate() }
    guard event == .open, let request = ws.request else { return }
    let key = request.queryValue("key") ?? ""
    try ws.subscribe("room", as: JazzyMember(key: key, info: request.queryValue("info") ?? ""))
}
server.ws("/watch") { ws, event, _ in
    if event == .open { ws.subscribe("changes") }
}
server.onPresence(prefix: "room") { change, server in
    _ = try? server.publish("changes", json: Change(change))
}
server.get("/members") { _ in
    try .json(server.members(of: "room").map { [$0.key, $0.text] })
}

try server.listen(host: "127.0.0.1", port: 0)
print("listening on port \(server.port)")
fflush(nil)
try await server.runUntilCancelled(untilSignal: true)
