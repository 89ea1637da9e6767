/// Who may read a page for operators, such as ``Route/metrics(_:for:)``.
///
/// ```swift
/// let token = "an example"
/// Route.metrics("/metrics", for: .loopback(or: { request in
///     request.header("Authorization") == "Bearer \(token)"
/// }))
/// ```
///
/// Others get a 403, which is counted as ``JazzyRefusal/rejected`` and logged.
public struct JazzyAudience: Sendable {
    /// Decides whether a client may read the page. It is called on the thread of the client's event loop, and must not
    /// block.
    public typealias Hook = @Sendable (_ request: JazzyRequest) -> Bool

    enum Rule: Sendable {
        case everyone
        case loopback(or: Hook?)
        case clients(Hook)
    }

    let rule: Rule

    /// Whether the client may read the page.
    func admits(_ request: JazzyRequest) -> Bool {
        switch rule {
        case .everyone: true
        case .loopback(let hook): request.isFromLoopback || (hook?(request) ?? false)
        case .clients(let hook): hook(request)
        }
    }

    /// Whoever can reach the page.
    public static let everyone = JazzyAudience(rule: .everyone)

    /// Programs on the server's own machine.
    ///
    /// Such a client has a loopback address, asks for `localhost`, for a name that ends with `.localhost` or for a
    /// loopback address, and its request has no header that proxies add, such as `X-Forwarded-For`. A proxy on this
    /// machine that adds none, and asks for `localhost`, looks like such a client: then use ``clients(where:)``, or keep
    /// the page from the outside in the proxy. Over a Unix domain socket nobody is one.
    public static let loopback = JazzyAudience(rule: .loopback(or: nil))

    /// Programs on the server's own machine, as with ``loopback``, and those whom the hook lets in.
    public static func loopback(or hook: @escaping Hook) -> JazzyAudience {
        JazzyAudience(rule: .loopback(or: hook))
    }

    /// Those whom the hook lets in, and nobody else.
    public static func clients(where hook: @escaping Hook) -> JazzyAudience {
        JazzyAudience(rule: .clients(hook))
    }
}
