extension JazzyServer {
    /// Registers the script with which pages follow resumable routes: an ES module, `jazzy.js`, which needs no other.
    ///
    /// ```swift
    /// Jazzy.history("feed", keep: 1_000, for: .seconds(600))
    /// Route.resumable("/feed", topic: "feed")
    /// Route.client("/jazzy.js")
    /// ```
    ///
    /// It connects, comes back where a connection is lost, at the position that it has counted, and tells whether it has
    /// missed something. <doc:History> shows how a page uses it.
    ///
    /// It has an entity tag. Clients keep it, and ask each time whether it has changed, so that it is always that of the
    /// server's version.
    ///
    /// - Parameter path: The path of the script.
    public func client(_ path: String = "/jazzy.js") {
        get(path) { request in ClientModule.response(to: request) }
    }
}

extension Route {
    /// Registers the script with which pages follow resumable routes: an ES module, `jazzy.js`, which needs no other.
    ///
    /// See ``JazzyServer/client(_:)``.
    ///
    /// - Parameter path: The path of the script.
    public static func client(_ path: String = "/jazzy.js") {
        Jazzy.server.client(path)
    }
}

/// The script, as the file `jazzy.js` beside this one has it.
enum ClientModule {
    static let text = PackageResources.jazzy_js

    /// What changes with the text: FNV-1a, of 64 bits. Nobody could gain from another text with the same tag.
    static let entityTag: String = {
        let hash = text.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "\"\(String(hash, radix: 16))\""
    }()

    private static let headers: JazzyHeaders = [
        "Cache-Control": "no-cache", "ETag": entityTag, "X-Content-Type-Options": "nosniff",
    ]

    static func response(to request: JazzyRequest) -> JazzyResponse {
        if request.headers.contains(where: { $0.name.lowercased() == "if-none-match" && isMet($0.value) }) {
            return JazzyResponse(status: 304, headers: headers)
        }
        return .bytes(text, contentType: "text/javascript; charset=utf-8", headers: headers)
    }

    /// Whether a client that sends this `If-None-Match` has the script already (RFC 9110, 13.1.2).
    private static func isMet(_ condition: String) -> Bool {
        condition.split(separator: ",").contains { part in
            let tag = part.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return tag == "*" || tag == entityTag || tag == "W/" + entityTag
        }
    }
}
