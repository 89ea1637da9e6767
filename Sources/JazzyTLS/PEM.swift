extension JazzyTLS {
    /// Something in PEM: a certificate chain, a key, or authorities; in a file, or in memory.
    ///
    /// A string literal is the path of a file, or the PEM itself if it has `-----BEGIN`, or more than one line:
    ///
    /// ```swift
    /// let chain: JazzyTLS.PEM = "/etc/letsencrypt/live/chat.example.com/fullchain.pem"
    /// ```
    ///
    /// A description never has the content, which may be a private key.
    public struct PEM: Hashable, Sendable {
        enum Source: Hashable, Sendable {
            case file(String)
            case memory([UInt8])
        }

        let source: Source

        /// A file, by its path.
        public static func file(_ path: String) -> PEM { PEM(source: .file(path)) }

        /// The bytes themselves.
        public static func bytes(_ bytes: some Sequence<UInt8>) -> PEM { PEM(source: .memory(Array(bytes))) }

        /// The path of a file, or the PEM itself if the text has `-----BEGIN`, perhaps behind what tools write before it,
        /// or more than one line, as no path has.
        public init(_ text: String) {
            // What is taken for a path is named in errors, so that nothing that may be a key must be.
            let isContent =
                text.utf8.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
                || text.utf8.indices.contains { text.utf8[$0...].starts(with: "-----BEGIN".utf8) }
            self.init(source: isContent ? .memory(Array(text.utf8)) : .file(text))
        }

        private init(source: Source) { self.source = source }
    }
}

extension JazzyTLS.PEM: ExpressibleByStringInterpolation {
    /// The path of a file, or the PEM itself, as for ``init(_:)``.
    public init(stringLiteral text: String) { self.init(text) }
}

extension JazzyTLS.PEM: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The path of the file, or how many bytes there are.
    public var description: String {
        switch source {
        case .file(let path): path
        case .memory(let bytes): "PEM in memory (\(bytes.count) bytes)"
        }
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Without the content.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
