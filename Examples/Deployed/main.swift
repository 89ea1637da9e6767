// A server as it is deployed: its environment says where it listens, and what is in front of it. The guide
// Deployment.md has the recipes for it.
import FoundationEssentials
import JazzySwift

let environment = ProcessInfo.processInfo.environment

func address(_ listen: String) throws(JazzyError) -> JazzyAddress {
    if listen == "activated" { return .activated }
    if listen.hasPrefix("/") { return .unix(listen, mode: 0o660, owner: environment["SOCKET_OWNER"]) }
    guard let port = Int(listen) else {
        throw JazzyError(.invalidAddress, "LISTEN has to be a port, a path or \"activated\", not \"\(listen)\"")
    }
    return .port(port, host: environment["HOST"])
}

var options = JazzyOptions()
options.trustedProxies = environment["TRUSTED_PROXIES"]?.split(separator: ",").map(String.init) ?? []
if environment["CLIENT_ADDRESS"] == "X-Forwarded-For" {
    options.clientAddress = .xForwardedFor
    options.forwardedHost = .xForwardedHost
}
if environment["CLIENT_ADDRESS"] == "PROXY" { options.clientAddress = .proxyProtocol }
if let seconds = environment["IDLE_TIMEOUT"].flatMap(Double.init) { options.idleTimeout = .after(.seconds(seconds)) }

Route.health("/health")
Route.ws("/echo", options: JazzyRouteOptions(deflate: .shared)) { ws, event, message in
    if event == .open { ws.send("You come from \(ws.remoteAddress ?? "nowhere").") }
    guard event == .message, message.kind == .text || message.kind == .binary else { return }
    ws.send(message.bytes, kind: message.kind)
}
Route.ws("/bye") { ws, event, _ in
    if event == .open { ws.close(code: 4000, reason: "bye") }
}

await Jazzy.exitOnError {
    try await Jazzy.run(on: [address(environment["LISTEN"] ?? "8080")], options: options)
}
