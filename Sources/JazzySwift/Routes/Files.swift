extension JazzyServer {
    /// Serves the files of a folder, and of the folders in it, so that a chat and its page come from one port.
    ///
    /// ```swift
    /// Route.ws("/chat") { ws, event, message in
    ///     if event == .message, message.kind == .text { ws.publish("chat", message.text) }
    /// }
    /// Route.files("/", from: "/srv/chat/public")
    /// ```
    ///
    /// `/` leads to `/srv/chat/public/index.html`, and `/images/cat.png` to `/srv/chat/public/images/cat.png`. Other
    /// routes go before. GET and HEAD are answered, with an entity tag and a date; conditions and ranges are followed;
    /// what becomes smaller by it is sent with gzip to who accepts that, and compressed once. Clients keep what they get,
    /// and ask each time whether it has changed, unless ``JazzyFileOptions/cacheControl`` says otherwise.
    ///
    /// Nothing outside of the folder is ever served, nor symbolic links in it, nor files and folders whose names begin
    /// with a dot (except `.well-known` in the folder itself). Files are read by threads of their own, in pieces, as
    /// clients take them: no event loop waits for a disk. If a file changes while it is sent, the connection ends before
    /// the response is complete, so that nobody takes parts of two versions for one.
    ///
    /// The folder must be there when the server begins to listen: otherwise that throws ``JazzyError``.
    ///
    /// - Parameters:
    ///   - path: Begins and ends with `/`.
    ///   - folder: The path of the folder. One that is relative is so to the folder in which the process is when the
    ///     server begins to listen.
    ///   - options: The content type, how long clients may keep what they get, and the index.
    public func files(_ path: String, from folder: String, options: JazzyFileOptions = JazzyFileOptions()) {
        add(FolderRoute(path: path, folder: folder, options: options))
    }
}

extension Route {
    /// Serves the files of a folder, and of the folders in it, so that a chat and its page come from one port.
    ///
    /// See ``JazzyServer/files(_:from:options:)``.
    ///
    /// - Parameters:
    ///   - path: Begins and ends with `/`.
    ///   - folder: The path of the folder.
    ///   - options: The content type, how long clients may keep what they get, and the index.
    public static func files(_ path: String, from folder: String, options: JazzyFileOptions = JazzyFileOptions()) {
        Jazzy.server.files(path, from: folder, options: options)
    }
}

struct FolderRoute: JazzyRoute {
    let path: String
    let folder: String
    let options: JazzyFileOptions
}
