extension ConfigurationKey {
    /// What is learned, and how cold starts and logs go.
    static let ofLearning: [ConfigurationKey] = [
        ConfigurationKey(
            .trainMaxInteractionsPerUser, .integer(2...100_000), "5000", "newest interactions of one user that training reads"),
        ConfigurationKey(
            .trainRegisterItems, .boolean, "true",
            "whether items that only events name get a bare record, so that they can be recommended"),
        ConfigurationKey(.trainMinInteractions, .integer(1...1_000_000), "100", "with fewer interactions training refuses to begin"),
        ConfigurationKey(
            .trainMode, .choice(["full", "incremental"]), "full",
            "full: from nothing; incremental: from the promoted model, on what it has not seen"),
        ConfigurationKey(.trainIncrementalEpochs, .integer(1...1_000), "3", "passes over the examples of an incremental training"),
        ConfigurationKey(
            .trainIncrementalRate, .number(0.001...10), "0.6",
            "step sizes of an incremental training as a share of those of a full one"),
        ConfigurationKey(
            .trainIncrementalReplay, .number(0...1_000), "6",
            "old events that are learned again for each new one, so that they are not forgotten"),
        ConfigurationKey(
            .trainIncrementalReplayLimitEvents, .integer(0...100_000_000), "200000", "old events that are learned again at most"),
        ConfigurationKey(
            .trainIncrementalEWC, .number(0...1_000_000), "0",
            "elastic weight consolidation: pull towards the old parameters by their importance; 1 weighs the old events as what they are, "
                + "0 is off"
        ),
        ConfigurationKey(
            .trainKeepUnfinishedHours, .integer(0...8_760), "72",
            "how long the files of a killed training stay for --resume; those with a user who was erased since go at once"),
        ConfigurationKey(
            .trainDataGate, .choice(["enforce", "warn", "off"]), "warn",
            "before training: enforce refuses data that look broken and leaves suspicious users out, warn says so and learns from all, off "
                + "looks at nothing"
        ),
        ConfigurationKey(
            .trainDataMaxEventsPerMinute, .integer(1...1_000_000), "300",
            "a user with more interactions within 60 seconds is left out"),
        ConfigurationKey(
            .trainDataMaxEventsPerDay, .integer(1...1_000_000), "3000", "a user with more interactions within 24 hours is left out"),
        ConfigurationKey(
            .trainDataMaxItemEventsPerDay, .integer(1...1_000_000), "100",
            "a user with more interactions with one item within 24 hours is left out"),
        ConfigurationKey(
            .trainDataMaxSuspiciousShare, .number(0...1), "0.3",
            "largest share of interactions by users left out that the data gate lets pass"),
        ConfigurationKey(
            .trainDataMaxRepeatedShare, .number(0...1), "0.2",
            "largest share of repeated interactions (same user, item, type, time) that the data gate lets pass"),
        ConfigurationKey(
            .trainDataMaxItemShare, .number(0...1), "0.5", "largest share of one item's interactions that the data gate lets pass"),
        ConfigurationKey(
            .trainDataMaxStabilityIndex, .number(0...100), "0.5",
            "largest population stability index of types, hours, items and attributes since the former training"),
        ConfigurationKey(
            .trainDataMaxGap, .number(0...1), "0.3",
            "largest Kolmogorov-Smirnov gap of interactions a user or an item since the former training"),
        ConfigurationKey(
            .trainDataMaxNullRise, .number(0...1), "0.2",
            "largest rise of the share of interactions without item content or user attributes since the former training"),
        ConfigurationKey(
            .trainDataMinimumUsers, .integer(2...1_000_000_000), "200",
            "users since the former training, and in it, below which the data gate compares nothing"),
        ConfigurationKey(.trainHoldout, .choice(["time", "leave-one-out", "none"]), "time", "how the evaluation set is cut"),
        ConfigurationKey(.trainHoldoutPercent, .number(0.1...90), "10", "share of the newest interactions held out by a time split"),
        ConfigurationKey(.trainEvaluationUsers, .integer(10...1_000_000), "5000", "users that the evaluation ranks for at most"),
        ConfigurationKey(
            .trainDomainField, .text, "",
            "attribute of users, such as country, each of whose values gets an adapter of the user's vector over the shared model, where "
                + "that helps on what was held out; requests name the domain by attribute or context; empty: none"
        ),
        ConfigurationKey(
            .trainDomainMinimumInteractions, .integer(20...1_000_000_000), "1000",
            "interactions to learn from below which a domain gets no adapter"),
        ConfigurationKey(
            .trainDomainRank, .integer(0...64), "4",
            "rank of the map in a domain's adapter, beside a scale and a shift of each component"),
        ConfigurationKey(
            .trainDomainLimit, .integer(1...1_000), "50", "domains that are tried at most: those with the most interactions"),
        ConfigurationKey(.trainFinalFit, .boolean, "true", "fit again on everything, held-out part included, after the evaluation"),
        ConfigurationKey(
            .trainGateMarginPercent, .number(0.01...50), "5",
            "largest loss in NDCG@10 against the promoted model, as a share of that one's, that still promotes"),
        ConfigurationKey(
            .trainGateMargin, .number(0...1), "0",
            "the same in NDCG@10 itself, in place of train.gate_margin_percent; 0: the share decides"),
        ConfigurationKey(
            .trainGateConfidencePercent, .number(50...97.5), "90",
            "how sure it must be that a new model loses no more than the margin, one-sided"),
        ConfigurationKey(
            .trainChoiceBudgetMinutes, .number(0...1_440), "3",
            "minutes for which train.preset auto may train its choice and alternatives to it and compare them on what is held out; 0: its "
                + "rules alone decide"),
        ConfigurationKey(
            .trainGateAnchorDays, .integer(0...3_650), "28",
            "a new model is also held against the best that served in so many days, so that small losses do not add up; 0: against the "
                + "promoted one alone"
        ),
        ConfigurationKey(
            .gateRivals, .choice(["refuse", "warn", "off"]), "refuse",
            "where a simple rival (buy it again, EASE, popularity and the others) is better than a new model by more than chance: refuse "
                + "does not promote it, warn says so, off is silent"
        ),
        ConfigurationKey(
            .trainCounter, .choice(["auto", "always", "off"]), "auto",
            "auto: where gate.rivals refuses a new model, the best counter becomes a version itself, promoted where nothing better serves; "
                + "always: a version of it after every full training; off: never"
        ),
        ConfigurationKey(
            .trainRefusedStatus, .integer(0...125), "3",
            "exit status of freshet train where the gate refused the new model and nothing was promoted; 0: as if it had been"),
        ConfigurationKey(
            .trainTeacher, .integer(0...1_000_000_000), "0",
            "version of the registry that the pooled tower also learns from; 0 for none (train --teacher)"),
        ConfigurationKey(
            .trainRankTimeoutSeconds, .integer(1...86_400), "300",
            "how long a rank of a training that mpirun started waits for the others before it takes one for lost"),
        ConfigurationKey(
            .trainPositiveRatingsFrom, .number(-1_000_000...1_000_000), "0",
            "events with a context.rating below this are no training examples, and serving leaves them out of histories (what was rated "
                + "stays known, as rules.exclude says); 0 keeps all"
        ),
        ConfigurationKey(
            .trainNegativeRatingsBelow, .number(-1_000_000...1_000_000), "0",
            "events with a context.rating below this decline the item: left out like those below train.positive_ratings_from, and "
                + "negatives of the head for clicks; 0 for none"
        ),
        ConfigurationKey(
            .contentChannel, .choice(["auto", "off"]), "auto",
            "auto: items that training never met are scored by what their content says (likeness to the user's history, popularity of such "
                + "content, the towers), weighed on held-out items; off: by the towers alone"
        ),
        ConfigurationKey(.contentLinks, .list(allowed: nil), "", "attributes whose values are ids of other items, such as works cited"),
        ConfigurationKey(
            .adaptationMode, .choice(["auto", "off"]), "auto",
            "auto: training learns how to adapt to categories that it has never met, from a few events each (freshet adapt); off: it does "
                + "not"
        ),
        ConfigurationKey(
            .adaptationField, .name, "categories", "what adapts: categories, or the name of an attribute such as brand or region"),
        ConfigurationKey(
            .adaptationMethod, .choice(["meta", "fine-tune", "none"]), "meta",
            "how freshet adapt adapts: from the meta-learned start, by plain fine-tuning from the start that is best unadapted, or not at "
                + "all, for comparison"
        ),
        ConfigurationKey(
            .adaptationSupport, .integer(1...100), "5", "events of a category that adaptation is learned for, and with which it begins"),
        ConfigurationKey(.adaptationQuery, .integer(1...1_000), "15", "users that judge an adaptation while it is learned"),
        ConfigurationKey(.adaptationInnerSteps, .integer(1...20), "5", "gradient steps of an adaptation"),
        ConfigurationKey(
            .adaptationOrder, .choice(["second", "first"]), "second", "second: exact derivatives through the steps; first: without"),
        ConfigurationKey(.adaptationProximity, .number(0...100), "0.01", "how strongly an adaptation is held to its start"),
        ConfigurationKey(.adaptationRank, .integer(1...256), "16", "numbers in the vectors that adapt"),
        ConfigurationKey(
            .adaptationMetaSteps, .integer(1...100_000), "300", "outer steps of the learning at most; each looks at four tasks"),
        ConfigurationKey(
            .adaptationMetaCategories, .integer(2...1_000), "24",
            "trained categories that adaptation is learned on at most, drawn by the seed"),
        ConfigurationKey(
            .adaptationSupportLimitEvents, .integer(1...1_000), "64", "newest events of a category that freshet adapt uses at most"),
        ConfigurationKey(
            .contentShareCostPercent, .number(0...100), "2",
            "share of NDCG@20 that new items may cost on what was held out, where what was shown of them was poorly received; "
                + "elsewhere their fair share stands"),
        ConfigurationKey(
            .contentEncoder, .text, "",
            "folder of a sentence-transformers model (BERT-type: config.json, vocab.txt, model.safetensors) that turns titles and "
                + "descriptions into vectors for the item tower; empty: none"
        ),
        ConfigurationKey(
            .contentEncoderPrecision, .choice(["auto", "float32", "bfloat16"]), "auto",
            "products of the sentence encoder; auto: the faster of both on the processor"),
        ConfigurationKey(
            .contentEncoderCacheMebibytes, .integer(1...65_536), "512",
            "largest file, and memory, of vectors of texts, under artifacts.path; 1.5 KB a text for a width of 384"),
        ConfigurationKey(
            .rankingBlend, .choice(["auto", "off"]), "auto",
            "auto: training learns how much transitions, popularity and own items count beside the towers, and uses it where it is better "
                + "on what was held out; off: the towers rank alone"
        ),
        ConfigurationKey(
            .rankingCounters, .choice(["auto", "off"]), "auto",
            "auto: training learns at several past borders how a user's own counts, re-buying, popularity of several windows and what goes "
                + "with what say the next step, and ranks candidates by that beside towers and blend where it is better on what was held "
                + "out; off: towers and blend alone"
        ),
        ConfigurationKey(
            .rankingValueShare, .numberOrAuto(0...1), "auto",
            "what the worth of orders counts in ranking.counters beside whether something is taken: 0 ranks by what is taken, 1 by "
                + "turnover; auto: training chooses so that both lose least against the best of each"),
        ConfigurationKey(
            .rankingItemShareLimitPercent, .number(1...100), "10",
            "share of the lists of ten that may hold one item: training learns prices that keep to it on what was held out; at least three "
                + "times 10 of all items; 100: any share"
        ),
        ConfigurationKey(
            .rankingItemShareCostPercent, .number(0...100), "2",
            "what keeping to ranking.item_share_limit_percent may cost of NDCG@10; where it would cost more, the bound is loosened"),
        ConfigurationKey(.rankingNeighbours, .integer(0...1_000), "100", "items kept of those that follow an item; 0 keeps none"),
        ConfigurationKey(
            .rankingRecentHalfLifeDays, .number(0.01...36_500), "14",
            "age at which an event counts half in the blend's recent popularity"),
        ConfigurationKey(
            .coldStartDiversity, .number(0...1), "0.15",
            "share that each further item of a main category loses of its odds in the trending list and in the lists of users without a "
                + "history; 0 is popularity alone"
        ),
        ConfigurationKey(
            .coldStartVariety, .number(0...5), "0.05",
            "chance in the lists of users without a history, in log odds, by the user's or the session's id; 0 gives everybody the same"),
        ConfigurationKey(
            .coldStartSegments, .list(allowed: nil), "",
            "attributes of users and fields of the context by which trending items are counted, such as country, device; none named: all "
                + "of them"
        ),
        ConfigurationKey(
            .coldStartSegmentEvents, .integer(0...10_000_000), "100000",
            "newest interactions that segments are counted from; 0 counts none"),
        ConfigurationKey(
            .coldStartSegmentHalfLifeHours, .number(0.01...876_000), "168", "age at which an interaction counts half in a segment"),
        ConfigurationKey(
            .coldStartSegmentPriorEvents, .number(0.01...1_000_000), "10",
            "interactions with an item that pull its liking in a segment towards everybody's"),
        ConfigurationKey(
            .coldStartSegmentRefreshSeconds, .integer(1...86_400), "60",
            "how often segments are counted anew; never more than a tenth of the time"),
        ConfigurationKey(
            .logLevel, .choice(["trace", "debug", "info", "notice", "warning", "error"]), "info", "least severe line that is written"),
        ConfigurationKey(.logFormat, .choice(["text", "json"]), "text", "text for people, json for machines; both on standard error"),
    ]
}
