import CJazzyPoll

extension JazzyMember {
    init(_ core: jz_member) {
        let key = UnsafeRawBufferPointer(start: core.key, count: core.key_length)
        self.init(
            key: String(decoding: key, as: UTF8.self),
            info: UnsafeRawBufferPointer(start: core.info, count: core.info_length))
    }

    /// Calls `body` with the core's member, which is valid within the call.
    func withCore<Result>(_ body: (UnsafePointer<jz_member>) -> Result) -> Result {
        withCharacters(of: key) { key, keyLength in
            info.withUnsafeBytes { info in
                withUnsafePointer(
                    to: jz_member(
                        key: key, key_length: keyLength, info: info.baseAddress, info_length: info.count), body)
            }
        }
    }
}

extension JazzyError {
    /// Options have their names in Swift.
    init(ofMember error: jz_error) {
        let core = JazzyError(error)
        let names: KeyValuePairs = [
            "max_member_info": "maxMemberInfo", "max_members": "maxMembers", "presence_limit": "presenceLimit",
            "mailbox_limit": "mailboxLimit",
        ]
        self.init(
            core.code,
            names.reduce(core.message) { message, name in
                message.replacing("option \(name.key) ", with: "option \(name.value) ", maxReplacements: 1)
            })
    }
}

extension JazzyPresenceChange {
    fileprivate init(_ core: jz_presence_change) {
        let name = UnsafeRawBufferPointer(start: core.topic, count: core.topic_length)
        self.init(
            topic: String(decoding: name, as: UTF8.self),
            joined: UnsafeBufferPointer(start: core.joined, count: core.joined_count).map(JazzyMember.init),
            left: UnsafeBufferPointer(start: core.left, count: core.left_count).map(JazzyMember.init),
            memberCount: core.member_count)
    }
}

/// The context of the core's callbacks for changes, which leads to whoever takes them.
private final class PresenceContext: Sendable {
    private let take: @Sendable (JazzyPresenceChange) -> Void
    private let end: @Sendable () -> Void

    init(take: @escaping @Sendable (JazzyPresenceChange) -> Void, end: @escaping @Sendable () -> Void = {}) {
        self.take = take
        self.end = end
    }

    /// The core has a reference of its own, which it gives back when it does not call any more.
    func watch(_ topic: String, isPrefix: Bool, on core: OpaquePointer) throws(JazzyError) -> UInt64 {
        var number: UInt64 = 0
        let context = Unmanaged.passRetained(self)
        do throws(JazzyError) {
            try check { error in
                withCharacters(of: topic) { name, length in
                    var watch = jz_presence_watch(
                        topic: name, topic_length: length, is_prefix: isPrefix, changed: Self.changed,
                        released: Self.released, context: context.toOpaque())
                    return jz_server_on_presence(core, &watch, &number, error)
                }
            }
        } catch {
            context.release()
            throw error
        }
        return number
    }

    private static let changed: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<jz_presence_change>?) -> Void =
        { context, change in
            guard let context, let change else { return }
            let taker = Unmanaged<PresenceContext>.fromOpaque(context).takeUnretainedValue()
            taker.take(JazzyPresenceChange(change.pointee))
        }

    private static let released: @convention(c) (UnsafeMutableRawPointer?) -> Void = { context in
        guard let context else { return }
        Unmanaged<PresenceContext>.fromOpaque(context).takeRetainedValue().end()
    }
}

extension PresenceRule {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        let handle = JazzyServerHandle(of: JazzyWebSocket(jz_server_handle(core)))
        let context = PresenceContext(take: { [handler] change in handler(change, handle) })
        _ = try context.watch(topic, isPrefix: isPrefix, on: core)
        return nil
    }
}

/// A watch that somebody iterates over; when nobody does any more, it ends.
private final class PresenceSubscription: Sendable {
    let changes = PresenceChanges()
    private let server: JazzyServerHandle
    private let number: UInt64

    init(_ topic: String, on core: OpaquePointer) throws(JazzyError) {
        server = JazzyServerHandle(of: JazzyWebSocket(jz_server_handle(core)))
        let context = PresenceContext(
            take: { [changes] change in changes.add(change) }, end: { [changes] in changes.end() })
        number = try context.watch(topic, isPrefix: false, on: core)
    }

    deinit {
        server.withCalls { [number] in $0.endPresence(number) }
    }
}

extension ServerCalls {
    func members(of topic: String) -> [JazzyMember] {
        var members: [JazzyMember] = []
        withUnsafeMutablePointer(to: &members) { pointer in
            _ = withCharacters(of: topic) { name, length in
                jz_server_members(
                    core, name, length,
                    { members, member in
                        guard let member else { return }
                        members?.assumingMemoryBound(to: [JazzyMember].self).pointee.append(
                            JazzyMember(member.pointee))
                    }, pointer, nil)
            }
        }
        return members
    }

    func memberCount(of topic: String) -> Int {
        withCharacters(of: topic) { jz_server_member_count(core, $0, $1) }
    }

    func presence(of topic: String) -> AsyncStream<JazzyPresenceChange> {
        guard let subscription = try? PresenceSubscription(topic, on: core) else { return AsyncStream { $0.finish() } }
        // The stream keeps the first closure, and with it the subscription, until it ends or is not used any more.
        return AsyncStream(
            unfolding: { await subscription.changes.next() },
            onCancel: { [changes = subscription.changes] in changes.end() })
    }

    fileprivate func endPresence(_ number: UInt64) {
        jz_server_off_presence(core, number)
    }
}
