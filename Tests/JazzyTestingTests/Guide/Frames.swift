import JazzySwift
import JazzyTesting
import Testing

@Test func answersAPing() async throws {
    let server = JazzyServer()
    server.ws("/") { _, _, _ in }
    try server.start(port: 0)
    let client = try await JazzyTestClient(server, "/")
    #expect(client.response.status == 101)
    try await client.ping([1, 2, 3])
    #expect(try await client.frame() == JazzyTestFrame(.pong, [1, 2, 3]))

    try await client.send(raw: JazzyTestFrame("not masked").bytes)
    #expect(try await client.awaitClose().code == 1002)
    await server.stopAndWait(grace: .zero)
}
