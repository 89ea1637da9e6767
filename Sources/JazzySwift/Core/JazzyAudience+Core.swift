import CJazzyPoll

/// The context of the core's callback for a page that is not for everybody.
final class AudienceContext: Sendable {
    private let audience: JazzyAudience

    init(_ audience: JazzyAudience) {
        self.audience = audience
    }

    /// The core owns no reference to the context: `CoreServer` keeps contexts alive for as long as the core may call
    /// this.
    private static let callback: jz_admits = { context, request in
        guard let context, let request else { return false }
        return Unmanaged<AudienceContext>.fromOpaque(context).takeUnretainedValue().audience
            .admits(JazzyRequest(request))
    }

    var core: jz_audience {
        jz_audience(admits: Self.callback, context: Unmanaged.passUnretained(self).toOpaque())
    }
}

extension JazzyAudience {
    /// What the core calls; `nil` where it needs nothing of Swift's.
    var context: AudienceContext? {
        switch rule {
        case .everyone, .loopback(or: nil): nil
        case .loopback, .clients: AudienceContext(self)
        }
    }

    /// Hands the core what it has to know; `nil`: the page is for everyone. It is valid while `context` lives.
    func withCore<Result>(
        _ context: AudienceContext?, _ body: (UnsafePointer<jz_audience>?) throws(JazzyError) -> Result
    ) throws(JazzyError) -> Result {
        if case .everyone = rule { return try body(nil) }
        var core = context?.core ?? jz_audience()
        return try body(&core)
    }
}
