/// The content of an HTTP response, from memory.
public struct JazzyContent: Equatable, Sendable {
    /// The value of the response's `Content-Type`.
    public let contentType: String

    /// The response's body.
    public let body: [UInt8]

    /// Plain text, in UTF-8.
    public static func text(_ text: String) -> Self {
        bytes(text.utf8, contentType: "text/plain; charset=utf-8")
    }

    /// An HTML page, in UTF-8.
    public static func html(_ page: String) -> Self {
        bytes(page.utf8, contentType: "text/html; charset=utf-8")
    }

    /// Any bytes, for instance an image.
    public static func bytes(_ bytes: some Sequence<UInt8>, contentType: String) -> Self {
        Self(contentType: contentType, body: Array(bytes))
    }
}
