import CJazzyPoll

// From now on the connection gets every message of the topic, its own included, or is closed with code 4010.
extension JazzyConnection where Self: ~Escapable {
    /// Subscribes the connection to a topic with history, from a position on: it is sent what it has missed, and then
    /// what is published, without a gap; or nothing old, if that cannot be.
    ///
    /// ```swift
    /// Jazzy.history("prices", keep: 100, for: .seconds(300))
    /// Route.ws("/prices") { ws, event, message in
    ///     guard event == .open else { return }
    ///     let since = ws.request?.queryValue("since").flatMap(JazzyPosition.init)
    ///     ws.subscribe("prices", since: since, announcing: true)
    /// }
    /// ```
    ///
    /// From then on it gets every message of the topic, its own included, or is closed with code 4010 if it does not keep
    /// up: <doc:History> has the guarantees. It is decided at once, also on other threads: nothing that is published
    /// later changes it. A connection that is subscribed already is sent what follows the position all the same.
    ///
    /// Only where the ``JazzyOptions/broker`` keeps the histories of several processes, and has to be asked, it is
    /// pending: ``JazzySubscribed/isPending``. Then the connection is subscribed, and sent all of this, when the broker
    /// has answered, within 10 s; ``JazzyConnection/unsubscribe(_:)`` before that ends it.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - since: The position of the last message that the client has. `nil`: it has none, and begins with the next
    ///     message. It may come from anywhere: what is no position of the topic is not recovered.
    ///   - announcing: Whether the client is first sent a text with the result, for instance
    ///     `{"epoch":"9f3c00000000a001","offset":57,"recovered":true,"count":2}`. The default is `false`.
    ///   - enveloping: Whether the client is told of each message from which topic it is, because it has several, or gets
    ///     other messages, too: `{"t":"prices","o":58,"d":"…"}`. The text with the result then has `"t":"prices"`, too.
    ///     Of several subscriptions to one topic, the last one counts. The default is `false`.
    /// - Returns: How the subscription has begun.
    @discardableResult
    public func subscribe(
        _ topic: String, since: JazzyPosition?, announcing: Bool = false, enveloping: Bool = false
    ) -> JazzySubscribed {
        var options = jz_subscribe_options()
        options.announces = announcing
        options.envelops = enveloping
        if let since {
            options.has_since = true
            options.since = since.core
        }
        return subscribe(topic, options)
    }

    /// Subscribes the connection to a topic with history, and first sends it the last messages: for who comes anew.
    ///
    /// Between them and what is published from then on nothing is missed, and nothing is twice. Otherwise it is as
    /// ``subscribe(_:since:announcing:enveloping:)``.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - recent: How many messages at most; fewer if fewer are kept.
    ///   - announcing: Whether the client is first sent a text with the result. The default is `false`.
    ///   - enveloping: Whether the client is told of each message from which topic it is. The default is `false`.
    /// - Returns: How the subscription has begun.
    @discardableResult
    public func subscribe(
        _ topic: String, recent: Int, announcing: Bool = false, enveloping: Bool = false
    ) -> JazzySubscribed {
        var options = jz_subscribe_options()
        options.announces = announcing
        options.envelops = enveloping
        options.recent = max(recent, 0)
        return subscribe(topic, options)
    }

    private func subscribe(_ topic: String, _ options: jz_subscribe_options) -> JazzySubscribed {
        var subscribed = jz_subscribed()
        let status = withCharacters(of: topic) { name, length in
            withUnsafePointer(to: options) { jz_ws_subscribe_from(webSocket.core, name, length, $0, &subscribed) }
        }
        return JazzySubscribed(status, subscribed)
    }
}
