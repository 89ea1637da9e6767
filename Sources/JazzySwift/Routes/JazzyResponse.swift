/// What the handler of a page answers: a status, headers, and content.
///
/// ```swift
/// Route.get("/rooms/:id") { request in
///     guard let id = request.parameters["id"], id != "secret" else { return JazzyResponse(status: 404) }
///     return try .json(["room": id], headers: ["Cache-Control": "no-store"])
/// }
/// ```
///
/// The server sets `Connection`, `Upgrade`, `Date`, `Content-Length`, `Content-Type`, `Transfer-Encoding` and
/// `Sec-WebSocket-…` itself. If a response may not be sent, because it has one of those, a header with a line end, a
/// status out of range or a file as its content, the server logs an error, and the client gets a 500.
public struct JazzyResponse: Equatable, Sendable {
    /// 200 to 599, except 205. With 204 and 304 there is no content.
    public var status: Int

    /// Further headers, for instance `Cache-Control` or `Location`.
    public var headers: JazzyHeaders

    /// The content; `nil`: a short text explains the status.
    public var content: JazzyContent?

    /// Creates a response.
    ///
    /// - Parameters:
    ///   - content: The content; `nil`: a short text explains the status.
    ///   - status: 200 to 599, except 205.
    ///   - headers: Further headers.
    public init(_ content: JazzyContent? = nil, status: Int = 200, headers: JazzyHeaders = [:]) {
        self.content = content
        self.status = status
        self.headers = headers
    }

    /// Plain text, in UTF-8.
    public static func text(_ text: String, status: Int = 200, headers: JazzyHeaders = [:]) -> Self {
        Self(.text(text), status: status, headers: headers)
    }

    /// An HTML page, in UTF-8.
    public static func html(_ page: String, status: Int = 200, headers: JazzyHeaders = [:]) -> Self {
        Self(.html(page), status: status, headers: headers)
    }

    /// A value as JSON.
    ///
    /// - Throws: What its encoder throws.
    public static func json(
        _ value: some Encodable, status: Int = 200, headers: JazzyHeaders = [:], coders: JazzyCoders = .default
    ) throws -> Self {
        Self(try .json(value, coders: coders), status: status, headers: headers)
    }

    /// Any bytes, for instance an image.
    public static func bytes(
        _ bytes: some Sequence<UInt8>, contentType: String, status: Int = 200, headers: JazzyHeaders = [:]
    ) -> Self {
        Self(.bytes(bytes, contentType: contentType), status: status, headers: headers)
    }
}

extension JazzyResponse: CustomStringConvertible {
    /// A description for logs, without confidential parts: the values of headers, and the content.
    public var description: String {
        let type = content.map { String(reflecting: $0.file == nil ? $0.contentType : "a file") } ?? "nil"
        return "JazzyResponse(\(type), status: \(status), headers: \(headers.map(\.name)))"
    }
}
