import JazzySwift

extension JazzyTLS {
    /// Returns the passphrase of an encrypted key; `nil`: there is none, and the key cannot be read.
    ///
    /// Called whenever the key is read, on the thread that reads it, which may be that which watches files. It must not
    /// call the ``JazzyTLS`` for which it is. What it returns has at most 1,024 bytes of UTF-8.
    public typealias Passphrase = @Sendable () -> String?

    /// A certificate with its key, and the names for which it is used.
    ///
    /// Certificates of the same names with keys of different kinds, such as ECDSA and RSA, stand side by side: a client
    /// gets one that it can verify.
    public struct Certificate: Sendable {
        /// The server's own certificate, and behind it those between it and the root, in order.
        public var chain: PEM

        /// The key; `nil`: it is beside the certificate, in the same file or memory.
        public var key: PEM?

        /// The names for which the certificate is used: `chat.example.com`, or `*.example.com` for all names with one
        /// more label, in ASCII as in DNS; none: those that the certificate has itself.
        public var names: [String]

        /// The path of a file with a response of the issuer's OCSP responder in DER, which clients get that ask for it;
        /// `nil`: they get none.
        ///
        /// One that is missing, damaged, about another certificate or out of date is logged, and not sent.
        public var ocspFile: String?

        /// The passphrase of the key, if that is encrypted.
        public var passphrase: Passphrase? {
            get { keeper?.passphrase }
            set { keeper = newValue.map { PassphraseKeeper($0) } }
        }

        var keeper: PassphraseKeeper?

        /// Creates the description of a certificate; nothing is read yet.
        public init(
            chain: PEM, key: PEM? = nil, names: [String] = [], ocspFile: String? = nil, passphrase: Passphrase? = nil
        ) {
            self.chain = chain
            self.key = key
            self.names = names
            self.ocspFile = ocspFile
            self.passphrase = passphrase
        }
    }
}

/// A closure that the core refers to. Certificates with a passphrase equal their copies.
final class PassphraseKeeper: Sendable {
    let passphrase: JazzyTLS.Passphrase

    init(_ passphrase: @escaping JazzyTLS.Passphrase) {
        self.passphrase = passphrase
    }
}

extension PassphraseKeeper: Hashable {
    static func == (one: PassphraseKeeper, other: PassphraseKeeper) -> Bool { one === other }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// All but the passphrase is compared, for which a certificate has to be a copy.
extension JazzyTLS.Certificate: Hashable {}
