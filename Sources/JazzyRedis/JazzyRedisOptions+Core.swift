import CJazzyRedis
import JazzySwift

extension JazzyRedisOptions {
    /// Calls `body` with the C library's options, which are only valid within the call. Errors name options as here.
    func withCore<Result>(_ body: (inout jz_redis_options) throws(JazzyError) -> Result) throws(JazzyError) -> Result {
        let texts = CTexts()
        var core = jz_redis_options_default()
        core.url = try texts.copy("url", url)
        core.prefix = try texts.copy("prefix", prefix)
        core.client_name = try texts.copy("clientName", clientName)
        core.is_ordered = ordering == .ordered
        core.starts_alone = startsAlone
        core.queue_limit = try checked("queueLimit", queueLimit, 65_536...1_099_511_627_776)
        core.publish_batch = try checked("publishBatch", publishBatch, 1...16_777_216)
        try setTimes(in: &core)
        core.sentinel_user = try texts.copyIfAny("sentinelUser", sentinelUser)
        core.sentinel_password = try texts.copyIfAny("sentinelPassword", sentinelPassword)
        core.ca_file = try texts.copyIfAny("caFile", caFile)
        core.certificate_file = try texts.copyIfAny("certificateFile", certificateFile)
        core.key_file = try texts.copyIfAny("keyFile", keyFile)
        do throws(JazzyError) {
            return try withExtendedLifetime(texts) { () throws(JazzyError) in try body(&core) }
        } catch {
            guard error.code == .invalidOption else { throw error }
            let message = Self.names.reduce(error.message) { $0.replacing($1.key, with: $1.value) }
            throw JazzyError(error.code, message)
        }
    }

    private func setTimes(in core: inout jz_redis_options) throws(JazzyError) {
        let (hour, tenMinutes) = (Duration.seconds(3_600), Duration.seconds(600))
        let (one, ten) = (Duration.milliseconds(1), Duration.milliseconds(10))
        core.linger_ms = try milliseconds("linger", linger, from: .zero, to: hour)
        core.probe_interval_ms = try milliseconds("probeInterval", probeInterval, from: ten, to: hour)
        core.probe_timeout_ms = try milliseconds("probeTimeout", probeTimeout, from: max(ten, probeInterval), to: hour)
        core.connect_timeout_ms = try milliseconds("connectTimeout", connectTimeout, from: ten, to: tenMinutes)
        core.stop_timeout_ms = try milliseconds("stopTimeout", stopTimeout, from: .zero, to: tenMinutes)
        core.backoff_least_ms = try milliseconds("backoffLeast", backoffLeast, from: one, to: tenMinutes)
        core.backoff_most_ms = try milliseconds("backoffMost", backoffMost, from: backoffLeast, to: tenMinutes)
    }

    /// What the C library checks itself, and calls by its own names.
    private static let names: KeyValuePairs = [
        "client_name": "clientName", "ca_file": "caFile", "certificate_file": "certificateFile",
        "key_file": "keyFile", "sentinel_user": "sentinelUser", "sentinel_password": "sentinelPassword",
    ]
}

/// Copies of texts for the C library, which live as long as this object.
private final class CTexts {
    private var copies: [UnsafeMutablePointer<CChar>] = []

    deinit {
        for copy in copies { copy.deallocate() }
    }

    /// With a NUL at the end, and nowhere else.
    func copy(_ option: String, _ text: String) throws(JazzyError) -> UnsafePointer<CChar> {
        try requireNoNUL(text, "option \(option)", .invalidOption)
        let characters = text.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: characters.count)
        for (place, character) in characters.enumerated() { (copy + place).initialize(to: character) }
        copies.append(copy)
        return UnsafePointer(copy)
    }

    func copyIfAny(_ option: String, _ text: String?) throws(JazzyError) -> UnsafePointer<CChar>? {
        guard let text else { return nil }
        return try copy(option, text)
    }
}
