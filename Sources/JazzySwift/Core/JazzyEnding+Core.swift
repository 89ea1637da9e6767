import CJazzyPoll

extension JazzyEnding {
    init(_ core: jz_ending) {
        clean = Int(clamping: core.clean)
        unclean = Int(clamping: core.unclean)
        cutOff = Int(clamping: core.cut_off)
        others = Int(clamping: core.others)
    }
}
