import JazzySwift

struct Guest {
    let name: String
    let room: String
}

let limits = JazzyRouteOptions(
    maxMessageSize: 2_000, backpressureLimit: 65_536, backpressurePolicy: .close, idleTimeout: .after(.seconds(60)))

Route.ws(
    "/chat/:room", options: limits, state: Guest.self,
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

let page = """
    <!doctype html><meta charset="utf-8"><title>Chat</title>
    <ul></ul><form><input autofocus placeholder="Say something"></form>
    <script>
    const name = prompt("Who are you?")
    const socket = new WebSocket(`ws://${location.host}/chat/lobby?name=${encodeURIComponent(name)}`)
    const input = document.querySelector("input")
    const show = text => document.querySelector("ul").appendChild(document.createElement("li")).textContent = text
    socket.onmessage = event => show(event.data)
    socket.onclose = () => show("The connection has ended.")
    document.querySelector("form").onsubmit = event => {
        event.preventDefault()
        socket.send(input.value)
        input.value = ""
    }
    </script>
    """
Route.get("/", .html(page))

await Jazzy.runOrExit(port: 8080)
