extension TowerConfiguration {
    /// What the preset `mean` changes.
    mutating func applyMean() {
        userTower = .mean
        hidden = 128
        historyLength = 20
        unitLength = true
        temperature = 0.05
        tableOptimizer = .adagrad
        tableLearningRate = 0.05
        weightDecay = 0
        clipNorm = 0
    }

    /// Settings that the mean tower cannot follow are refused rather than ignored.
    func validateMean() throws(ConfigurationError) {
        func refuse(_ key: String, _ why: String) throws(ConfigurationError) {
            throw ConfigurationError(
                key: key,
                description: "train.\(key) is \(value(of: key) ?? "") but train.user_tower is mean, \(why); the preset mean has settings that fit")
        }
        if dimension % 16 != 0 { try refuse("dimension", "whose rows are whole registers: a multiple of 16") }
        if hidden % 16 != 0 || hidden == 0 { try refuse("hidden", "whose layers are whole registers: a multiple of 16 above 0") }
        if !unitLength { try refuse("unit_length", "which compares vectors by angle: true") }
        if temperature < 0.02 { try refuse("temperature", "whose exponentials would leave the range of a Float: at least 0.02") }
        if tableOptimizer != .adagrad { try refuse("table_optimizer", "which learns its rows by adagrad") }
        if clipNorm != 0 { try refuse("clip_norm", "which limits no gradient: 0") }
        if accumulation != 1 { try refuse("accumulation", "which takes a step a batch: 1") }
        if weightAverage != 0 { try refuse("weight_average", "which keeps no average: 0") }
        if loss == .full || loss == .bce { try refuse("loss", "whose loss is over the items of the batch: auto or sampled") }
        if learnedTemperature { try refuse("learned_temperature", "whose temperature stays: false") }
        if maskHistory { try refuse("mask_history", "whose loss leaves nothing out: false") }
    }
}
