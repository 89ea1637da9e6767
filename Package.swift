// swift-tools-version: 6.2
import PackageDescription

/// Our own builds are strict. Packages of others are built with their warnings suppressed, so that a flag for all does
/// not do; and a user's compiler may have warnings that ours does not.
let strict: [SwiftSetting] =
    Context.environment["JAZZY_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// TLS to Redis (`rediss://`) needs OpenSSL, which who only has Redis need not have: so who depends on it says so by a
/// trait, or who builds by the environment.
let redisTLS = "JazzyRedisTLS"
let redisHasTLS = Context.environment["JAZZY_REDIS_TLS"] != nil
let whereRedisHasTLS: BuildSettingCondition? = redisHasTLS ? nil : .when(traits: [redisTLS])

/// Messages are compressed by zlib, or, for who says so by this trait, by Intel's ISA-L: in less time, but one more library
/// that has to be there.
let isal = "JazzyISAL"
let whereISAL: BuildSettingCondition = .when(traits: [isal])

/// Compilers find it without, but for Homebrew's. What pkg-config says of it elsewhere has a flag that SwiftPM refuses,
/// with a warning in every build of everybody who has it.
#if os(macOS)
    let hiredisForPkgConfig: String? = "hiredis"
#else
    let hiredisForPkgConfig: String? = nil
#endif

let package = Package(
    name: "jazzy",
    // The first ones that have Mutex; Span and RawSpan are in programs that are built for them.
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "JazzySwift", targets: ["JazzySwift"]),
        .library(name: "JazzyTesting", targets: ["JazzyTesting"]),
        .library(name: "CJazzyPoll", targets: ["CJazzyPoll"]),
        .library(name: "CJazzyTLS", targets: ["CJazzyTLS"]),
        .library(name: "JazzyTLS", targets: ["JazzyTLS"]),
        .library(name: "CJazzyRedis", targets: ["CJazzyRedis"]),
        .library(name: "JazzyRedis", targets: ["JazzyRedis"]),
        .executable(name: "jazzy-top", targets: ["jazzy-top"]),
    ],
    targets: [
        // Where zlib is missing, SwiftPM names the system's package of it, and the compiler says so, too.
        .systemLibrary(
            name: "CJazzyZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CJazzyISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"]), .brew(["isa-l"])]),
        .target(
            name: "CJazzyPoll",
            dependencies: ["CJazzyZlib", .target(name: "CJazzyISAL", condition: .when(traits: [isal]))],
            // An include of the core names the folder: "codec/utf8.h". And its assertions are for the tests: a user's
            // release build does not pay for them.
            cSettings: [
                .headerSearchPath("."), .define("NDEBUG", .when(configuration: .release)),
                .define("JZ_DEFLATE_ISAL", whereISAL),
            ],
            linkerSettings: [.linkedLibrary("z"), .linkedLibrary("isal", whereISAL)]
        ),
        // TLS for the C core, and the only target that needs OpenSSL: who does not depend on its products neither
        // builds it nor has to have that.
        .systemLibrary(
            name: "CJazzyOpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .target(
            name: "CJazzyTLS",
            dependencies: ["CJazzyPoll", "CJazzyOpenSSL"],
            cSettings: [.headerSearchPath("."), .define("NDEBUG", .when(configuration: .release))],
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        // Redis as a broker for the C core, and the only target that needs hiredis.
        .systemLibrary(
            name: "CJazzyHiredis", pkgConfig: hiredisForPkgConfig,
            providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
        .target(
            name: "CJazzyRedis",
            dependencies: [
                "CJazzyPoll", "CJazzyHiredis",
                .target(name: "CJazzyOpenSSL", condition: redisHasTLS ? nil : .when(traits: [redisTLS])),
            ],
            cSettings: [
                .headerSearchPath("."), .define("NDEBUG", .when(configuration: .release)),
                .define("JZ_REDIS_TLS", whereRedisHasTLS),
            ],
            linkerSettings: [
                .linkedLibrary("hiredis"), .linkedLibrary("ssl", whereRedisHasTLS),
                .linkedLibrary("crypto", whereRedisHasTLS),
            ]
        ),
        // The system's C library, whose modules have different names.
        .target(name: "JazzyPlatform", swiftSettings: strict),
        .target(
            name: "JazzySwift",
            dependencies: ["CJazzyPoll", "JazzyPlatform"],
            resources: [.embedInCode("Client/jazzy.js")],
            swiftSettings: strict + [
                // WsMessage is a non-escapable type, and its initializer says what it borrows from.
                .enableExperimentalFeature("Lifetimes"),
                // A file that does not import the core cannot use it through one that does.
                .enableUpcomingFeature("MemberImportVisibility"),
            ]
        ),
        .target(
            name: "JazzyTLS",
            dependencies: ["JazzySwift", "CJazzyTLS", "CJazzyPoll"],
            swiftSettings: strict + [.enableUpcomingFeature("MemberImportVisibility")]
        ),
        .target(
            name: "JazzyRedis",
            dependencies: ["JazzySwift", "CJazzyRedis", "CJazzyPoll"],
            swiftSettings: strict + [.enableUpcomingFeature("MemberImportVisibility")]
        ),
        // For the tests of those who use JazzySwift, and for ours.
        .target(
            name: "JazzyTesting",
            dependencies: ["JazzySwift", "CJazzyPoll", "CJazzyZlib", "JazzyPlatform"],
            swiftSettings: strict + [.enableUpcomingFeature("MemberImportVisibility")]
        ),
        // A server's dashboard in a terminal.
        .executableTarget(
            name: "jazzy-top", dependencies: ["JazzyTesting", "JazzySwift", "JazzyPlatform"], path: "Sources/JazzyTop",
            swiftSettings: strict + [.enableUpcomingFeature("MemberImportVisibility")]),
        .testTarget(
            name: "JazzySwiftTests", dependencies: ["JazzySwift", "JazzyTesting", "CJazzyPoll", "JazzyPlatform"],
            swiftSettings: strict),
        .testTarget(
            name: "JazzyTestingTests", dependencies: ["JazzySwift", "JazzyTesting", "JazzyPlatform"],
            swiftSettings: strict),
        .testTarget(
            name: "JazzyTLSTests", dependencies: ["JazzyTLS", "JazzySwift", "CJazzyOpenSSL", "JazzyPlatform"],
            swiftSettings: strict),
        .testTarget(
            name: "JazzyRedisTests", dependencies: ["JazzyRedis", "JazzySwift", "JazzyTesting", "JazzyPlatform"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)

package.traits.insert(.trait(name: redisTLS, description: "TLS to Redis and to Sentinels, which needs OpenSSL 3"))
package.traits.insert(.trait(name: isal, description: "Compression by ISA-L, in less time than zlib's"))

// MARK: The server ecosystem

// Each of these products needs a package of others, and each has a trait of its name. SwiftPM fetches nothing for a
// trait that nobody enables, but, without traits, everything that any product needs: who takes JazzySwift alone has no
// dependency.

package.dependencies += [
    .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.9.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.4.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.9.0"),
]

/// Adds a product, its target, its tests and its trait.
///
/// - Parameters:
///   - needs: Products of other packages that it needs, each with its package.
///   - others: What else it needs.
///   - tests: Products of other packages that its tests need, too.
///   - testOthers: What else its tests need.
@MainActor
func addProduct(
    _ name: String, _ description: String, needs: [(product: String, package: String)],
    with others: [Target.Dependency] = [], tests: [(product: String, package: String)] = [],
    testsWith testOthers: [Target.Dependency] = []
) {
    func dependencies(_ products: [(product: String, package: String)]) -> [Target.Dependency] {
        products.map { .product(name: $0.product, package: $0.package, condition: .when(traits: [name])) }
    }
    package.traits.insert(.trait(name: name, description: description))
    package.products.append(.library(name: name, targets: [name]))
    package.targets += [
        .target(name: name, dependencies: ["JazzySwift"] + others + dependencies(needs), swiftSettings: strict),
        .testTarget(
            name: name + "Tests",
            dependencies: [.target(name: name), "JazzySwift", "JazzyTesting"] + others + testOthers
                + dependencies(needs + tests),
            swiftSettings: strict),
    ]
}

addProduct(
    "JazzyLogging", "The log of a server, for swift-log", needs: [("Logging", "swift-log")],
    tests: [("InMemoryLogging", "swift-log")])
addProduct(
    "JazzyMetrics", "The statistics of a server, for swift-metrics", needs: [("Metrics", "swift-metrics")],
    tests: [("MetricsTestKit", "swift-metrics")])
addProduct(
    "JazzyTracing", "Spans of upgrades, for swift-distributed-tracing",
    needs: [("Tracing", "swift-distributed-tracing")], tests: [("InMemoryTracing", "swift-distributed-tracing")])
addProduct(
    "JazzyServiceLifecycle", "Servers as services of swift-service-lifecycle",
    needs: [("ServiceLifecycle", "swift-service-lifecycle")],
    with: [.target(name: "JazzyMetrics", condition: .when(traits: ["JazzyMetrics"]))],
    tests: [("ServiceLifecycleTestKit", "swift-service-lifecycle"), ("Logging", "swift-log")],
    testsWith: [
        .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["JazzyMetrics"]))
    ])
