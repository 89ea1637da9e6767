import CJazzyPoll

extension JazzyError {
    package init(_ error: jz_error) {
        var error = error
        let message = withUnsafeBytes(of: &error.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        self.init(Code(error.status), message)
    }
}

extension JazzyError.Code {
    init(_ status: jz_status) {
        switch status {
        case JZ_STATUS_OUT_OF_MEMORY: self = .outOfMemory
        case JZ_STATUS_INVALID_OPTION: self = .invalidOption
        case JZ_STATUS_INVALID_ROUTE: self = .invalidRoute
        case JZ_STATUS_INVALID_ADDRESS: self = .invalidAddress
        case JZ_STATUS_ADDRESS_IN_USE: self = .addressInUse
        case JZ_STATUS_ADDRESS_UNAVAILABLE: self = .addressUnavailable
        case JZ_STATUS_PERMISSION_DENIED: self = .permissionDenied
        case JZ_STATUS_NO_DESCRIPTORS: self = .noDescriptors
        case JZ_STATUS_INVALID_STATE: self = .invalidState
        case JZ_STATUS_TOO_MANY_SERVERS: self = .tooManyServers
        case JZ_STATUS_LIMIT_REACHED: self = .limitReached
        default: self = .system
        }
    }

    var core: jz_status {
        switch self {
        case .outOfMemory: JZ_STATUS_OUT_OF_MEMORY
        case .invalidOption: JZ_STATUS_INVALID_OPTION
        case .invalidRoute: JZ_STATUS_INVALID_ROUTE
        case .invalidAddress: JZ_STATUS_INVALID_ADDRESS
        case .addressInUse: JZ_STATUS_ADDRESS_IN_USE
        case .addressUnavailable: JZ_STATUS_ADDRESS_UNAVAILABLE
        case .permissionDenied: JZ_STATUS_PERMISSION_DENIED
        case .noDescriptors: JZ_STATUS_NO_DESCRIPTORS
        case .invalidState: JZ_STATUS_INVALID_STATE
        case .tooManyServers: JZ_STATUS_TOO_MANY_SERVERS
        case .limitReached: JZ_STATUS_LIMIT_REACHED
        case .system: JZ_STATUS_SYSTEM
        }
    }
}
