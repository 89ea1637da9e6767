import CJazzyPoll

extension JazzyFileOptions {
    func withCore<Result>(
        _ body: (UnsafePointer<jz_file_options>) throws(JazzyError) -> Result
    ) throws(JazzyError) -> Result {
        for (name, text) in [("contentType", contentType), ("cacheControl", cacheControl), ("index", index)] {
            if let text { try requireNoNUL(text, "option \(name) of files", .invalidOption) }
        }
        return try withCStrings(of: [contentType ?? "", cacheControl, index ?? ""]) { texts, _ throws(JazzyError) in
            var core = jz_file_options(
                content_type: contentType == nil ? nil : texts?[0], cache_control: texts?[1], index: texts?[2])
            return try body(&core)
        }
    }
}

extension FolderRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        try requireNoNUL(folder, "the path of the folder for \(path)", .invalidOption)
        try options.withCore { options throws(JazzyError) in
            try check { jz_server_route_folder(core, path, folder, options, $0) }
        }
        return nil
    }
}

extension PageRoute {
    func registerFile(_ file: JazzyContent.FileContent, on core: OpaquePointer) throws(JazzyError) {
        try requireNoNUL(file.path, "the path of the file for \(path)", .invalidOption)
        try file.options.withCore { options throws(JazzyError) in
            try check { jz_server_route_file(core, path, file.path, options, $0) }
        }
    }
}
