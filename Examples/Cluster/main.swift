// The chat's room, in several processes that share it through Redis: `make cluster N=4` starts them, and the page shows
// on which one it is, and who is there on all of them. `REDIS_URL` says where Redis is, if not here; needs hiredis (`libhiredis-dev`).
import ChatRoom
import FoundationEssentials
import JazzyRedis
import JazzySwift

let environment = ProcessInfo.processInfo.environment
let number = environment["CLUSTER_PROCESS"] ?? "1 of 1"
let process = "process \(number), with the pid \(ProcessInfo.processInfo.processIdentifier)"

var options = JazzyOptions()
options.broker = .redis(environment["REDIS_URL"] ?? "redis://127.0.0.1:6379") { topic, _ in
    print("process \(number): messages of other processes to \"\(topic)\" may be missing")
}

/// Who is there, on all processes.
func people() -> String { "Here are\n" + Jazzy.members(of: "people").map(\.key).sorted().joined(separator: "\n") }

/// Who has a name is there, with several tabs once.
func note(_ ws: JazzyWebSocket, is name: String?) throws {
    guard let name else {
        ws.unsubscribe("people")
        return
    }
    try ws.subscribe("people", as: JazzyMember(key: name))
    ws.send(people())
}

// Each process tells its own clients: what is published reaches those of all.
Jazzy.onPresence("people") { _, _ in
    for ws in Jazzy.connections(in: "people") { ws.send(people()) }
}

struct Member { var name: String? }
let roomOptions = JazzyRouteOptions(idleTimeout: .after(.seconds(30)))
Route.ws("/room", options: roomOptions, state: { Member() }) { ws, event, message in
    if event == .open {
        ws.send("You are on \(process).")
        ws.subscribe("room")
    }
    if event == .message, message.kind == .text {
        let text = message.text
        let name = nameToKeep(of: ws.state.name, saying: text)
        if name != ws.state.name { try note(ws.webSocket, is: name) }
        ws.state.name = name
        Jazzy.publish("room", text)
    }
    if case .close = event, let name = ws.state.name {
        Jazzy.publish("room", name + "'s connection is lost.")
    }
}

Route.get("/", .html(chatPage))
Route.get("/process", .text(process + "\n"))

await Jazzy.exitOnError {
    // What starts several processes gives each a socket that listens on their port already.
    try await Jazzy.run(on: [environment["LISTEN_FDS"] == nil ? .port(8080) : .activated], options: options)
}
