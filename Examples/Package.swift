// swift-tools-version: 6.2
import PackageDescription

let jazzy = Target.Dependency.product(name: "JazzySwift", package: "jazzy")

func program(_ name: String, in folder: String) -> Target {
    .executableTarget(name: name, dependencies: ["ExampleSupport", jazzy], path: folder)
}

// A package of its own, so that none of its targets is part of the package that users depend on.
let package = Package(
    name: "jazzy-examples",
    dependencies: [.package(name: "jazzy", path: "..")],
    targets: [
        .target(name: "ExampleSupport", dependencies: [jazzy], path: "Support"),
        program("echo", in: "Echo"),
        program("status", in: "Status"),
        program("feed", in: "Feed"),
        program("broadcast", in: "Broadcast"),
        .target(name: "FourRoutes", dependencies: [jazzy], path: "FourRoutes"),
        .executableTarget(
            name: "home", dependencies: ["ExampleSupport", "FourRoutes", jazzy], path: "Home",
            resources: [.embedInCode("Pages")]),
        .target(name: "ChatRoom", path: "ChatRoom"),
        .executableTarget(
            name: "chat", dependencies: ["ChatRoom", "ExampleSupport", "FourRoutes", jazzy], path: "Chat"),
        .executableTarget(
            name: "cluster",
            dependencies: ["ChatRoom", "ExampleSupport", jazzy, .product(name: "JazzyRedis", package: "jazzy")],
            path: "Cluster"),
        program("rooms", in: "Rooms"),
        program("dashboard", in: "Dashboard"),
        program("game", in: "Game"),
        .executableTarget(
            name: "monitoring", dependencies: ["ExampleSupport", jazzy], path: "Monitoring",
            exclude: ["grafana-dashboard.json"]),
        .executableTarget(name: "deployed", dependencies: [jazzy], path: "Deployed"),
        .executableTarget(
            name: "secure", dependencies: [jazzy, .product(name: "JazzyTLS", package: "jazzy")], path: "Secure"),
    ],
    swiftLanguageModes: [.v6]
)
