// The four routes of the README's walk-through, and a page to chat on, with a room of its own. `chat --port N` chooses
// another port than 8080.
import ChatRoom
import ExampleSupport
import FourRoutes
import JazzySwift

addFourRoutes()

// The page's room: the same with a topic. Messages have the member's name, from the page. A page that is left says so;
// if it cannot, because its tab or its network is lost, the server tells the room, after at most 30 s.
struct Member { var name: String? }
let roomOptions = JazzyRouteOptions(idleTimeout: .after(.seconds(30)))
Route.ws("/room", options: roomOptions, state: { Member() }) { ws, event, message in
    if event == .open { ws.subscribe("room") }
    if event == .message, message.kind == .text {
        let text = message.text
        ws.state.name = nameToKeep(of: ws.state.name, saying: text)
        Jazzy.publish("room", text)
    }
    if case .close = event, let name = ws.state.name {
        Jazzy.publish("room", name + "'s connection is lost.")
    }
}

Route.get("/", .html(chatPage))

await serve()
