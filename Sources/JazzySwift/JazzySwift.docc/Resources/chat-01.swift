import JazzySwift

Route.ws("/chat") { ws, event, message in
    if event == .open { ws.send("Welcome!") }
}

try await Jazzy.run(port: 8080)
