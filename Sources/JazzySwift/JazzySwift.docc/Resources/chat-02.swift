import JazzySwift

Route.ws("/chat") { ws, event, message in
    if event == .open { ws.send("Welcome!") }
    if event == .message, message.kind == .text { ws.send("You said: " + message.text) }
}

await Jazzy.runOrExit(port: 8080)
