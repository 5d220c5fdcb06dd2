extension TowerConfiguration {
    mutating func apply(preset name: String) -> Bool {
        var fresh = TowerConfiguration()
        fresh.seed = seed
        fresh.threads = threads
        fresh.preset = name
        switch name {
        case "auto", "default": break
        case "small":
            fresh.dimension = 32
            fresh.users.heads = 3
            fresh.historyLength = 20
            fresh.users.hidden = 64
            fresh.items.hidden = 0
            fresh.items.textBuckets = 4_096
            fresh.items.tagBuckets = 4_096
            fresh.items.textTokens = 32
            fresh.users.buckets = 1_024
            fresh.steps.batchSize = 512
        case "sequence-large":
            fresh.users.kind = .sequence
            fresh.dimension = 128
            fresh.sequence.blocks = 4
            fresh.sequence.attentionHeads = 4
            fresh.historyLength = 200
            fresh.steps.batchSize = 4_096
            fresh.epochs = 30
            fresh.steps.precision = .auto
        default: return false
        }
        self = fresh
        return true
    }
}
