// An echo server on SwiftNIO, for comparison: nio-echo --port N.
//
// One event loop; channel handlers rather than async sequences, which are slower. NIOWebSocket has no permessage-deflate,
// and does not check text.
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

func fail(_ message: String, exitCode: Int32) -> Never {
    FileHandle.standardError.write(Data("nio-echo: \(message)\n".utf8))
    exit(exitCode)
}

func portOf(_ arguments: [String]) -> Int {
    guard arguments.count == 2, arguments[0] == "--port", let port = Int(arguments[1]), (0...65_535).contains(port)
    else { fail("usage: nio-echo --port N", exitCode: 2) }
    return port
}

let port = portOf(Array(CommandLine.arguments.dropFirst()))
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let bootstrap = ServerBootstrap(group: group)
    .serverChannelOption(.backlog, value: 4096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: 16 << 20,
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            })
        return channel.pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
    }
do {
    let channel = try bootstrap.bind(host: "0.0.0.0", port: port).wait()
    print("listening on port \(port)")
    fflush(nil)
    try channel.closeFuture.wait()
} catch {
    fail("\(error)", exitCode: 1)
}
