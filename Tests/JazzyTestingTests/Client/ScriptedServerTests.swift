import Dispatch
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

    @Test("All answers reach a server that has ended its own direction, though it reads late, and they are many")
    func manyAnswers() async throws {
        let server = try ScriptedServer()
        let mayRead = DispatchSemaphore(value: 0)
        async let frames = server.serve { connection in
            // The answers are more than the kernel takes while they are not read.
            let pings = Array(repeating: JazzyTestFrame(.ping, [UInt8](repeating: 1, count: 125)).bytes, count: 60_000)
            connection.send(pings.flatMap { $0 } + JazzyTestFrame.close(code: 1_001).bytes)
            connection.endSending()
            _ = mayRead.wait(timeout: .now() + 20)
            return try connection.frames()
        }
        let client = try await JazzyTestClient(port: server.port)
        try await client.awaitClose()
        mayRead.signal()
        try await client.awaitEnd()
        #expect(try await frames.count { $0.opcode == .pong } == 60_000)
        #expect(try await frames.last?.opcode == .close)
    }

    @Test("A reset behind much input ends the connection")
    func resetBehindInput() async throws {
        let server = try ScriptedServer()
        let many = Array(repeating: JazzyTestFrame(.ping, [UInt8](repeating: 1, count: 125)).bytes, count: 40_000)
        let pings = many.flatMap { $0 }
        for _ in 1...10 {
            // It reads no answers, so that its end is a reset.
            async let end = server.serve { $0.send(pings) }
            let client = try await JazzyTestClient(port: server.port)
            try await client.awaitEnd()
            #expect(try await end)
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
