// Rooms to chat in: ws://localhost:8080/rooms/NAME, with a token in `Authorization: Bearer TOKEN`, or in the cookie
// `session`. Command.swift has what clients say, and what they are told. Who comes back with the position that it has counted
// (`?since=EPOCH:OFFSET:room%20NAME`, as `jazzy.js` does) misses nothing that was said.
import ExampleSupport
import JazzySwift

let accounts = Accounts(["token-of-ada": "Ada", "token-of-grace": "Grace", "token-of-alan": "Alan"])
let options = JazzyRouteOptions(
    maxMessageSize: 4_096, backpressurePolicy: .close, idleTimeout: .after(.seconds(60)),
    subprotocols: ["jazzy.resume.1"], messageRate: .perSecond(5, burst: 20, exceeding: .close))

Jazzy.history(Room.prefix, keep: Room.kept, for: .seconds(300))
Jazzy.onPresence(prefix: Room.prefix, Room.tell)
Route.client("/jazzy.js")

Route.ws(
    "/rooms/:room", options: options, state: Guest.self,
    upgrade: { request in
        guard let room = request.parameters["room"].flatMap(roomName) else { return .reject(404) }
        guard let token = request.token, let name = await accounts.name(forToken: token) else {
            return .reject(401, headers: ["WWW-Authenticate": "Bearer"])
        }
        return .accept(Guest(name: name, room: room, since: request.position(of: Room.prefix + room)))
    }
) { ws, messages in
    try await Room(name: ws.state.room).receive(ws.webSocket, of: ws.state, messages)
}

await serve()
