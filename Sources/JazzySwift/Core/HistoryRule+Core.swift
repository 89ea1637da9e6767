import CJazzyPoll

extension HistoryRule {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        var options = jz_history_options()
        options.keep = try checked("keep of a history", count, 1...1_000_000)
        options.for_ms = try milliseconds("for of a history", age, from: .seconds(1), to: .seconds(2_592_000))
        options.bytes = try checked("bytes of a history", bytes, 1...4 * gibi)
        try check { error in
            withCharacters(of: prefix) { jz_server_history(core, $0, $1, &options, error) }
        }
        return nil
    }
}

extension BrokerTable {
    /// Throws if there is a history, and the broker does not keep it: then it would be one of this process alone.
    func require(historiesOf routes: [any JazzyRoute]) throws(JazzyError) {
        guard !keepsHistories, let rule = routes.lazy.compactMap({ $0 as? HistoryRule }).first else { return }
        throw JazzyError(
            .invalidOption,
            "a history of \"\(rule.prefix)\" and this broker cannot be together: it keeps no histories, so that each would be one of this process alone; leave out one of both"
        )
    }
}

extension ServerCalls {
    func recent(_ topic: String, _ count: Int) -> JazzyRecent {
        var messages: [WsOwnedMessage] = []
        var position = jz_position()
        withUnsafeMutablePointer(to: &messages) { pointer in
            _ = withCharacters(of: topic) { name, length in
                jz_server_recent(
                    core, name, length, max(count, 0),
                    { messages, kind, bytes, length in
                        let payload = UnsafeRawBufferPointer(start: bytes, count: length)
                        messages?.assumingMemoryBound(to: [WsOwnedMessage].self).pointee.append(
                            WsOwnedMessage(payload, kind: WsMessageKind(kind)))
                    }, pointer, &position)
            }
        }
        return JazzyRecent(messages: messages, position: JazzyPosition(position))
    }
}
