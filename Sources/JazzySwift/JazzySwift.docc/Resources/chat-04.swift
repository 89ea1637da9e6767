import JazzySwift

Route.ws("/chat/:room") { ws, event, message in
    if event == .open, let room = ws.parameters["room"] {
        ws.subscribe(room)
        ws.send("Welcome to \(room)!")
    }
    if event == .message, message.kind == .text {
        for room in ws.topics { Jazzy.publish(room, message.text) }
    }
}

await Jazzy.runOrExit(port: 8080)
