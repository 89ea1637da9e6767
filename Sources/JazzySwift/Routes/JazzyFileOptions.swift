/// How files are served: a file of its own (``JazzyContent/file(_:options:)``), or those of a folder
/// (``JazzyServer/files(_:from:options:)``).
public struct JazzyFileOptions: Equatable, Sendable {
    /// The content type of all of them; `nil`, the default: by what follows the last dot of a name, else
    /// `application/octet-stream`.
    public var contentType: String?

    /// The value of `Cache-Control`. The default is `no-cache`: clients keep what they get, and ask each time whether it
    /// has changed.
    public var cacheControl: String

    /// The file of a folder for paths that end with a slash; `nil`: there is none, and they lead nowhere.
    public var index: String?

    /// Creates options.
    public init(contentType: String? = nil, cacheControl: String = "no-cache", index: String? = "index.html") {
        self.contentType = contentType
        self.cacheControl = cacheControl
        self.index = index
    }
}
