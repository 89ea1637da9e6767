// Sends a value as JSON.
import ExampleSupport
import JazzySwift

struct Welcome: Encodable {
    var type = "welcome"
    var userID = 12345
    var message = "Connected to the live feed."

    enum CodingKeys: String, CodingKey {
        case type
        case userID = "user_id"
        case message
    }
}

Route.ws("/feed") { ws, event, _ in
    if event == .open { try ws.send(json: Welcome()) }
}

await serve()
