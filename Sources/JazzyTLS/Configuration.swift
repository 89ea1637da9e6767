import JazzySwift

extension JazzyTLS {
    /// All that can be chosen about TLS.
    public struct Configuration: Hashable, Sendable {
        /// The certificates, at least one. The first one is the default, for clients that ask for no name, or for one that
        /// no certificate has.
        public var certificates: [Certificate]

        /// Which versions are spoken. The default is ``Policy/compatible``.
        public var policy = Policy.compatible

        /// Whether clients that ask for a name of no certificate are refused. The default is `false`: they get the first
        /// certificate.
        public var refusesUnknownNames = false

        /// Whether clients have certificates, too. The default is ``Clients/anonymous``.
        public var clients = Clients.anonymous

        /// How often all files are looked at, to be read again after a change: 0.1 s to 24 h; `nil`, the default: never.
        ///
        /// What is read is checked completely before it is used. If there is something wrong, the old certificates stay
        /// in use, and the log says why.
        public var watching: Duration?

        /// How long after its full handshake a client can resume a session, which costs much less: 60 s to 7 days; `nil`:
        /// never. The default is 2 h.
        public var ticketLifetime: Duration? = .seconds(7_200)

        /// From which the keys for tickets are derived: with the same secret, lifetime and authorities several processes,
        /// or one before and after its restart, resume each other's sessions. 32 to 1,024 random bytes; `nil`, the
        /// default: keys are random.
        ///
        /// Whoever knows it can decrypt recorded sessions of TLS 1.2 that were resumable: change it from time to time.
        public var ticketSecret: [UInt8]?

        /// Creates a configuration in which everything else has its default.
        public init(certificates: [Certificate]) {
            self.certificates = certificates
        }
    }

    /// Which versions and suites are spoken: in any case only those with forward secrecy and authenticated encryption.
    public enum Policy: Hashable, Sendable {
        /// TLS 1.3, and 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305: all browsers since 2015.
        case compatible
        /// TLS 1.3 only.
        case modern
    }

    /// Whether clients have certificates, too (mutual TLS), and whose are valid.
    public enum Clients: Hashable, Sendable {
        /// They are not asked for one.
        case anonymous
        /// They are asked, and may have none. One that is not of these authorities is refused.
        case mayIdentify(by: PEM)
        /// Those without a certificate of these authorities are refused.
        case mustIdentify(by: PEM)
    }
}

extension JazzyTLS.Configuration: CustomStringConvertible, CustomReflectable {
    /// The certificates, without secrets.
    public var description: String { "TLS with \(certificates.map(\.chain))" }

    /// Without the secret.
    public var customMirror: Mirror { Mirror(self, children: ["certificates": certificates.map(\.chain)]) }
}
