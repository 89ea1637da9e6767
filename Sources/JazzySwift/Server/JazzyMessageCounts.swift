/// A number for each kind of message.
public struct JazzyMessageCounts: Hashable, Sendable {
    /// The number of text messages.
    public var text = 0
    /// The number of binary messages.
    public var binary = 0
    /// The number of pings.
    public var ping = 0
    /// The number of pongs.
    public var pong = 0

    /// Creates counts of 0.
    public init() {}

    /// The number of a kind.
    public subscript(kind: WsMessageKind) -> Int {
        get {
            switch kind {
            case .text: text
            case .binary: binary
            case .ping: ping
            case .pong: pong
            }
        }
        set {
            switch kind {
            case .text: text = newValue
            case .binary: binary = newValue
            case .ping: ping = newValue
            case .pong: pong = newValue
            }
        }
    }

    /// The sum of all kinds.
    public var total: Int { text + binary + ping + pong }
}
