import JazzySwift
import JazzyTesting
import Testing

actor Room {
    private(set) var members: Set<JazzyWebSocket> = []
    func join(_ ws: JazzyWebSocket) { members.insert(ws) }
    func leave(_ ws: JazzyWebSocket) { members.remove(ws) }
    func input(_ text: String) { for member in members { member.send(text) } }
}

@Test func isLeft() async throws {
    let room = Room()
    let server = JazzyServer()
    server.ws("/room") { ws, messages in
        await room.join(ws)
        for try await message in messages { await room.input(message.text) }
        await room.leave(ws)
    }
    let (ada, bob) = (JazzyProbe(server, "/room"), JazzyProbe(server, "/room"))
    try await ada.open()
    try await bob.open()
    try await ada.text("Hello, Bob!")
    #expect(bob.sent == ["Hello, Bob!"])
    try await ada.close()
    #expect(await room.members.count == 1)
}
