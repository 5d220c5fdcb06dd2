extension TowerConfiguration {
    /// Contradictions between settings that are each in range; called where training starts.
    ///
    /// - Parameters:
    ///   - ranks: processes that train together. - hasTeacher: whether there is a teacher.
    public func validate(ranks: Int = 1, hasTeacher: Bool = false) throws(ConfigurationError) {
        if hasTeacher && users.kind != .pooled {
            throw ConfigurationError(
                key: "user_tower",
                description:
                    "train.user_tower is \(users.kind.rawValue), which learns without a teacher; choose pooled (presets small and "
                        + "default), or leave out --teacher"
            )
        }
        if ranks > 1 && self.ranks.tableSharding == .rows { try validateSharding() }
        if loss.temperature != 1 && !items.unitLength {
            throw ConfigurationError(
                key: "temperature",
                description:
                    "train.temperature is \(loss.temperature) but train.unit_length is false; a temperature only makes sense for vectors "
                        + "of unit length"
            )
        }
        if loss.learnedTemperature && !items.unitLength {
            throw ConfigurationError(
                key: "learned_temperature",
                description:
                    "train.learned_temperature is true but train.unit_length is false; a temperature only makes sense for vectors of unit "
                        + "length"
            )
        }
        if users.kind == .sequence && dimension % sequence.attentionHeads != 0 {
            throw ConfigurationError(
                key: "attention_heads",
                description: "train.attention_heads is \(sequence.attentionHeads), which does not divide train.dimension, \(dimension)")
        }
        if loss.kind == .bce && users.kind != .sequence {
            throw ConfigurationError(
                key: "loss",
                description: "train.loss is bce but train.user_tower is \(users.kind.rawValue); only the sequence tower has that loss")
        }
        if loss.logitAdjustment > 0 && loss.kind == .bce {
            throw ConfigurationError(
                key: "logit_adjustment",
                description:
                    "train.logit_adjustment is \(loss.logitAdjustment) but train.loss is bce; only the softmax losses (full, sampled) "
                        + "carry it. Choose one, or weigh examples by train.propensity_power"
            )
        }
        if loss.logitAdjustment > 0 && hasTeacher {
            throw ConfigurationError(
                key: "logit_adjustment",
                description:
                    "train.logit_adjustment is \(loss.logitAdjustment) but there is a teacher, whose answers are those of popularity as it "
                        + "is; set it to 0, or leave out --teacher"
            )
        }
        if users.kind == .sequence && loss.negatives == 0 && (loss.kind == .sampled || loss.kind == .bce) {
            throw ConfigurationError(
                key: "negatives", description: "train.negatives is 0; the \(loss.kind.rawValue) loss of the sequence tower needs negatives")
        }
        if validation.patience > 0 && validation.users == 0 {
            throw ConfigurationError(
                key: "patience",
                description:
                    "train.patience is \(validation.patience) but train.validation_users is 0; early stopping needs users to validate on"
            )
        }
    }

    /// What a training whose tables lie on several ranks cannot do.
    private func validateSharding() throws(ConfigurationError) {
        func refuse(_ key: String, _ what: String) throws(ConfigurationError) {
            throw ConfigurationError(key: key, description: "\(what), or set train.table_sharding to none")
        }
        if loss.kind == .full {
            try refuse(
                "loss",
                "train.loss is full, which needs the vectors of all items in every step, and train.table_sharding is rows; choose sampled "
                    + "or auto"
            )
        }
        if validation.users > 0 {
            try refuse(
                "validation_users",
                "train.validation_users is \(validation.users), which ranks all items after every epoch, and train.table_sharding is rows; "
                    + "set it to 0"
            )
        }
        if served.quantisation == .int8Aware {
            try refuse(
                "quantisation",
                "train.quantisation is int8-aware, which keeps a second, rounded table, and train.table_sharding is rows; choose int8-post")
        }
    }
}
