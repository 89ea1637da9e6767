import Foundation
import JazzySwift

/// Clients that do not keep up read that they are closed, however long a busy machine holds them back.
var patient: JazzyOptions {
    var options = JazzyOptions()
    options.closeTimeout = .seconds(300)
    return options
}

/// A resumable route, the script that follows it, and a page that does; what is published, and who is closed, is asked
/// for by requests.
let server = JazzyServer(options: patient)
server.history("feed", keep: 100_000, for: .seconds(600), bytes: 64 << 20)
server.resumable(
    "/feed", topic: "feed", options: JazzyRouteOptions(backpressureLimit: 64 << 10, kernelSendLimit: 64 << 10))
server.resumable("/several", topics: { $0.queryValues("topic") })
server.client("/jazzy.js")
server.get(
    "/",
    .html(
        """
        <!doctype html>
        <html lang="en">
        <title>Feed</title>
        <link rel="icon" href="data:,">
        <script type="module">
          import { Resumable } from "/jazzy.js"
          window.begun = []
          window.got = []
          window.lost = []
          window.feed = new Resumable("/feed", {
            shortest: 20,
            onBegin: ({ recovered }) => begun.push(recovered),
            onMessage: message => got.push(Number(message.trim())),
            onLost: ({ code }) => lost.push(code),
          })
        </script>
        """))

/// Numbers, one a message, in so many characters.
server.get("/publish/:first/:last/:width") { request in
    let numbers = ["first", "last", "width"].compactMap { request.parameters[$0].flatMap { Int($0) } }
    for number in numbers[0]...numbers[1] {
        let digits = String(number)
        let padding = String(repeating: " ", count: max(0, numbers[2] - digits.count))
        guard server.publish("feed", padding + digits) == .sent else { return JazzyResponse(status: 503) }
    }
    return JazzyResponse(status: 204)
}
/// The same to a topic of any name; odd ones are binary.
server.get("/tell/:topic/:first/:last") { request in
    let numbers = ["first", "last"].compactMap { request.parameters[$0].flatMap { Int($0) } }
    for number in numbers[0]...numbers[1] {
        let topic = request.parameters["topic"] ?? ""
        let status =
            number % 2 == 0
            ? server.publish(topic, "\"\(number)\"\n") : server.publish(topic, Array("\(number)".utf8))
        guard status == .sent else { return JazzyResponse(status: 503) }
    }
    return JazzyResponse(status: 204)
}
server.get("/close/:code") { request in
    let code = request.parameters["code"].flatMap { UInt16($0) }.map { WsCloseCode($0) }
    server.close(topic: "feed", code: code ?? .normal)
    return JazzyResponse(status: 204)
}

try server.listen(host: "127.0.0.1", port: 0)
print("listening on port \(server.port)")
fflush(nil)
try await server.runUntilCancelled(untilSignal: true)
