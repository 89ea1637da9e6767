/// Called with who has come to a topic and who has left it, together: ``JazzyServer/onPresence(_:_:)``.
///
/// - Parameters:
///   - joined: Who has come, or has another info now.
///   - left: Who has left.
public typealias JazzyPresenceHandler = @Sendable (_ joined: [JazzyMember], _ left: [JazzyMember]) -> Void

/// Called with what has changed in a topic: ``JazzyServer/onPresence(prefix:_:)``.
///
/// - Parameters:
///   - change: The topic, and who has come and left.
///   - server: The server, for instance to publish what has changed.
public typealias JazzyPresenceChangeHandler =
    @Sendable (_ change: JazzyPresenceChange, _ server: JazzyServerHandle) -> Void

extension JazzyServer {
    /// Who is there: the members of a topic, in the order in which they have come.
    ///
    /// They are those of one moment. It takes a time in proportion to their number: who has to know whenever somebody
    /// comes asks ``onPresence(_:_:)`` instead. From any thread, also in handlers.
    ///
    /// With a ``JazzyOptions/broker`` they are those of all servers, as far as this one has heard of them: the first
    /// answer about a topic that was of no interest here has only the members of this server. See <doc:Presence>.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    /// - Returns: The members; none if the server does not listen, or if there is no memory.
    public func members(of topic: String) -> [JazzyMember] { listening?.withCalls { $0.members(of: topic) } ?? [] }

    /// How many members a topic has; with a ``JazzyOptions/broker`` on all servers, as ``members(of:)`` says.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    public func memberCount(of topic: String) -> Int { listening?.withCalls { $0.memberCount(of: topic) } ?? 0 }

    /// Tells who comes to a topic and who leaves it.
    ///
    /// ```swift
    /// Jazzy.onPresence("lobby") { joined, left in
    ///     Jazzy.publish("lobby", "\(joined.count) have come, \(left.count) have left")
    /// }
    /// ```
    ///
    /// Changes are told together, about 250 ms after the first of them: N members who come at the same time cost N, not
    /// N times N. What cancels out meanwhile is not told: a client that loses its connection and is back at once has not
    /// left. What is told adds up to ``members(of:)``. When the server ends all leave, which is told last.
    ///
    /// With a ``JazzyOptions/broker`` it tells of the members of all servers, and each server tells its own handlers: what
    /// is to reach the clients of all of them is sent by each to its own (<doc:Presence>).
    ///
    /// The handler is called on a thread of the server that is for this alone, one call at a time: it delays no event
    /// loop, and may block; what happens meanwhile is told together afterwards. It must not wait for the end of its
    /// server, and not capture it, which would keep it forever: ``onPresence(prefix:_:)`` is given a handle.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - handler: Called with the changes, never with none.
    public func onPresence(_ topic: String, _ handler: @escaping JazzyPresenceHandler) {
        add(PresenceRule(topic: topic, isPrefix: false) { change, _ in handler(change.joined, change.left) })
    }

    /// Tells who comes to any topic that begins with a prefix, and who leaves it: one call for each topic with changes.
    ///
    /// ```swift
    /// let server = JazzyServer()
    /// server.onPresence(prefix: "room/") { change, server in
    ///     let names = change.joined.map(\.text).joined(separator: ", ")
    ///     server.publish(change.topic, "\(names) came, \(change.memberCount) are here")
    /// }
    /// ```
    ///
    /// Otherwise it is as ``onPresence(_:_:)``. A server has up to 64 prefixes. With a ``JazzyOptions/broker`` it tells of
    /// the topics with the prefix that have members here, or are otherwise of interest to this server.
    ///
    /// - Parameters:
    ///   - prefix: What the topics begin with, compared byte by byte. Empty: all topics.
    ///   - handler: Called with the changes of one topic, never with none.
    public func onPresence(prefix: String, _ handler: @escaping JazzyPresenceChangeHandler) {
        add(PresenceRule(topic: prefix, isPrefix: true, handler: handler))
    }

    /// The changes of a topic from now on, of which the first says who is there already, as
    /// ``JazzyPresenceChange/joined``, if anybody is.
    ///
    /// ```swift
    /// func follow(_ server: JazzyServer) async {
    ///     for await change in server.presence(of: "lobby") {
    ///         print("\(change.memberCount) are in the lobby")
    ///     }
    /// }
    /// ```
    ///
    /// They are those of ``onPresence(_:_:)``. If the task is slow, what it has not taken becomes one change, so that no
    /// more waits for it than there are members. It ends with the server, or when the task is cancelled. Iterate over it
    /// once.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    /// - Returns: The changes; none if the server does not listen, or has ended.
    public func presence(of topic: String) -> AsyncStream<JazzyPresenceChange> {
        listening?.withCalls { $0.presence(of: topic) } ?? AsyncStream { $0.finish() }
    }
}

extension JazzyServerHandle {
    /// Who is there, in the order in which they have come: ``JazzyServer/members(of:)``.
    public func members(of topic: String) -> [JazzyMember] { withCalls { $0.members(of: topic) } ?? [] }

    /// How many members a topic has: ``JazzyServer/memberCount(of:)``.
    public func memberCount(of topic: String) -> Int { withCalls { $0.memberCount(of: topic) } ?? 0 }

    /// The changes of a topic from now on: ``JazzyServer/presence(of:)``.
    public func presence(of topic: String) -> AsyncStream<JazzyPresenceChange> {
        withCalls { $0.presence(of: topic) } ?? AsyncStream { $0.finish() }
    }
}

extension Jazzy {
    /// Who is there, in a topic of the default application: ``JazzyServer/members(of:)``.
    public static func members(of topic: String) -> [JazzyMember] { server.members(of: topic) }

    /// How many members a topic of the default application has: ``JazzyServer/memberCount(of:)``.
    public static func memberCount(of topic: String) -> Int { server.memberCount(of: topic) }

    /// Tells who comes to a topic of the default application and who leaves it: ``JazzyServer/onPresence(_:_:)``.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - handler: Called with the changes, never with none.
    public static func onPresence(_ topic: String, _ handler: @escaping JazzyPresenceHandler) {
        server.onPresence(topic, handler)
    }

    /// Tells who comes to any topic of the default application that begins with a prefix, and who leaves it:
    /// ``JazzyServer/onPresence(prefix:_:)``.
    ///
    /// - Parameters:
    ///   - prefix: What the topics begin with, compared byte by byte. Empty: all topics.
    ///   - handler: Called with the changes of one topic, never with none.
    public static func onPresence(prefix: String, _ handler: @escaping JazzyPresenceChangeHandler) {
        server.onPresence(prefix: prefix, handler)
    }

    /// The changes of a topic of the default application from now on: ``JazzyServer/presence(of:)``.
    public static func presence(of topic: String) -> AsyncStream<JazzyPresenceChange> { server.presence(of: topic) }
}

/// Who is told of the members of a topic. It is registered as routes are.
struct PresenceRule: JazzyRoute {
    let topic: String
    let isPrefix: Bool
    let handler: JazzyPresenceChangeHandler

    /// Only for the log: no path is registered.
    var path: String { "of the presence in \(topic)" }
}
