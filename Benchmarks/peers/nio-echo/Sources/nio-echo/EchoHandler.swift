import NIOCore
import NIOWebSocket

/// Echoes frame by frame: messages in fragments stay in fragments. All frames of one read are flushed at once.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .ping:
            write(.pong, of: frame, context)
        case .connectionClose:
            write(.connectionClose, of: frame, context)
            context.flush()
            context.close(promise: nil)
        case .pong:
            break
        default:
            write(frame.opcode, of: frame, context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func write(_ opcode: WebSocketOpcode, of frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        let answer = WebSocketFrame(fin: frame.fin, opcode: opcode, data: frame.unmaskedData)
        context.write(wrapOutboundOut(answer), promise: nil)
    }
}
