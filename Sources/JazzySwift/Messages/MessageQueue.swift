/// Messages, first in, first out, with the number of their bytes. Taking one does not move the others.
struct MessageQueue: Sendable {
    private var messages: [WsOwnedMessage?] = []
    private var first = 0
    private(set) var bytes = 0

    var count: Int { messages.count - first }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ message: WsOwnedMessage) {
        messages.append(message)
        bytes += message.count
    }

    mutating func popFirst() -> WsOwnedMessage? {
        guard first < messages.count, let message = messages[first] else { return nil }
        messages[first] = nil
        first += 1
        bytes -= message.count
        if first == messages.count {
            // What a burst needed is given back.
            messages.removeAll(keepingCapacity: messages.count <= 256)
            first = 0
        }
        return message
    }
}
