import Bytes

/// One key of ``TowerConfiguration``: its name, range, meaning, and how it is read and written as text.
struct TowerSetting: Sendable {
    let name: String
    let range: String
    let summary: String
    let read: @Sendable (TowerConfiguration) -> String
    /// False where the text is not in range; the configuration is unchanged then.
    let write: @Sendable (inout TowerConfiguration, String) -> Bool

    static let all: [TowerSetting] = [
        TowerSetting(
            name: "preset", range: "one of \(TowerConfiguration.presets.joined(separator: ", "))",
            summary: "settings to start from, which replace all others but seed and threads; auto: chosen by what the data look like, "
                + "beside the holdout, the half-life of the blend and the rest that docs/learning.md lists; what is set on its own always "
                + "wins",
            read: { $0.preset }, write: { $0.apply(preset: $1) }),
        choice("user_tower", \.users.kind, "form of the user tower"),
        whole(
            "dimension", \.dimension, 8...512, multiple: 8, "length of item and user vectors; the last component is the item's popularity"),
        whole("heads", \.users.heads, 1...16, "weighted means of the history that the user tower sees"),
        whole("history_length", \.historyLength, 1...512, "newest interactions of a user that the user tower sees"),
        whole("hidden", \.users.hidden, 0...2_048, multiple: 8, "width of the user tower's hidden layer; 0 for none"),
        choice("block", \.sequence.block, "what the sequence tower's blocks are made of"),
        whole("blocks", \.sequence.blocks, 1...32, "blocks of the sequence tower"),
        whole("attention_heads", \.sequence.attentionHeads, 1...64, "attention heads of each block; the dimension is a multiple of it"),
        whole("feed_forward", \.sequence.feedForward, 0...8_192, multiple: 8, "width of each block's feed-forward layer; 0 for none"),
        flag("distance_bias", \.sequence.distanceBias, "whether attention learns a bias for each distance between two interactions"),
        flag("places", \.sequence.places, "whether each place of the sequence tower's window has a learned vector"),
        number(
            "block_dropout", \.sequence.dropout, 0...0.9,
            "share of the sequence tower's inputs and of its blocks' outputs that training sets to zero"),
        choice(
            "head", \.sequence.head,
            "how the sequence tower ends: network over blocks, newest item, moving means and attributes, or the blocks direct"),
        whole("history_means", \.sequence.historyMeans, 0...16, "moving means of the history that the sequence tower's head sees"),
        whole("content_hidden", \.items.hidden, 0...2_048, multiple: 8, "width of the item tower's hidden layer; 0 for none"),
        flag("content", \.items.usesContent, "whether the item tower sees titles, categories and other content"),
        whole("text_buckets", \.items.textBuckets, 64...4_194_304, "rows for hashed words and pieces of words"),
        whole("tag_buckets", \.items.tagBuckets, 64...4_194_304, "rows for hashed categories, tags and attributes"),
        whole("text_tokens", \.items.textTokens, 1...4_096, "tokens kept of each field of an item: those that weigh most"),
        whole("user_buckets", \.users.buckets, 64...4_194_304, "rows for hashed attributes of users and of the request"),
        number(
            "id_dropout", \.dropout.ids, 0...0.9,
            "share of items that a batch sees by content alone, so that new items stand in the same space"),
        number("history_dropout", \.dropout.history, 0...0.9, "share of history entries that training leaves out"),
        number(
            "short_history", \.dropout.shortHistory, 0...0.9,
            "share of examples of which the pooled tower sees 0 to 5 entries of the history only, so that it learns to answer new users"),
        number(
            "attribute_dropout", \.dropout.attributes, 0...0.9,
            "share of examples that training sees without the user's attributes, so that the history is learned too"),
        whole(
            "attribute_minimum_users", \.users.attributeMinimumUsers, 1...1_000_000,
            "users that must share an attribute before it is learned; keeps postcodes from standing in for users"),
        number("dropout", \.dropout.inputs, 0...0.9, "share of the user tower's inputs that training sets to zero"),
        choice("loss", \.loss.kind, "full softmax, sampled softmax, auto by the number of items, or calibrated binary cross-entropy"),
        whole("full_softmax_items", \.loss.fullSoftmaxItems, 1...1_000_000, "largest catalogue for which loss auto means full"),
        whole(
            "negatives", \.loss.negatives, 0...65_536,
            "negatives of a batch under the sampled losses: uniform ones beside the batch's own targets; the sequence tower draws them as "
                + "negative_sampling says"
        ),
        choice(
            "negative_sampling", \.loss.negativeSampling,
            "where the sequence tower's negatives come from: the batch's targets, all items alike, or half each"),
        choice("logq_estimate", \.loss.logQEstimate, "how often targets contain an item: counted before training, or a streaming estimate"),
        number(
            "calibration", \.loss.calibration, 0...1, "t of the calibrated binary cross-entropy (loss bce): 0 plain, 1 fully calibrated"),
        flag("logq", \.loss.logQCorrection, "whether the sampled loss corrects for how often an item is drawn"),
        flag("unit_length", \.items.unitLength, "whether vectors are scaled to length 1 and compared by angle"),
        number("temperature", \.loss.temperature, 0.01...1, "divides the similarity of unit-length vectors; smaller is sharper"),
        flag(
            "learned_temperature", \.loss.learnedTemperature, "whether training also learns the temperature, beginning with the one given"),
        flag(
            "mask_history", \.loss.maskHistory,
            "whether items of the history are left out of the loss; for things that nobody takes twice"),
        whole("targets_ahead", \.examples.targetsAhead, 1...100, "how far ahead the interaction to predict may lie; 1 is the next one"),
        whole("examples_per_user", \.examples.perUser, 0...100_000, "most examples of one user in an epoch; 0 for no limit"),
        number("click_weight", \.examples.clickWeight, 0...1_000, "weight of a click as an example"),
        number("add_to_cart_weight", \.examples.cartWeight, 0...1_000, "weight of an add_to_cart as an example"),
        number("purchase_weight", \.examples.purchaseWeight, 0...1_000, "weight of a purchase as an example"),
        number(
            "recency_half_life_days", \.examples.recencyHalfLifeDays, 0...36_500,
            "age at which an example counts half, by the data clock; 0 counts all alike"),
        number(
            "tail_beta", \.examples.tailBeta, 0...0.99999,
            "effective-number weights for rare items (Cui et al. 2019); 0 for none, 0.999 is usual"),
        number(
            "propensity_power", \.examples.propensityPower, 0...1,
            "power of popularity in an item's propensity, by whose inverse its examples weigh (Yang et al. 2018, Saito et al. 2020); 0 for "
                + "none, 0.5 is usual"
        ),
        number(
            "propensity_limit", \.examples.propensityLimit, 1...1_000,
            "largest inverse-propensity weight of an example, in mean weights; the smallest is its inverse"),
        number(
            "logit_adjustment", \.loss.logitAdjustment, 0...2,
            "tau in the training loss of score + tau * log popularity, served without it (Menon et al. 2021); 0 for none, 1 ranks as if "
                + "all items were equally frequent; softmax losses only"
        ),
        number(
            "popularity_dial", \.served.popularityDial, 0...1,
            "lambda in score - lambda * log popularity of served vectors; larger favours rare items"),
        whole("epochs", \.epochs, 1...10_000, "passes over the examples"),
        whole("batch_size", \.steps.batchSize, 16...65_536, "examples of one batch; the sequence tower fills it with whole windows"),
        whole("accumulation", \.steps.accumulation, 1...1_024, "batches whose gradients one step sums"),
        choice(
            "precision", \.steps.precision,
            "products of a training: float32, bfloat16 where the processor has it, or auto, the faster; parameters stay float32"),
        number(
            "distillation_weight", \.distillation.weight, 0...1,
            "share of the loss that a teacher gives, where there is one (train --teacher)"),
        number(
            "distillation_temperature", \.distillation.temperature, 1...100,
            "divides the scores of teacher and student; larger makes the teacher's answers softer"),
        choice(
            "quantisation", \.served.quantisation,
            "tables and weights of the model: none as float32; int8 with a scale a row, rounded after training (post) or in every step "
                + "(aware); a quarter of the size"
        ),
        choice(
            "table_sharding", \.ranks.tableSharding,
            "where the tables of a training of several ranks lie: none whole on every rank, rows each row on one of them (sampled losses)"),
        choice(
            "gradient_compression", \.ranks.gradientCompression,
            "how gradients travel between the ranks of a training: none as they are, bfloat16 in half the bytes"),
        number(
            "weight_average", \.steps.weightAverage, 0...0.99999,
            "share of the averaged weights that a step keeps; the averaged ones are served; 0 for none"),
        number("learning_rate", \.steps.learningRate, 1e-6...1, "peak step size of the dense layers"),
        number("table_learning_rate", \.steps.tableLearningRate, 1e-6...1, "peak step size of the embedding tables"),
        choice("table_optimizer", \.steps.tableOptimizer, "how embedding tables learn"),
        number("weight_decay", \.steps.weightDecay, 0...1, "decoupled weight decay of the dense layers"),
        number(
            "warmup_share", \.steps.warmupShare, 0...0.9, "share of the steps over which the step size rises; then it falls by a cosine"),
        number("clip_norm", \.steps.clipNorm, 0...1_000, "largest length of a step's gradient; 0 for no limit"),
        whole("validation_users", \.validation.users, 0...100_000, "users whose last interaction is held out to watch the training"),
        whole(
            "patience", \.validation.patience, 0...1_000,
            "epochs without a better validation after which training stops; 0 never stops early"),
        TowerSetting(
            name: "seed", range: "a whole number from 0", summary: "the same seed gives the same model on the same machine and threads",
            read: { String($0.seed) },
            write: {
                guard let value = UInt64($1) else { return false }
                $0.seed = value
                return true
            }),
        whole("threads", \.threads, 1...256, "threads of a training"),
    ]

