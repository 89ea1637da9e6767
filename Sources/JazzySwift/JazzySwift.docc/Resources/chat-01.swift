import JazzySwift

Route.ws("/chat") { ws, event, message in
    if event == .open { ws.send("Welcome!") }
}

await Jazzy.runOrExit(port: 8080)
