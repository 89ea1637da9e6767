// Sends texts back over TLS, as in wss://localhost:8443/echo. The files may be renewed while it runs.
import JazzySwift
import JazzyTLS

Route.ws("/echo") { ws, event, message in
    if event == .open { ws.send("Welcome, over \(ws.request?.tls?.version ?? "nothing secure")!") }
    if event == .message, message.kind == .text { ws.send("You said: " + message.text) }
}

// What it does, at https://localhost:8443/jazzy on this machine.
Route.dashboard("/jazzy")

await Jazzy.exitOnError {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 2, let port = arguments.count > 2 ? Int(arguments[2]) : 8443 else {
        throw JazzyError(.invalidAddress, "usage: secure CHAIN.pem KEY.pem [PORT]")
    }
    try await Jazzy.run(on: [
        .tls(port: port, certificate: .file(arguments[0]), key: .file(arguments[1]), watching: .seconds(1))
    ])
}
