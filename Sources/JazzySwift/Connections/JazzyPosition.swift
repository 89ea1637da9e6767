import CJazzyPoll

/// A place in the history of a topic: behind the message with that offset.
///
/// Messages have the offsets 1, 2, 3 and so on, under an epoch, which is another one when the topic was forgotten as a
/// whole, and when the server starts anew: a position never means two messages. A client keeps the one of the last
/// message that it has, as text, and brings it along when it comes back: `9f3c00000000a001:57`.
public struct JazzyPosition: Hashable, Sendable {
    /// A random number.
    public var epoch: UInt64
    /// Of the message before; 0: the first message follows.
    public var offset: UInt64

    /// Creates a position, for instance to test a handler.
    public init(epoch: UInt64, offset: UInt64) {
        self.epoch = epoch
        self.offset = offset
    }

    init(_ core: jz_position) {
        self.init(epoch: core.epoch, offset: core.offset)
    }

    var core: jz_position { jz_position(epoch: epoch, offset: offset) }
}

extension JazzyPosition: LosslessStringConvertible {
    /// Reads exactly what ``description`` writes; `nil`: the text is anything else.
    public init?(_ description: String) {
        var position = jz_position()
        guard withCharacters(of: description, { jz_position_parse($0, $1, &position) }) else { return nil }
        self.init(position)
    }

    /// The epoch, as 16 hexadecimal digits, a colon and the offset, as a decimal number.
    public var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(JZ_POSITION_SIZE)) { text in
            guard let start = text.baseAddress else { return "" }
            jz_position_format(core, start)
            return String(cString: start)
        }
    }
}

/// How a subscription to a topic with history has begun: ``JazzyConnection/subscribe(_:since:announcing:enveloping:)``.
public struct JazzySubscribed: Hashable, Sendable {
    /// ``JazzySendStatus/sent`` if it is done, or ``JazzySendStatus/queued`` if it is on its way to the connection's
    /// event loop: then the rest says how it begins. ``JazzySendStatus/dropped``, and nothing was done: the topic has no
    /// history, there is no memory, or ``JazzyOptions/mailboxLimit`` is reached. ``JazzySendStatus/closed``: the
    /// connection is closing or gone.
    public let status: JazzySendStatus
    /// Whether all that was missed follows, and then what is published. `false`: nothing old follows, and the client
    /// reloads its state.
    public let recovered: Bool
    /// How many kept messages come first.
    public let count: Int
    /// Before the first message that follows: each one adds 1 to the offset.
    public let position: JazzyPosition
    /// Whether a broker that keeps the histories is asked first: then how it begins is not known yet, and the rest is
    /// zero. The client is told by the text of `announcing`, before the messages.
    public let isPending: Bool

    init(_ status: jz_send_status, _ core: jz_subscribed) {
        self.status = JazzySendStatus(status)
        recovered = core.has_recovered
        count = core.count
        position = JazzyPosition(core.position)
        isPending = core.is_pending
    }
}
