import JazzySwift

/// A page, all in one: style and script are in it, and nothing of it comes from elsewhere.
struct Page: Sendable {
    let path: String
    /// The text between its nonces.
    private let pieces: [String]

    static let all = places.compactMap(Page.init)

    /// What the header of each page leads to. The dashboard is a page of the server itself.
    private static let places = [
        Place("/", "Home", "home", PackageResources.home_html, PackageResources.home_js),
        Place("/chat", "Chat", "chat", PackageResources.chat_html, PackageResources.chat_js),
        Place("/feed", "Feed", "feed", PackageResources.feed_html, PackageResources.feed_js),
        Place("/console", "Console", "console", PackageResources.console_html, PackageResources.console_js),
        Place("/jazzy", "Dashboard"),
    ]

    private init?(_ place: Place) {
        guard let content = place.content else { return nil }
        path = place.path
        let links = Self.places.map { other in
            "<a href=\"\(other.path)\"\(other.path == place.path ? " aria-current=\"page\"" : "")>\(other.title)</a>"
        }
        let parts = [
            "title": place.title == "Home" ? "Jazzy for Swift" : place.title + " · Jazzy for Swift",
            "name": content.name,
            "navigation": links.joined(separator: "\n"),
            "style": text(PackageResources.style_css) + text(PackageResources.pages_css),
            "body": text(content.body),
            "script": text(PackageResources.shared_js) + text(content.script),
        ]
        let layout = text(PackageResources.layout_html)
        let page = parts.reduce(layout) { $0.replacing("{{\($1.key)}}", with: $1.value) }
        pieces = page.split(separator: "{{nonce}}", omittingEmptySubsequences: false).map(String.init)
    }

    /// The page for one visit. Only what has the visit's nonce is applied or run, and only this server is asked: what
    /// somebody else gets into the page, as a name or a message, stays text.
    func response() -> JazzyResponse {
        let nonce = (0..<4).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }.joined()
        let policy = """
            default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; \
            img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
            require-trusted-types-for 'script'; trusted-types 'none'
            """
        let headers: JazzyHeaders = [
            "Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        ]
        return .html(pieces.joined(separator: nonce), headers: headers)
    }

    private struct Place: Sendable {
        let path: String
        let title: String
        let content: (name: String, body: [UInt8], script: [UInt8])?

        init(_ path: String, _ title: String) {
            self.path = path
            self.title = title
            content = nil
        }

        init(_ path: String, _ title: String, _ name: String, _ body: [UInt8], _ script: [UInt8]) {
            self.path = path
            self.title = title
            content = (name, body, script)
        }
    }
}

private func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }
