/// All rooms. A room is there as long as somebody is in it, or on the way to it.
actor Lobby {
    private var rooms: [String: (room: Room, guests: Int)] = [:]

    func enter(_ name: String) -> Room {
        var (room, guests) = rooms[name] ?? (Room(name: name), 0)
        guests += 1
        rooms[name] = (room, guests)
        return room
    }

    func exit(_ name: String) {
        guard let (room, guests) = rooms[name] else { return }
        rooms[name] = guests > 1 ? (room, guests - 1) : nil
    }
}
