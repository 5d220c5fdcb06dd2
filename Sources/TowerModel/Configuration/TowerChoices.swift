/// Which form the user tower has.
public enum UserTowerKind: String, Sendable, CaseIterable {
    /// Recency-weighted pooling of the history with learned weights, then a small network.
    case pooled
    /// Causal blocks over the history in its order; see ``BlockKind``.
    case sequence
}

/// What a block of the sequence tower is made of.
public enum BlockKind: String, Sendable, CaseIterable {
    /// Softmax self-attention (Kang and McAuley 2018).
    case attention
    /// Pointwise attention through SiLU with a gate (Zhai et al. 2024, arXiv 2402.17152).
    case hstu
}

/// How the sequence tower turns what its blocks found into the user's vector.
public enum HeadKind: String, Sendable, CaseIterable {
    /// The last block's output, normalised, plus the attributes.
    case direct
    /// A small network over that output, the newest item, moving means of the history and the attributes.
    case network
}

/// Where the sequence tower's sampled losses take their negatives from.
public enum NegativeSampling: String, Sendable, CaseIterable {
    /// From the batch's own targets: frequent items come often.
    case batch
    /// All items alike.
    case uniform
    /// Half from each (Yang et al. 2020).
    case mixed
}

/// How the products of a training are computed.
public enum TrainingPrecision: String, Sendable, CaseIterable {
    /// With Float32 throughout.
    case float32
    /// Factors rounded to bfloat16, sums in Float32; Float32 where the processor has no such products.
    case bfloat16
    /// `bfloat16` where it takes less time than Float32.
    case auto
}

/// How it is known how often a batch's targets contain an item.
public enum FrequencyEstimate: String, Sendable, CaseIterable {
    /// Counted over all examples before training.
    case counted
    /// Estimated while training from the steps between occurrences (Yi et al. 2019, algorithm 2).
    case streaming
}

/// How embedding tables learn; both touch only the rows that a batch used.
public enum TableOptimizer: String, Sendable, CaseIterable {
    /// One accumulator per row (Duchi et al. 2011, as used for recommendation tables).
    case adagrad
    /// Adam whose moments move only for used rows.
    case adam
}

/// Where the embedding tables of a training of several ranks lie.
public enum TableSharding: String, Sendable, CaseIterable {
    /// Whole on every rank.
    case none
    /// Row r with its optimizer state on rank r mod ranks alone; a batch fetches the rows that it reads.
    case rows
}

/// Which loss is trained.
public enum LossKind: String, Sendable, CaseIterable {
    /// `full` up to ``TowerConfiguration/fullSoftmaxItems`` items, `sampled` above.
    case auto
    /// Softmax over the whole catalogue.
    case full
    /// Softmax over the batch's targets and uniform negatives, corrected for how often each is drawn.
    case sampled
    /// Binary cross-entropy against sampled negatives with a calibrated positive (Petrov and Macdonald 2023: gSASRec); sequence tower only.
    case bce
}

/// How gradients travel between ranks.
public enum GradientCompression: String, Sendable, CaseIterable {
    /// As Float32.
    case none
    /// Rounded to bfloat16, to nearest, ties to even; sums are made in Float32.
    case bfloat16
}

/// Whether a model's tables and weights are whole numbers of 8 bits, and what training knows of it.
public enum Quantisation: String, Sendable, CaseIterable {
    /// Float32.
    case none
    /// Rounded once training is done.
    case int8Post = "int8-post"
    /// Rounded in every step, so that training makes up for it: loss and gradients are those of the rounded model, and steps move what was
    /// not rounded (the straight-through estimator, Bengio et al. 2013).
    case int8Aware = "int8-aware"
}
