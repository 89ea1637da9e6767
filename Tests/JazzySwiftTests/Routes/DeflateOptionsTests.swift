import CJazzyPoll
import Testing

@testable import JazzySwift

/// An option of compression with its bounds, in Swift and in the core.
struct DeflateOptionCase: CustomTestStringConvertible, Sendable {
    let name: String
    let bounds: ClosedRange<Int>
    let shared: @Sendable (Int) -> JazzyDeflate
    let dedicated: @Sendable (Int) -> JazzyDeflate
    let setCore: @Sendable (inout jz_deflate_options, Int) -> Void

    var testDescription: String { name }

    static let all = [
        DeflateOptionCase(name: "windowBits", bounds: 9...15) {
            .shared(windowBits: $0)
        } dedicated: {
            .dedicated(windowBits: $0)
        } setCore: {
            $0.window_bits = UInt8($1)
        },
        DeflateOptionCase(name: "memoryLevel", bounds: 1...9) {
            .shared(memoryLevel: $0)
        } dedicated: {
            .dedicated(memoryLevel: $0)
        } setCore: {
            $0.memory_level = UInt8($1)
        },
        DeflateOptionCase(name: "level", bounds: 1...9) {
            .shared(level: $0)
        } dedicated: {
            .dedicated(level: $0)
        } setCore: {
            $0.level = UInt8($1)
        },
    ]

    /// Without bounds above, so that the cases of bounds do not hold for it.
    static let minimumMessageSize = DeflateOptionCase(name: "minimumMessageSize", bounds: 0...Int.max) {
        .shared(minimumMessageSize: $0)
    } dedicated: {
        .dedicated(minimumMessageSize: $0)
    } setCore: {
        $0.min_message_size = $1
    }
}

@Suite("Options of compression", .ownThreads)
struct DeflateOptionsTests {
    static func core(_ deflate: JazzyDeflate) throws -> jz_route_options {
        try JazzyRouteOptions(deflate: deflate).core(path: "/chat")
    }

    static func message(_ deflate: JazzyDeflate) -> String? {
        let error = #expect(throws: JazzyError.self) { try core(deflate) }
        #expect(error?.code == .invalidOption)
        return error?.message
    }

    @Test(
        "The defaults are the core's",
        arguments: [
            (JazzyDeflate.off, JZ_DEFLATE_OFF), (.shared, JZ_DEFLATE_SHARED), (.dedicated, JZ_DEFLATE_DEDICATED),
            (.shared(), JZ_DEFLATE_SHARED), (.dedicated(), JZ_DEFLATE_DEDICATED),
        ])
    func defaults(deflate: JazzyDeflate, mode: jz_deflate_mode) throws {
        var expected = jz_route_options_default()
        expected.deflate.mode = mode
        #expect("\(try Self.core(deflate))" == "\(expected)")
    }

    @Test("A route does not compress unless it says so")
    func defaultOfRoutes() {
        #expect(JazzyRouteOptions().deflate == .off)
        #expect(JazzyRouteOptions(maxMessageSize: 1).deflate == .off)
    }

    @Test(
        "Both bounds are in range, and reach the core as they are",
        arguments: DeflateOptionCase.all + [.minimumMessageSize])
    func bounds(option: DeflateOptionCase) throws {
        for bound in [option.bounds.lowerBound, option.bounds.upperBound] {
            var expected = jz_route_options_default()
            option.setCore(&expected.deflate, bound)
            for (deflate, mode) in [
                (option.shared(bound), JZ_DEFLATE_SHARED), (option.dedicated(bound), JZ_DEFLATE_DEDICATED),
            ] {
                expected.deflate.mode = mode
                #expect("\(try Self.core(deflate))" == "\(expected)")
            }
        }
    }

    @Test("What is beyond a bound is refused, naming the option", arguments: DeflateOptionCase.all)
    func beyond(option: DeflateOptionCase) {
        let (lowest, highest) = (option.bounds.lowerBound, option.bounds.upperBound)
        for value in [lowest - 1, highest + 1, -1, 256 + lowest] {
            for deflate in [option.shared(value), option.dedicated(value)] {
                let message = "option deflate.\(option.name) of the route /chat is \(value); "
                #expect(Self.message(deflate) == message + "it has to be from \(lowest) to \(highest)")
            }
        }
    }

    @Test("A negative minimum size is refused, naming the option")
    func negativeMinimum() {
        let message = "option deflate.minimumMessageSize of the route /chat is -1; it has to be at least 0"
        #expect(Self.message(.shared(minimumMessageSize: -1)) == message)
        #expect(Self.message(.dedicated(minimumMessageSize: -1)) == message)
    }

    @Test("The core has the same bounds", arguments: DeflateOptionCase.all)
    func core(option: DeflateOptionCase) throws {
        let server = try #require(jz_server_create(nil, nil))
        defer { jz_server_destroy(server) }
        for (value, isInRange) in [
            (option.bounds.lowerBound, true), (option.bounds.upperBound, true),
            (option.bounds.lowerBound - 1, false), (option.bounds.upperBound + 1, false),
        ] {
            var options = jz_route_options_default()
            option.setCore(&options.deflate, value)
            let status = jz_server_route_ws(server, "/\(value)", &options, { _, _, _, _ in }, nil, nil)
            #expect(status == (isInRange ? JZ_OK : JZ_STATUS_INVALID_OPTION), "\(value)")
        }
    }

    @Test(
        "The choices are the core's",
        arguments: [
            (JazzyCompression.automatic, JZ_COMPRESSION_AUTOMATIC), (.always, JZ_COMPRESSION_ALWAYS),
            (.never, JZ_COMPRESSION_NEVER),
        ])
    func compression(compression: JazzyCompression, core: jz_compression) {
        #expect(compression.core == core)
    }
}
