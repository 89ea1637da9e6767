// Answers commands, which are texts.
import ExampleSupport
import JazzySwift

Route.ws("/status") { ws, event, message in
    guard event == .message, message.kind == .text else { return }
    switch message.text {
    case "ping": ws.send("pong")
    case "status": ws.send("Server is running smoothly!")
    default: ws.send("Unknown command.")
    }
}

await serve()
