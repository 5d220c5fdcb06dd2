extension TowerConfiguration {
    /// The user tower, whichever its form, and what it learns of users beside their history.
    public struct Users: Sendable, Equatable {
        /// Form of the user tower.
        public var kind = UserTowerKind.pooled
        /// K: weighted means of the history that the pooled tower sees.
        public var heads = 4
        /// Width of the user tower's hidden layer; 0 for none.
        public var hidden = 256
        /// Rows for hashed user attributes.
        public var buckets = 8_192
        /// Users that must share an attribute before it is learned.
        public var attributeMinimumUsers = 5
    }

    /// What the sequence tower is made of.
    public struct SequenceForm: Sendable, Equatable {
        /// What its blocks are made of.
        public var block = BlockKind.hstu
        /// Blocks.
        public var blocks = 2
        /// Attention heads of each block.
        public var attentionHeads = 2
        /// Width of each block's feed-forward layer; 0 for none.
        public var feedForward = 0
        /// Whether attention learns a bias for each distance.
        public var distanceBias = true
        /// Whether each place of the window has a learned vector.
        public var places = false
        /// Share of its inputs and of its blocks' outputs set to zero.
        public var dropout: Float = 0.2
        /// How it ends.
        public var head = HeadKind.network
        /// Moving means of the history that its head sees.
        public var historyMeans = 3
    }

    /// The item tower.
    public struct Items: Sendable, Equatable {
        /// Width of its hidden layer; 0 for none.
        public var hidden = 128
        /// Whether it sees content.
        public var usesContent = true
        /// Rows for hashed words and word pieces.
        public var textBuckets = 32_768
        /// Rows for hashed categories, tags and attributes.
        public var tagBuckets = 32_768
        /// Tokens kept of each field of an item.
        public var textTokens = 64
        /// Whether vectors are scaled to length 1, popularity apart.
        public var unitLength = false
    }

    /// What training leaves out by chance.
    public struct Dropout: Sendable, Equatable {
        /// Share of items that a batch sees by content alone (Volkovs et al. 2017).
        public var ids: Float = 0.1
        /// Share of history entries that are left out.
        public var history: Float = 0
        /// Share of examples of which the pooled tower sees the newest ``TowerConfiguration/shortHistoryEntries`` at most: what it knows of
        /// new users.
        public var shortHistory: Float = 0
        /// Share of examples without the user's attributes.
        public var attributes: Float = 0.1
        /// Share of the user tower's inputs set to zero.
        public var inputs: Float = 0.1
    }

    /// What a training makes small.
    public struct Loss: Sendable, Equatable {
        /// Which loss is trained.
        public var kind = LossKind.auto
        /// Largest catalogue for which ``LossKind/auto`` means the full loss.
        public var fullSoftmaxItems = 30_000
        /// Uniform negatives of a batch under the sampled loss.
        public var negatives = 1_024
        /// Where the sequence tower's negatives come from.
        public var negativeSampling = NegativeSampling.mixed
        /// How it is known how often the batch's targets contain an item.
        public var logQEstimate = FrequencyEstimate.counted
        /// t of the calibrated binary cross-entropy: 0 plain, 1 fully calibrated.
        public var calibration: Float = 0.75
        /// Whether sampled scores are corrected for how often an item is drawn.
        public var logQCorrection = true
        /// Divides the similarity of unit-length vectors.
        public var temperature: Float = 1
        /// Whether the temperature is learned, from ``temperature`` on.
        public var learnedTemperature = false
        /// Whether items of the history are left out of the loss.
        public var maskHistory = false
        /// τ in loss(score + τ ln π); 0 for none.
        public var logitAdjustment: Float = 0
    }

    /// What a teacher gives, where there is one.
    public struct Distillation: Sendable, Equatable {
        /// α: the share of the loss that the teacher gives.
        public var weight: Float = 0.5
        /// T: larger makes the teacher's answers softer.
        public var temperature: Float = 2
    }

    /// Which interactions are examples, and what each weighs.
    public struct Examples: Sendable, Equatable {
        /// How far ahead the interaction to predict may lie.
        public var targetsAhead = 1
        /// Most examples of one user in an epoch; 0 for no limit.
        public var perUser = 0
        /// Weight of a click.
        public var clickWeight: Float = 1
        /// Weight of an add to cart.
        public var cartWeight: Float = 1
        /// Weight of a purchase.
        public var purchaseWeight: Float = 1
        /// Age in days at which an example counts half; 0 counts all alike.
        public var recencyHalfLifeDays: Float = 0
        /// β of the effective-number weights; 0 for none.
        public var tailBeta: Float = 0
        /// Power of popularity in an item's propensity, by whose inverse examples weigh; 0 for none.
        public var propensityPower: Float = 0
        /// Largest inverse-propensity weight, in mean weights.
        public var propensityLimit: Float = 10
    }

    /// The steps of a training.
    public struct Steps: Sendable, Equatable {
        /// Examples of one step.
        public var batchSize = 1_024
        /// Batches whose gradients one step sums.
        public var accumulation = 1
        /// How the products of a training are computed; parameters and serving are always Float32.
        public var precision = TrainingPrecision.float32
        /// Share of the averaged weights that a step keeps; 0 for no averaging.
        public var weightAverage: Float = 0
        /// Peak step size of the dense layers.
        public var learningRate: Float = 0.002
        /// Peak step size of the embedding tables.
        public var tableLearningRate: Float = 0.002
        /// How embedding tables learn.
        public var tableOptimizer = TableOptimizer.adam
        /// Decoupled weight decay of the dense layers.
        public var weightDecay: Float = 0.01
        /// Share of the steps over which the step size rises.
        public var warmupShare: Float = 0.05
        /// Largest length of a step's gradient; 0 for no limit.
        public var clipNorm: Float = 1
    }

    /// How a training is watched.
    public struct Validation: Sendable, Equatable {
        /// Users whose last interaction is held out.
        public var users = 0
        /// Epochs without a better validation after which training stops; 0 never stops early.
        public var patience = 0
    }

    /// What is done to the model that serves.
    public struct Served: Sendable, Equatable {
        /// λ in score − λ ln p of its vectors.
        public var popularityDial: Float = 0
        /// Whether tables and weights are rounded to 8 bits.
        public var quantisation = Quantisation.none
    }

    /// A training of several ranks.
    public struct Ranks: Sendable, Equatable {
        /// Where the embedding tables lie.
        public var tableSharding = TableSharding.none
        /// How gradients travel between ranks.
        public var gradientCompression = GradientCompression.none
    }
}
