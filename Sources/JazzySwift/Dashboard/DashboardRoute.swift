/// A page for operators, and the WebSocket of the same path that gives it its figures.
struct DashboardRoute: JazzyRoute {
    let path: String
    /// Asked for the page and for the WebSocket.
    let decide: JazzyUpgradeHook

    /// Viewers say nothing, and are owed one frame at a time.
    private static let options = JazzyRouteOptions(
        maxMessageSize: 1_024, controlMessages: false, backpressureLimit: 1 << 20, kernelSendLimit: 128 << 10)

    /// The page and the WebSocket; `feed` is that of one run of the server.
    func parts(of feed: DashboardFeed) -> [any JazzyRoute] {
        let decide = decide
        let closures = RouteClosures(
            handler: { ws, event, _ in
                switch event {
                case .open: if !feed.add(ws) { ws.close(code: .tryAgainLater, reason: isFull) }
                case .close: feed.remove(ws)
                default: break
                }
            },
            upgrade: { request in
                let answer = try await decide(request)
                guard case .accept(_, let headers, _, _) = answer.answer else { return answer }
                return feed.isFull ? dashboardIsFull : .accept(subprotocol: "", headers: headers)
            }, onDrain: nil, onDrop: nil)
        return [
            MadePageRoute(path: path, options: JazzyPageOptions()) { request in
                dashboardResponse(to: try await decide(request))
            },
            WebSocketRoute(path: path, options: Self.options, closures: closures),
        ]
    }
}

extension DashboardRoute {
    init(path: String, audience: JazzyAudience) {
        self.init(path: path) { request in
            audience.admits(request)
                ? .accept() : .reject(403, headers: ["Cache-Control": "no-store"], body: refusal(of: path, audience))
        }
    }
}

private let isFull = "\(DashboardFeed.mostViewers) clients look at this dashboard already."
private let dashboardIsFull = JazzyUpgrade.reject(503, body: .text(isFull + "\n"))

private func refusal(of path: String, _ audience: JazzyAudience) -> JazzyContent {
    guard case .loopback = audience.rule else { return .text("This page is not for this client.\n") }
    return .text(
        """
        This page is for the machine alone that the server runs on: for clients with a loopback address, who ask for
        localhost, and through no proxy.

        Open it there, or through a tunnel: ssh -L 8080:localhost:PORT HOST, and then http://localhost:8080\(path)

        To let others in, the program says whom: Route.dashboard("\(path)") { request in ... }

        """)
}

private func dashboardResponse(to answer: JazzyUpgrade) -> JazzyResponse {
    switch answer.answer {
    case .reject(let status, let headers, let body):
        JazzyResponse(body, status: status, headers: headers)
    case .accept(_, let headers, _, _):
        DashboardPage.response(adding: headers)
    }
}
