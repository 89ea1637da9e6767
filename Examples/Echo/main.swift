// Sends texts back, and says what happens to connections.
import ExampleSupport
import JazzySwift

Route.ws("/echo") { ws, event, message in
    switch event {
    case .open:
        print("New connection established!")
        ws.send("Welcome to the Jazzy Echo Server!")
    case .message:
        if message.kind == .text { ws.send("You said: " + message.text) }
    case .close:
        print("Connection closed.")
    case .error:
        print("An error occurred.")
    }
}

await serve()
