import CJazzyPoll

extension JazzyConnection where Self: ~Escapable {
    /// Subscribes the connection to a topic as somebody: everybody can see that it is there
    /// (``JazzyServer/members(of:)``), and is told when it comes and when it leaves
    /// (``JazzyServer/onPresence(_:_:)``); with a ``JazzyOptions/broker`` on all servers.
    ///
    /// It is a member until it unsubscribes or ends, in whichever way. A connection that is subscribed already becomes a
    /// member, and stays subscribed as it is, for instance ``subscribe(_:since:announcing:enveloping:)``; one that is a member has
    /// this key and info from now on. See <doc:Presence>.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - member: Who it is. Connections with the same key are one member, whose info is what was given last.
    /// - Returns: ``JazzySendStatus/sent`` if it is done; ``JazzySendStatus/queued`` if it is counted as a member, and its
    ///   subscription is on its way to the connection's event loop; or ``JazzySendStatus/closed``.
    /// - Throws: ``JazzyError`` if the key or the info is too long, if the topic has ``JazzyOptions/maxMembers``, if all
    ///   members take ``JazzyOptions/presenceLimit``, if ``JazzyOptions/mailboxLimit`` is reached, or if there is no
    ///   memory. Then nothing was done.
    @discardableResult
    public func subscribe(_ topic: String, as member: JazzyMember) throws(JazzyError) -> JazzySendStatus {
        var error = jz_error()
        let status = withCharacters(of: topic) { name, length in
            member.withCore { jz_ws_subscribe_as(webSocket.core, name, length, $0, &error) }
        }
        guard status != JZ_SEND_DROPPED else { throw JazzyError(ofMember: error) }
        return JazzySendStatus(status)
    }

    /// Subscribes the connection to a topic as a member of its own, of which a text is told:
    /// ``subscribe(_:as:)-(_,JazzyMember)`` without a key.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - info: What is told of it.
    /// - Returns: The same.
    /// - Throws: The same.
    @discardableResult
    public func subscribe(_ topic: String, as info: String) throws(JazzyError) -> JazzySendStatus {
        try subscribe(topic, as: JazzyMember(info: info))
    }

    /// Subscribes the connection to a topic as a member of its own, of which a value is told, as JSON:
    /// ``subscribe(_:as:)-(_,JazzyMember)`` without a key. It is encoded with ``JazzyRouteOptions/coders``.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - info: What is told of it.
    /// - Returns: The same.
    /// - Throws: The same, or `EncodingError`.
    @discardableResult
    public func subscribe(_ topic: String, as info: some Encodable) throws -> JazzySendStatus {
        try subscribe(topic, as: JazzyMember(json: info, coders: coders))
    }
}
