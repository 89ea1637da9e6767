import CJazzyPoll
import CJazzyPoll.Broker
import CJazzyRedis
import JazzySwift

/// Owns the `jz_redis` of one server, which retains this until it is destroyed.
///
/// `@unchecked Sendable` because of the pointer, which never changes. Only `deinit` frees it, when the server, which alone
/// calls functions with it, is destroyed.
final class RedisBroker: @unchecked Sendable {
    private let core: OpaquePointer
    /// What it calls back.
    private let calls: Calls

    init(_ options: JazzyRedisOptions, _ serverOptions: JazzyOptions, _ server: JazzyServerHandle) throws(JazzyError) {
        let calls = Calls(options.onGap, serverOptions, server)
        core = try options.withCore { core throws(JazzyError) in
            calls.set(in: &core)
            var error = jz_error()
            guard let made = jz_redis_create(&core, &error) else { throw JazzyError(error) }
            return made
        }
        self.calls = calls
    }

    deinit {
        jz_redis_free(core)
    }

    /// They are valid as long as this object lives.
    var functions: jz_broker { jz_redis_broker(core)?.pointee ?? jz_broker() }
}

/// The context of its callbacks.
private final class Calls: Sendable {
    private let onGap: JazzyRedisGapHandler?
    private let options: JazzyOptions
    private let server: JazzyServerHandle

    init(_ onGap: JazzyRedisGapHandler?, _ options: JazzyOptions, _ server: JazzyServerHandle) {
        self.onGap = onGap
        self.options = options
        self.server = server
    }

    /// This object must live as long as what is made with these options.
    func set(in core: inout jz_redis_options) {
        core.log_context = Unmanaged.passUnretained(self).toOpaque()
        core.log = { context, level, line in
            guard let context, let line else { return }
            let calls = Unmanaged<Calls>.fromOpaque(context).takeUnretainedValue()
            BrokerThread.run { calls.options.tell(JazzyLogLevel(level), String(cString: line)) }
        }
        guard onGap != nil else { return }
        core.gap_context = core.log_context
        core.on_gap = { context, topic, length in
            guard let context else { return }
            let calls = Unmanaged<Calls>.fromOpaque(context).takeUnretainedValue()
            let name = UnsafeRawBufferPointer(start: topic, count: length)
            BrokerThread.run { calls.onGap?(String(decoding: name, as: UTF8.self), calls.server) }
        }
    }
}
