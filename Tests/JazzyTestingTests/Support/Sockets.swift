#if os(Linux) && (arch(x86_64) || arch(arm64))
    import Foundation
    import Testing

    #if arch(x86_64)
        private let numbers = (prctl: 157, seccomp: 317, socket: UInt32(41), socketPair: UInt32(53))
    #else
        private let numbers = (prctl: 167, seccomp: 277, socket: UInt32(198), socketPair: UInt32(199))
    #endif

    /// How many of this process's descriptors are sockets.
    func socketCount() throws -> Int {
        let folder = "/proc/self/fd/"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            // The descriptor by which the folder is read has gone meanwhile.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder + $0)
            return target?.hasPrefix("socket:") == true
        }.count
    }

    /// Forbids sockets in this process, for ever: asked for one, the kernel answers EPERM.
    func forbidSockets() throws {
        // PR_SET_NO_NEW_PRIVS; then SECCOMP_SET_MODE_FILTER with SECCOMP_FILTER_FLAG_TSYNC, which is for all threads.
        try call(numbers.prctl, 38, 1)
        try filter.withUnsafeBufferPointer { instructions in
            try withUnsafePointer(to: Program(length: 5, instructions: instructions.baseAddress)) { program in
                try call(numbers.seccomp, 1, 1, Int(bitPattern: program))
            }
        }
    }

    /// Whether a socket is refused for that reason.
    func socketsAreForbidden() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let reason = errno
        if descriptor >= 0 { close(descriptor) }
        return descriptor < 0 && reason == EPERM
    }

    private func call(_ number: Int, _ arguments: Int...) throws {
        // A C function with a variable number of arguments, which Swift does not import.
        typealias SystemCall = @convention(c) (Int, Int, Int, Int, Int, Int) -> Int
        let symbol = try #require(dlsym(nil, "syscall"))
        let padded = arguments + [0, 0, 0, 0]
        let result = unsafeBitCast(symbol, to: SystemCall.self)(
            number, padded[0], padded[1], padded[2], padded[3], padded[4])
        try #require(result == 0, "the system call \(number) failed: \(String(cString: strerror(errno)))")
    }

    /// A classic BPF program (linux/filter.h), which the kernel runs on the number of each system call.
    private let filter = [
        Instruction(code: 0x20, operand: 0),  // load the number
        Instruction(code: 0x15, jumpIfTrue: 1, operand: numbers.socket),
        Instruction(code: 0x15, jumpIfFalse: 1, operand: numbers.socketPair),
        Instruction(code: 0x06, operand: 0x0005_0000 | UInt32(EPERM)),  // SECCOMP_RET_ERRNO
        Instruction(code: 0x06, operand: 0x7FFF_0000),  // SECCOMP_RET_ALLOW
    ]

    private struct Instruction {
        var code: UInt16
        var jumpIfTrue: UInt8 = 0
        var jumpIfFalse: UInt8 = 0
        var operand: UInt32
    }

    private struct Program {
        var length: UInt16
        var instructions: UnsafePointer<Instruction>?
    }
#endif
