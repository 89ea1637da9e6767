// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "jazzy",
    products: [
        .library(name: "JazzySwift", targets: ["JazzySwift"]),
        .library(name: "JazzyTesting", targets: ["JazzyTesting"]),
        .library(name: "CJazzyPoll", targets: ["CJazzyPoll"]),
    ],
    targets: [
        // Where zlib is missing, SwiftPM names the system's package of it, and the compiler says so, too.
        .systemLibrary(
            name: "CJazzyZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "CJazzyPoll",
            dependencies: ["CJazzyZlib"],
            // An include of the core names the folder: "codec/utf8.h". And its assertions are for the tests: a user's
            // release build does not pay for them.
            cSettings: [.headerSearchPath("."), .define("NDEBUG", .when(configuration: .release))],
            linkerSettings: [.linkedLibrary("z")]
        ),
        .target(
            name: "JazzySwift",
            dependencies: ["CJazzyPoll"],
            swiftSettings: [
                // WsMessage is a non-escapable type, and its initializer says what it borrows from.
                .enableExperimentalFeature("Lifetimes"),
                // A file that does not import the core cannot use it through one that does.
                .enableUpcomingFeature("MemberImportVisibility"),
            ]
        ),
        // For the tests of those who use JazzySwift, and for ours.
        .target(
            name: "JazzyTesting",
            dependencies: ["JazzySwift", "CJazzyPoll", "CJazzyZlib"],
            swiftSettings: [.enableUpcomingFeature("MemberImportVisibility")]
        ),
        .testTarget(name: "JazzySwiftTests", dependencies: ["JazzySwift", "JazzyTesting", "CJazzyPoll"]),
        .testTarget(name: "JazzyTestingTests", dependencies: ["JazzySwift", "JazzyTesting"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
