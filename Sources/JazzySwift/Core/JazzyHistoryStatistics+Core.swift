import CJazzyPoll

extension JazzyHistoryStatistics {
    init(of core: OpaquePointer) {
        var kept = jz_history_statistics()
        jz_server_history_statistics(core, &kept)
        topics = Int(clamping: kept.topics)
        messages = Int(clamping: kept.messages)
        bytes = Int(clamping: kept.bytes)
        recovered = Int(clamping: kept.recovered)
        notRecovered = Int(clamping: kept.not_recovered)
    }
}
