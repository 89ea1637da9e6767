import JazzySwift
import JazzyTesting
import Testing

@Test func echoes() async throws {
    let server = JazzyServer()
    server.ws("/echo") { ws, event, message in
        if event == .message, message.kind == .text { ws.send(message.text) }
    }
    try server.start(port: 0)
    let client = try await JazzyTestClient(server, "/echo")
    try await client.send("hello")
    #expect(try await client.message() == "hello")
    #expect(try await client.close().code == 1000)
}
