import JazzySwift

// What the handler and its server have done.
extension JazzyProbe {
    /// The server's response to the request for a WebSocket, also if it was a refusal; `nil` if there is none yet.
    public var response: JazzyTestResponse? { wire.state.value.response }

    /// Whether the connection is open, as the client sees it.
    public var isOpen: Bool { wire.state.value.isOpen }

    /// The texts and binary messages that have come from the server, in order, whoever sent them.
    ///
    /// ```swift
    /// #expect(probe.sent == ["It rains.", WsOwnedMessage([1, 2, 3])])
    /// ```
    public var sent: [WsOwnedMessage] { wire.state.value.sent }

    /// The payloads of the pings that have come from the server. The probe has answered them.
    public var pings: [[UInt8]] { wire.state.value.pings }

    /// The payloads of the pongs that have come from the server.
    public var pongs: [[UInt8]] { wire.state.value.pongs }

    /// What was published on the probe's server, in order: by handlers, and by the server itself.
    public var published: [JazzyPublication] { host.network.published }

    /// The topics that the connection is subscribed to; none when it has ended.
    public var topics: Set<String> { Set(webSocket?.topics ?? []) }

    /// Code and reason of the server's close frame; `nil` if there was none.
    public var closeFrame: JazzyTestClose? { wire.state.value.closeFrame }

    /// How the connection ended, as the handler's close event says; `nil` if it has not ended.
    public var closed: WsClose? { handled?.close }

    /// What went wrong with the connection, as the handler's error event says; `nil` if nothing did.
    public var failure: WsError? { handled?.failure }

    /// What the handler has thrown, in order. Each is followed by a close with 1011.
    public var thrown: [any Error] { handled?.thrown ?? [] }

    /// The handle of the connection, as the handler has it; `nil` before it is open. Valid for ever, as any.
    public var webSocket: JazzyWebSocket? { wire.state.value.record?.ws }

    private var handled: ConnectionRecord.State? { wire.state.value.record?.state.value }
}
