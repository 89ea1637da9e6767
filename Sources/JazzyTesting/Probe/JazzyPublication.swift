import JazzySwift

/// A message that was published to a topic.
public struct JazzyPublication: Hashable, Sendable {
    /// The topic.
    public let topic: String

    /// The message.
    public let message: WsOwnedMessage

    /// Creates a publication, to compare it with one.
    public init(_ topic: String, _ message: WsOwnedMessage) {
        self.topic = topic
        self.message = message
    }
}

/// A text in quotes is a text message, so that `probe.sent == ["hello"]` compares messages.
extension WsOwnedMessage: ExpressibleByStringInterpolation {
    /// Creates a text message.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}
