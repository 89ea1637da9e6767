import JazzySwift
import Synchronization

/// Adds the four routes of the README's walk-through to the server of `Jazzy`: `/echo`, `/status`, `/feed`, `/chat`.
// swift-format-ignore
public func addFourRoutes() {
    Route.ws("/echo") { ws, event, message in
        switch event {
        case .open:    ws.send("Welcome to the Jazzy Echo Server!")
        case .message: if message.kind == .text { ws.send("You said: " + message.text) }
        case .close:   print("Connection closed.")
        case .error:   print("An error occurred.")
        }
    }

    Route.ws("/status") { ws, event, message in
        guard event == .message, message.kind == .text else { return }
        switch message.text {
        case "ping":   ws.send("pong")
        case "status": ws.send("Server is running smoothly!")
        default:       ws.send("Unknown command.")
        }
    }

    Route.ws("/feed") { ws, event, _ in
        if event == .open { try ws.send(json: Welcome()) }
    }

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
}

private struct Welcome: Encodable {
    let type = "welcome"
    let user_id = 12345
    let message = "Connected to the live feed."
}

private let activeClients = Mutex<Set<JazzyWebSocket>>([])
