// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that none of its targets is part of the package that users depend on.
let package = Package(
    name: "jazzy-benchmarks",
    dependencies: [.package(name: "jazzy", path: "..")],
    targets: [
        .executableTarget(
            name: "bench-echo-c", dependencies: [.product(name: "CJazzyPoll", package: "jazzy")], path: "bench-echo-c"),
        .executableTarget(
            name: "bench-echo-swift", dependencies: [.product(name: "JazzySwift", package: "jazzy")],
            path: "bench-echo-swift"),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
