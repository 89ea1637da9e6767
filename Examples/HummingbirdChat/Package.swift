// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because Hummingbird needs many others: nothing else here builds them. (Its folder is not called
// Hummingbird, as SwiftPM would take it for the package of that name.)
let package = Package(
    name: "jazzy-hummingbird",
    dependencies: [
        .package(
            name: "jazzy", path: "../..",
            traits: ["JazzyLogging", "JazzyMetrics", "JazzyServiceLifecycle", "JazzyTracing"]),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.9.0"),
    ],
    targets: [
        .executableTarget(
            name: "hummingbird-chat",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "JazzyLogging", package: "jazzy"),
                .product(name: "JazzyMetrics", package: "jazzy"),
                .product(name: "JazzyServiceLifecycle", package: "jazzy"),
                .product(name: "JazzySwift", package: "jazzy"),
                .product(name: "JazzyTracing", package: "jazzy"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            path: "Sources",
            swiftSettings: [.treatAllWarnings(as: .error)])
    ],
    swiftLanguageModes: [.v6]
)
