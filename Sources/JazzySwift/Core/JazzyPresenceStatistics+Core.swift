import CJazzyPoll

extension JazzyPresenceStatistics {
    init(of core: OpaquePointer) {
        var known = jz_presence_statistics()
        jz_server_presence_statistics(core, &known)
        topics = Int(clamping: known.topics)
        members = Int(clamping: known.members)
        bytes = Int(clamping: known.bytes)
        servers = Int(clamping: known.servers)
        membersElsewhere = Int(clamping: known.members_elsewhere)
        notKept = Int(clamping: known.not_kept)
        malformed = Int(clamping: known.malformed)
    }
}
