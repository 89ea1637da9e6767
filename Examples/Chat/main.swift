// The four routes of the README's walk-through, and a page to chat on, with a room of its own. `chat --port N` chooses
// another port than 8080.
import ChatRoom
import ExampleSupport
import JazzySwift
import Synchronization

// swift-format-ignore
Route.ws("/echo") { ws, event, message in
    switch event {
    case .open:    ws.send("Welcome to the Jazzy Echo Server!")
    case .message: if message.kind == .text { ws.send("You said: " + message.text) }
    case .close:   print("Connection closed.")
    case .error:   print("An error occurred.")
    }
}

// swift-format-ignore
Route.ws("/status") { ws, event, message in
    guard event == .message, message.kind == .text else { return }
    switch message.text {
    case "ping":   ws.send("pong")
    case "status": ws.send("Server is running smoothly!")
    default:       ws.send("Unknown command.")
    }
}

// swift-format-ignore
struct Welcome: Encodable { let type = "welcome"; let user_id = 12345; let message = "Connected to the live feed." }
Route.ws("/feed") { ws, event, _ in
    if event == .open { try ws.send(json: Welcome()) }
}

let activeClients = Mutex<Set<JazzyWebSocket>>([])
Route.ws("/chat") { ws, event, message in
    switch event {
    case .open: _ = activeClients.withLock { $0.insert(ws) }
    case .message where message.kind == .text:
        let text = "User: " + message.text
        activeClients.withLock { clients in for client in clients { client.send(text) } }
    case .message: break
    case .close, .error: _ = activeClients.withLock { $0.remove(ws) }
    }
}

// The page's room: the same with a topic. Messages have the member's name, from the page. A page that is left says so;
// if it cannot, because its tab or its network is lost, the server tells the room, after at most 30 s.
struct Member { var name: String? }
let roomOptions = JazzyRouteOptions(idleTimeout: .after(.seconds(30)))
Route.ws("/room", options: roomOptions, state: { Member() }) { ws, event, message in
    if event == .open { ws.subscribe("room") }
    if event == .message, message.kind == .text {
        let text = message.text
        ws.state.name = nameToKeep(of: ws.state.name, saying: text)
        Jazzy.publish("room", text)
    }
    if case .close = event, let name = ws.state.name {
        Jazzy.publish("room", name + "'s connection is lost.")
    }
}

Route.get("/", .html(chatPage))

await serve()
