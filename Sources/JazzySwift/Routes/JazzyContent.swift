#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The content of an HTTP response, from memory or from a file.
public struct JazzyContent: Equatable, Sendable {
    /// The value of the response's `Content-Type`; empty for a file whose name decides on it.
    public let contentType: String

    /// The response's body; empty for a file.
    public let body: [UInt8]

    /// The file that the body comes from; `nil`: from memory.
    let file: FileContent?

    struct FileContent: Equatable {
        let path: String
        let options: JazzyFileOptions
    }

    private init(contentType: String, body: [UInt8], file: FileContent? = nil) {
        self.contentType = contentType
        self.body = body
        self.file = file
    }

    /// Plain text, in UTF-8.
    public static func text(_ text: String) -> Self {
        bytes(text.utf8, contentType: "text/plain; charset=utf-8")
    }

    /// An HTML page, in UTF-8.
    public static func html(_ page: String) -> Self {
        bytes(page.utf8, contentType: "text/html; charset=utf-8")
    }

    /// A value as JSON.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - coders: How it is written.
    /// - Throws: What its encoder throws.
    public static func json(_ value: some Encodable, coders: JazzyCoders = .default) throws -> Self {
        bytes(try coders.encoder().encode(value), contentType: "application/json")
    }

    /// Any bytes, for instance an image.
    public static func bytes(_ bytes: some Sequence<UInt8>, contentType: String) -> Self {
        Self(contentType: contentType, body: Array(bytes))
    }

    /// A file, as it is when it is requested: it may change, or be replaced, while the server runs.
    ///
    /// ```swift
    /// Route.get("/logo.svg", .file("/srv/chat/logo.svg"))
    /// ```
    ///
    /// It has all that ``JazzyServer/files(_:from:options:)`` says of the files of a folder. It must be there when the
    /// server begins to listen. Only a route can have it as its content: responses of handlers, rejections, and the page
    /// for what is not found come from memory.
    ///
    /// - Parameters:
    ///   - path: The path of the file. One that is relative is so to the folder in which the process is when the server
    ///     begins to listen.
    ///   - options: Its content type, and how long clients may keep it.
    public static func file(_ path: String, options: JazzyFileOptions = JazzyFileOptions()) -> Self {
        Self(
            contentType: options.contentType ?? "", body: [], file: FileContent(path: path, options: options))
    }
}
