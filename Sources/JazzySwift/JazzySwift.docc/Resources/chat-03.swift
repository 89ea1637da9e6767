import JazzySwift

Route.ws("/chat") { ws, event, message in
    if event == .open {
        ws.subscribe("chat")
        ws.send("Welcome!")
    }
    if event == .message, message.kind == .text { Jazzy.publish("chat", message.text) }
}

await Jazzy.runOrExit(port: 8080)
