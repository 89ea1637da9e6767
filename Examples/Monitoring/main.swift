// What an operator sees of a server: a live page at /jazzy, metrics for Prometheus, health for load balancers.
import ExampleSupport
import JazzySwift

Route.dashboard("/jazzy")
Route.metrics("/metrics")
Route.health("/health")

// The same page for those who know a word, from anywhere. A real one would not be in the source.
Route.dashboard("/for/operators") { request in
    guard let word = request.queryValue("word") else { return .reject(401) }
    return word == "swordfish" ? .accept() : .reject(403)
}

// Something to look at: what anybody says, everybody hears.
Route.ws("/room/:name", state: { $0.parameters["name"] ?? "" }) { ws, event, message in
    if event == .open { ws.subscribe(ws.state) }
    if event == .message, message.kind == .text { ws.publish(ws.state, message.text) }
}

Route.ws("/echo") { ws, event, message in
    if event == .message { ws.send(message.bytes, kind: message.kind) }
}

await serve()
