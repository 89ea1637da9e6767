// Rooms to chat in: ws://localhost:8080/rooms/NAME, with a token in `Authorization: Bearer TOKEN`, or in the cookie
// `session`. Command.swift has what clients say, and what they are told.
import ExampleSupport
import Foundation
import JazzySwift

let accounts = Accounts(["token-of-ada": "Ada", "token-of-grace": "Grace", "token-of-alan": "Alan"])
let lobby = Lobby()
let options = JazzyRouteOptions(
    maxMessageSize: 4_096, backpressurePolicy: .close, idleTimeout: .after(.seconds(60)),
    messageRate: .perSecond(5, burst: 20, exceeding: .close))

@Sendable func admit(_ request: JazzyRequest) async throws -> JazzyUpgrade {
    guard let room = request.parameters["room"], isRoomName(room) else { return .reject(404) }
    guard let token = request.token, let name = await accounts.name(forToken: token) else {
        return .reject(401, headers: ["WWW-Authenticate": "Bearer"])
    }
    return .accept(state: Guest(name: name, room: room))
}

/// What becomes of a guest, from the first to the last message.
@Sendable func welcome(_ guest: Guest, _ ws: JazzyWebSocket) async {
    let room = await lobby.enter(guest.room)
    do {
        try await room.join(ws, as: guest.name)
        for await text in guest.texts {
            if let command = try? JSONDecoder().decode(Command.self, from: Data(text.utf8)) {
                try await room.obey(command, from: ws)
            } else {
                try ws.send(json: Announcement.refused(reason: "That is not a command."))
            }
        }
    } catch {
        ws.log(.error, "\(error)")
        ws.close(code: 1011)
    }
    await room.leave(ws)
    await lobby.exit(guest.room)
}

Route.ws("/rooms/:room", options: options, upgrade: admit, state: { Guest.nobody }) { ws, event, message in
    let guest = ws.state
    let socket = ws.webSocket
    switch event {
    case .open:
        Task { await welcome(guest, socket) }
    case .message where message.kind == .text:
        guest.input.yield(message.text)
    case .close:
        guest.input.finish()
    case .message, .error:
        break
    }
}

await serve()
