// Sends every text to all who are connected.
import ExampleSupport
import JazzySwift
import Synchronization

// Connections are values, so a set of them is all it takes. Several event loops use it, therefore the lock.
let activeClients = Mutex<Set<JazzyWebSocket>>([])

Route.ws("/chat") { ws, event, message in
    switch event {
    case .open:
        _ = activeClients.withLock { $0.insert(ws) }
    case .message:
        guard message.kind == .text else { return }
        let text = "User: " + message.text
        activeClients.withLock { clients in for client in clients { client.send(text) } }
    case .close, .error:
        _ = activeClients.withLock { $0.remove(ws) }
    }
}

await serve()
