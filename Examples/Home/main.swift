// What `make run` serves, all on one port: a home page, a chat with rooms, a live feed, the four routes of the README's
// walk-through with a console to talk to each, and what operators ask for. The pages are in the folder Pages.
import ExampleSupport
import FourRoutes
import JazzySwift

addFourRoutes()
Route.dashboard("/jazzy")
Route.metrics("/metrics")
Route.health("/health")
for page in Page.all {
    Route.get(page.path) { _ in page.response() }
}

// The chat: who sends faster than that is read later, and who does not read is let go. What was said is kept a while, for
// those who come, and those who come back.
let lobby = Lobby()
Jazzy.history(Lobby.prefix, keep: Lobby.kept, for: .seconds(600), bytes: Lobby.bytesKept)
Jazzy.onPresence(prefix: Lobby.prefix, Lobby.tell)
let chatOptions = JazzyRouteOptions(
    maxMessageSize: 32_768, deflate: .shared, backpressurePolicy: .close, idleTimeout: .after(.seconds(60)),
    messageRate: .perSecond(5, burst: 20, exceeding: .pauseReading))
Route.ws("/rooms", options: chatOptions) { ws, messages in try await lobby.receive(ws, messages) }

// Viewers only listen. Who does not keep up misses what is old already, and nobody waits for it.
let market = Market()
let vitals = Vitals(of: lobby)
let viewerOptions = JazzyRouteOptions(
    maxMessageSize: 128, deflate: .shared, backpressureLimit: 65_536, idleTimeout: .after(.seconds(60)),
    messageRate: .perSecond(1, exceeding: .close))
Route.ws("/ticks", options: viewerOptions) { ws, messages in try await market.receive(ws, messages) }
Route.ws("/vitals", options: viewerOptions) { ws, messages in try await vitals.receive(ws, messages) }

try await withThrowingTaskGroup { group in
    group.addTask { try await lobby.run() }
    group.addTask { try await market.run() }
    group.addTask { try await vitals.run() }
    group.addTask { await serve() }
    try await group.next()
    group.cancelAll()
}
