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
        /// or more than one line, as no path has. What has lost its first and last line is no path either, and whoever
        /// listens is told so.
        public init(_ text: String) {
            // What is taken for a path is named in errors, so that nothing that may be a key must be.
            let hasLines = text.utf8.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            self.init(source: hasLines || text.isContent ? .memory(Array(text.utf8)) : .file(text))
        }

        private init(source: Source) { self.source = source }

        /// Whether it was given as a path, but is what should be in the file: perhaps a key, which nobody may see.
        var hasContentForPath: Bool {
            if case .file(let path) = source { path.isContent } else { false }
        }
    }
}

extension String {
    /// Whether this is PEM, or what is between its first and last line.
    fileprivate var isContent: Bool {
        utf8.indices.contains { utf8[$0...].starts(with: "-----BEGIN".utf8) } || utf8.isBareDER
    }
}

extension Sequence<UInt8> {
    /// Base64 of a structure in DER, or of the beginning of one, as the C library looks for it (`contexts/bare.c`).
    fileprivate var isBareDER: Bool {
        var values: [Int] = []
        for letter in self where !"\r\n\t =".utf8.contains(letter) {
            guard let value = value(ofLetter: letter) else { return false }
            values.append(value)
        }
        guard values.count >= 40 else { return false }
        let header = values.prefix(8).reduce(0) { $0 << 6 | $1 }
        func byte(_ index: Int) -> Int { header >> (40 - 8 * index) & 0xFF }
        var length = byte(1)
        guard byte(0) == 0x30, length >= 0x20 else { return false }
        if length >= 0x80 {
            let count = length & 0x7F
            guard (1...3).contains(count) else { return false }
            length = (0..<count).reduce(0) { $0 << 8 | byte(2 + $1) } + count
        }
        return length + 2 >= values.count / 4 * 3
    }
}

/// The six bits for which a letter of base64 stands.
private func value(ofLetter letter: UInt8) -> Int? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(letter - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(letter - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(letter - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
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
        case .file where hasContentForPath: "something that is no path"
        case .file(let path): path
        case .memory(let bytes): "PEM in memory (\(bytes.count) bytes)"
        }
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Without the content.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
