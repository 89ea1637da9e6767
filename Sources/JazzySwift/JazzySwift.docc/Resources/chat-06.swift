import JazzySwift

struct Guest {
    let name: String
    let room: String
}

Route.ws(
    "/chat/:room", state: Guest.self,
    upgrade: { request in
        guard let name = request.queryValue("name"), !name.isEmpty, name.count <= 20 else {
            return .reject(400, body: .text("Your name is missing, or too long: ?name=Ada\n"))
        }
        return .accept(Guest(name: name, room: request.parameters["room"] ?? "lobby"))
    }
) { ws, event, message in
    switch event {
    case .open:
        ws.subscribe(ws.state.room)
        ws.send("Welcome to \(ws.state.room), \(ws.state.name)!")
        ws.publish(ws.state.room, "\(ws.state.name) has come.")
    case .message where message.kind == .text:
        Jazzy.publish(ws.state.room, "\(ws.state.name): \(message.text)")
    case .close:
        ws.publish(ws.state.room, "\(ws.state.name) has left.")
    case .message, .error:
        break
    }
}

await Jazzy.runOrExit(port: 8080)
