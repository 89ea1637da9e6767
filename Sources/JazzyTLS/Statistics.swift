import CJazzyTLS

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension JazzyTLS {
    /// What a ``JazzyTLS`` has counted since it was created.
    public struct Statistics: Hashable, Sendable {
        /// Handshakes that succeeded, full and resumed ones.
        public var handshakes: Int

        /// Those of them that resumed a session.
        public var resumed: Int

        /// Handshakes that did not succeed: refused, given up by the client, or timed out.
        public var failed: Int

        /// How often certificates were replaced, by calls and by watching.
        public var reloads: Int

        /// How often the old certificates stayed because of what was wrong with the new ones.
        public var failedReloads: Int

        /// When the first of the certificates in use expires.
        public var expires: Date
    }
}

extension JazzyTLS.Statistics {
    init(_ core: jz_tls_statistics) {
        handshakes = Int(clamping: core.handshakes)
        resumed = Int(clamping: core.resumed)
        failed = Int(clamping: core.failed)
        reloads = Int(clamping: core.reloads)
        failedReloads = Int(clamping: core.failed_reloads)
        expires = Date(timeIntervalSince1970: Double(core.expires))
    }
}
