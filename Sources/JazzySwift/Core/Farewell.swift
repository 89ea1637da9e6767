import CJazzyPoll

/// The options of a stop: close code, reason, spread and grace, checked as the core requires.
package struct Farewell: Sendable {
    private let code: UInt16
    private let reason: String
    private let spread: UInt32
    /// `nil`: that of ``JazzyServer/stop()``.
    private let grace: UInt32?

    package init(code: UInt16, reason: String, spread: Duration, grace: Duration?) throws(JazzyError) {
        self.code = code
        self.reason = reason
        self.spread = spread.wholeMilliseconds
        self.grace = grace?.wholeMilliseconds
        try check { error in withCore { jz_stop_options_check($0, error) } }
    }

    func withCore<Result>(_ body: (UnsafePointer<jz_stop_options>) -> Result) -> Result {
        withCharacters(of: reason) { characters, count in
            var options = jz_stop_options_default()
            if let grace { options.grace_ms = min(grace, JZ_GRACE_AS_NEEDED - 1) }
            options.close_code = code
            options.reason = characters
            options.reason_length = count
            options.spread_ms = spread
            return body(&options)
        }
    }
}
