import JazzySwift
import JazzyTesting
import Testing

@Suite("A client of a server that does what Jazzy's own does not")
struct ScriptedServerTests {
    @Test("Answers reach a server that has ended its own direction behind what asks for them")
    func endedDirection() async throws {
        let server = try ScriptedServer()
        for _ in 1...20 {
            async let frames = server.serve { connection in
                connection.send(JazzyTestFrame(.ping, [1]), JazzyTestFrame(.ping, [2]), .close(code: 1_001))
                connection.endSending()
                return try connection.frames()
            }
            let client = try await JazzyTestClient(port: server.port)
            try await client.awaitEnd()
            #expect(try await frames.map(\.opcode) == [.pong, .pong, .close])
            #expect(try await frames.map(\.payload) == [[1], [2], [0x03, 0xE9]])
        }
    }

    @Test("Where both sides close at the same time, the client sends one close frame, and has the server's")
    func crossedCloses() async throws {
        let server = try ScriptedServer()
        for _ in 1...100 {
            async let frames = server.serve { connection in
                connection.send(.close(code: 1_001))
                connection.endSending()
                return try connection.frames()
            }
            let client = try await JazzyTestClient(port: server.port)
            #expect(try await client.close(code: 1_000).code == 1_001)
            #expect(try await frames.map(\.opcode) == [.close])
        }
    }

    @Test("What a client sends is not held up by a server that never pauses, nor is its end of the connection")
    func noPause() async throws {
        let server = try ScriptedServer()
        async let frames = server.serve { connection in
            let many = Array(repeating: JazzyTestFrame(.text).bytes, count: 4_096).flatMap { $0 }
            while !connection.hasInput { connection.send(many) }
            let frame = try connection.frame()
            while connection.send(many) {}
            return frame
        }
        let client = try await JazzyTestClient(port: server.port)
        #expect(try await client.frame().opcode == .text)
        try await client.send("enough")
        client.disconnect()
        #expect(try await frames?.text == "enough")
    }

    @Test("A server that wants answers, and reads none, is given up where that is limited")
    func unreadAnswers() async throws {
        let server = try ScriptedServer()
        async let end: Void = server.serve { connection in
            let many = Array(repeating: JazzyTestFrame(.ping, [UInt8](repeating: 1, count: 125)).bytes, count: 100)
            while connection.send(many.flatMap { $0 }) {}
        }
        let client = try await JazzyTestClient(
            port: server.port, "/", headers: [:], timeLimit: .seconds(20), mostUnread: 1 << 20)
        let error = await #expect(throws: JazzyTestError.self) { try await client.message() }
        #expect(error?.code == .malformed)
        client.disconnect()
        try await end
    }
}
