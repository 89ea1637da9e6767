/// The page of a dashboard: one document, with its style and its script in it.
enum DashboardPage {
    /// A page with a nonce of its own, without which a browser runs no script and takes no style.
    static func response(adding headers: JazzyHeaders) -> JazzyResponse {
        let nonce = String(UInt128.random(in: UInt128.max / 2...UInt128.max), radix: 36)
        let page = document.replacing("NONCE", with: nonce)
        return .html(page, headers: JazzyHeaders(protection(nonce) + headers))
    }

    /// Nothing comes from elsewhere, nothing goes elsewhere, and no other site can show the page in itself.
    private static func protection(_ nonce: String) -> [JazzyHeader] {
        let policy = [
            "default-src 'none'", "script-src 'nonce-\(nonce)'", "style-src 'nonce-\(nonce)'", "img-src data:",
            "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        ]
        return [
            JazzyHeader("Content-Security-Policy", policy.joined(separator: "; ")),
            JazzyHeader("Cache-Control", "no-store"),
            JazzyHeader("Cross-Origin-Resource-Policy", "same-origin"),
            JazzyHeader("Referrer-Policy", "no-referrer"),
            JazzyHeader("X-Content-Type-Options", "nosniff"),
            JazzyHeader("X-Frame-Options", "DENY"),
        ]
    }
}