    /// The known key that a mistyped one most likely meant.
    static func nearest(to word: String) -> String? { NearestName.of(word, among: all.lazy.map(\.name), leastReach: 2) }

    private static func whole(
        _ name: String, _ path: WritableKeyPath<TowerConfiguration, Int> & Sendable, _ range: ClosedRange<Int>, multiple: Int = 1,
        _ summary: String
    ) -> TowerSetting {
        TowerSetting(
            name: name,
            range: "a whole number from \(range.lowerBound) to \(range.upperBound)" + (multiple > 1 ? ", a multiple of \(multiple)" : ""),
            summary: summary, read: { String($0[keyPath: path]) },
            write: {
                guard let value = Int($1), range.contains(value), value % multiple == 0 else { return false }
                $0[keyPath: path] = value
                return true
            })
    }

    private static func number(
        _ name: String, _ path: WritableKeyPath<TowerConfiguration, Float> & Sendable, _ range: ClosedRange<Float>, _ summary: String
    ) -> TowerSetting {
        TowerSetting(
            name: name, range: "a number from \(range.lowerBound) to \(range.upperBound)", summary: summary,
            read: { String($0[keyPath: path]) },
            write: {
                guard let value = Float($1), range.contains(value) else { return false }
                $0[keyPath: path] = value
                return true
            })
    }

    private static func flag(
        _ name: String, _ path: WritableKeyPath<TowerConfiguration, Bool> & Sendable, _ summary: String
    ) -> TowerSetting {
        TowerSetting(
            name: name, range: "true or false", summary: summary, read: { String($0[keyPath: path]) },
            write: {
                guard let value = Bool($1) else { return false }
                $0[keyPath: path] = value
                return true
            })
    }

    private static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ path: WritableKeyPath<TowerConfiguration, Value> & Sendable, _ summary: String
    ) -> TowerSetting where Value.RawValue == String {
        TowerSetting(
            name: name, range: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "), summary: summary,
            read: { $0[keyPath: path].rawValue },
            write: {
                guard let value = Value(rawValue: $1) else { return false }
                $0[keyPath: path] = value
                return true
            })
    }
}
