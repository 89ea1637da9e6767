// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "jazzy",
    products: [
        .library(name: "JazzySwift", targets: ["JazzySwift"]),
        .library(name: "CJazzyPoll", targets: ["CJazzyPoll"]),
        .executable(name: "chat", targets: ["chat"]),
        .executable(name: "bench-echo-c", targets: ["bench-echo-c"]),
        .executable(name: "bench-echo-swift", targets: ["bench-echo-swift"]),
    ],
    targets: [
        // Where zlib is missing, SwiftPM names the system's package of it, and the compiler says so, too.
        .systemLibrary(
            name: "CJazzyZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "CJazzyPoll",
            dependencies: ["CJazzyZlib"],
            // The core's assertions are for the tests: a user's release build does not pay for them.
            cSettings: [.define("NDEBUG", .when(configuration: .release))],
            linkerSettings: [.linkedLibrary("z")]
        ),
        .target(
            name: "JazzySwift",
            dependencies: ["CJazzyPoll"],
            // WsMessage is a non-escapable type, and its initializer says what it borrows from.
            swiftSettings: [.enableExperimentalFeature("Lifetimes")]
        ),
        .testTarget(name: "JazzySwiftTests", dependencies: ["JazzySwift", "CJazzyPoll", "CJazzyZlib"]),
        .executableTarget(name: "chat", dependencies: ["JazzySwift"], path: "Examples/Chat"),
        .executableTarget(name: "bench-echo-c", dependencies: ["CJazzyPoll"], path: "Benchmarks/bench-echo-c"),
        .executableTarget(
            name: "bench-echo-swift", dependencies: ["JazzySwift"], path: "Benchmarks/bench-echo-swift"),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
