import JazzySwift

/// All rooms. A room is there as long as somebody is in it, or on the way to it; what was said in it stays a while longer.
actor Lobby {
    private var rooms: [String: (room: Room, guests: Int)] = [:]

    /// A guest's visit to a room, until the connection ends.
    func receive(_ guest: Guest, _ ws: JazzyWebSocket, _ messages: WsMessages) async throws {
        let room = enter(guest.room)
        defer { exit(guest.room) }
        try await room.receive(ws, of: guest, messages)
    }

    private func enter(_ name: String) -> Room {
        var (room, guests) = rooms[name] ?? (Room(name: name), 0)
        guests += 1
        rooms[name] = (room, guests)
        return room
    }

    private func exit(_ name: String) {
        guard let (room, guests) = rooms[name] else { return }
        rooms[name] = guests > 1 ? (room, guests - 1) : nil
    }
}
