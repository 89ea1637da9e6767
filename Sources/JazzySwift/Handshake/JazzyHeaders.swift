/// One header of a request or of a response.
public struct JazzyHeader: Hashable, Sendable {
    /// The name, as it was written; case does not matter.
    public let name: String

    /// The value, without white space around it.
    public let value: String

    /// Creates a header.
    ///
    /// - Parameters:
    ///   - name: A token (RFC 9110 §5.6.2).
    ///   - value: Text without line ends and other control characters.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Headers, in order. Several may have the same name.
///
/// ```swift
/// let headers: JazzyHeaders = ["Set-Cookie": "theme=dark", "Set-Cookie": "size=large"]
/// ```
public struct JazzyHeaders: RandomAccessCollection, Hashable, Sendable {
    private let headers: [JazzyHeader]

    /// Creates headers from others, for instance from an array.
    public init(_ headers: some Sequence<JazzyHeader>) {
        self.headers = Array(headers)
    }

    /// The position of the first header.
    public var startIndex: Int { headers.startIndex }

    /// The position behind the last header.
    public var endIndex: Int { headers.endIndex }

    /// The header at a position.
    public subscript(position: Int) -> JazzyHeader { headers[position] }
}

extension JazzyHeaders: ExpressibleByDictionaryLiteral {
    /// Creates headers in the order in which they are written.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { JazzyHeader($0, $1) })
    }
}
