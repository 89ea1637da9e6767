import JazzyRedis
import JazzySwift
import Testing

@Suite("Options of Redis")
struct OptionTests {
    /// An option that is wrong, and what the error says.
    struct Wrong: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let change: @Sendable (inout JazzyRedisOptions) -> Void

        init(_ message: String, _ change: @escaping @Sendable (inout JazzyRedisOptions) -> Void) {
            (testDescription, self.change) = (message, change)
        }

        static let all = [
            Wrong("option queueLimit is 65535; it has to be from 65536 to 1099511627776") { $0.queueLimit = 65_535 },
            Wrong("option publishBatch is 0; it has to be from 1 to 16777216") { $0.publishBatch = 0 },
            Wrong("option linger is -1.0 seconds; it has to be from 0.0 seconds to 3600.0 seconds") {
                $0.linger = .seconds(-1)
            },
            Wrong("option probeInterval is 0.009 seconds; it has to be from 0.01 seconds to 3600.0 seconds") {
                $0.probeInterval = .milliseconds(9)
            },
            Wrong("option probeTimeout is 4.0 seconds; it has to be from 5.0 seconds to 3600.0 seconds") {
                $0.probeTimeout = .seconds(4)
            },
            Wrong("option connectTimeout is 0.0 seconds; it has to be from 0.01 seconds to 600.0 seconds") {
                $0.connectTimeout = .zero
            },
            Wrong("option stopTimeout is 601.0 seconds; it has to be from 0.0 seconds to 600.0 seconds") {
                $0.stopTimeout = .seconds(601)
            },
            Wrong("option backoffLeast is 0.0 seconds; it has to be from 0.001 seconds to 600.0 seconds") {
                $0.backoffLeast = .zero
            },
            Wrong("option backoffMost is 0.01 seconds; it has to be from 0.05 seconds to 600.0 seconds") {
                $0.backoffMost = .milliseconds(10)
            },
            Wrong("option prefix contains a NUL character") { $0.prefix = "a\0b" },
            Wrong(
                "clientName has a space or another character that Redis refuses: it has to be of '!' to '~' in ASCII"
            ) { $0.clientName = "my name" },
            Wrong(
                "sentinelUser and sentinelPassword are for Sentinels: "
                    + "the url has to begin with redis-sentinel:// or rediss-sentinel://"
            ) { $0.sentinelPassword = "x" },
            Wrong(
                "caFile, certificateFile and keyFile are for TLS: "
                    + "the url has to begin with rediss:// or rediss-sentinel://"
            ) { $0.caFile = "/ca.pem" },
        ]
    }

    @Test("An option that is out of range is named, with its range, when a server listens", arguments: Wrong.all)
    func wrong(wrong: Wrong) throws {
        var redis = JazzyRedisOptions("redis://127.0.0.1:1")
        wrong.change(&redis)
        var options = JazzyOptions()
        options.broker = .redis(redis)
        #expect(throws: JazzyError(.invalidOption, wrong.testDescription)) {
            try JazzyServer(options: options).listen(host: "127.0.0.1")
        }
    }

    @Test(
        "A URL that is wrong is refused, without its password",
        arguments: [
            "http://127.0.0.1", "redis://:sesame@", "redis://:sesame@127.0.0.1:70000", "",
        ])
    func wrongURL(url: String) throws {
        var options = JazzyOptions()
        options.broker = .redis(url)
        let error = #expect(throws: JazzyError.self) { try JazzyServer(options: options).listen(host: "127.0.0.1") }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.contains("sesame") == false)
    }

    /// With the trait, the next thing that is wrong is found.
    @Test(
        "Who forgets the trait of TLS is told to name it", arguments: ["rediss://127.0.0.1", "rediss-sentinel://h/m"])
    func secured(url: String) throws {
        var redis = JazzyRedisOptions(url)
        redis.caFile = "/there/is/none.pem"
        var options = JazzyOptions()
        options.broker = .redis(redis)
        let error = #expect(throws: JazzyError.self) { try JazzyServer(options: options).listen(host: "127.0.0.1") }
        #expect(error?.code == .invalidOption)
        #if JazzyRedisTLS
            #expect(error?.message.hasPrefix("caFile cannot be used") == true)
        #else
            #expect(error?.message.contains(#".package(..., traits: ["JazzyRedisTLS"])"#) == true)
        #endif
    }

    @Test("The short form sets what it names")
    func short() throws {
        var options = JazzyOptions()
        options.broker = .redis("redis://127.0.0.1:1", prefix: "a\0", ordering: .ordered, startsAlone: true) { _, _ in }
        #expect(throws: JazzyError(.invalidOption, "option prefix contains a NUL character")) {
            try JazzyServer(options: options).listen(host: "127.0.0.1")
        }
        options.broker = .redis("redis://127.0.0.1:1", startsAlone: true)
        let server = JazzyServer(options: options)
        try server.start(host: "127.0.0.1", port: 0)
        #expect(!server.statistics.broker.isJoined)
        #expect(!server.isLive("news"))
        server.stop()
        server.waitInTests()
    }
}

extension JazzyServer {
    /// Waits for the end, in a test that may block.
    fileprivate func waitInTests() { wait() }
}
