/// The names of the settings, as code asks for them: one that no setting has does not compile.
///
/// The trainer's own settings (`TowerConfiguration.keys`, under `train` too) are not among them: code reads those as properties.
public enum KeyName: String, CaseIterable, Sendable {
    case databaseURL = "database.url"
    case databaseConnections = "database.connections"
    case databaseStateConnections = "database.state_connections"

    case kafkaBootstrapServers = "kafka.bootstrap_servers"
    case kafkaGroup = "kafka.group"
    case kafkaProperties = "kafka.properties"

    case topicsEvents = "topics.events"
    case topicsItems = "topics.items"
    case topicsUsers = "topics.users"
    case topicsImpressions = "topics.impressions"
    case topicsDeadLetters = "topics.dead_letters"

    case httpHost = "http.host"
    case httpPort = "http.port"
    case httpReadKeys = "http.read_keys"
    case httpWriteKeys = "http.write_keys"
    case httpAdminKeys = "http.admin_keys"
    case httpMetricsKeys = "http.metrics_keys"
    case httpOpen = "http.open"
    case httpCORSOrigins = "http.cors_origins"
    case httpRateLimitPerSecond = "http.rate_limit_per_second"
    case httpRateLimitBurst = "http.rate_limit_burst"
    case httpMaxBodyBytes = "http.max_body_bytes"
    case httpMaxConcurrentRequests = "http.max_concurrent_requests"
    case httpAllowedHosts = "http.allowed_hosts"
    case httpMaxConnections = "http.max_connections"
    case httpRequestSeconds = "http.request_seconds"
    case httpAnswerSeconds = "http.answer_seconds"
    case httpMaxHeldBytes = "http.max_held_bytes"
    case httpMaxIntakeRequests = "http.max_intake_requests"
    case httpMaxIntakeBytes = "http.max_intake_bytes"

    case artifactsPath = "artifacts.path"
    case artifactsKey = "artifacts.key"
    case artifactsKeepVersions = "artifacts.keep_versions"

    case clock

    case ingestBatchRecords = "ingest.batch_records"
    case ingestBatchLingerMilliseconds = "ingest.batch_linger_ms"
    case ingestMaxRecordBytes = "ingest.max_record_bytes"
    case ingestMaxFutureSkewSeconds = "ingest.max_future_skew_seconds"
    case ingestEarliestTime = "ingest.earliest_time"
    case ingestDefaultCurrency = "ingest.default_currency"

    case currencyBase = "currency.base"
    case currencyRates = "currency.rates"

    case ingestEventTypes = "ingest.event_types"
    case ingestTopics = "ingest.topics"
    case ingestHistoryLimitEvents = "ingest.history_limit_events"
    case ingestDecayHalfLifeHours = "ingest.decay_half_life_hours"

    case rulesExclude = "rules.exclude"
    case rulesDiversity = "rules.diversity"
    case rulesRepeats = "rules.repeats_percent"
    case rulesDiscoveries = "rules.discoveries_percent"
    case rulesNewItems = "rules.new_items_percent"

    case objectivesClick = "objectives.click"
    case objectivesAddToCart = "objectives.add_to_cart"
    case objectivesPurchase = "objectives.purchase"
    case objectivesHeads = "objectives.heads"
    case objectivesClickPower = "objectives.click_power"
    case objectivesConversionPower = "objectives.conversion_power"
    case objectivesValuePower = "objectives.value_power"
    case objectivesTune = "objectives.tune"
    case objectivesBalance = "objectives.balance"
    case objectivesLossWeights = "objectives.loss_weights"
    case objectivesImpressionsLimit = "objectives.impressions_limit"

    case rankingTailDial = "ranking.tail_dial"
    case rankingTailLift = "ranking.tail_lift"
    case rankingTailBudgetPercent = "ranking.tail_budget_percent"

    case serveImpressions = "serve.impressions"
    case serveImpressionsPerAnswer = "serve.impressions_per_answer"
    case serveImpressionsPerSecond = "serve.impressions_per_second"
    case serveRefreshMilliseconds = "serve.refresh_ms"
    case serveTrendingItems = "serve.trending_items"

    case indexKind = "index.kind"
    case indexRecall = "index.recall"
    case indexThreads = "index.threads"
    case indexMaxFreshItems = "index.max_fresh_items"
    case indexMaxRemovedPercent = "index.max_removed_percent"
    case indexKeepFiles = "index.keep_files"

    case explorationEverySlots = "exploration.every_slots"
    case explorationUntilImpressions = "exploration.until_impressions"

    case trainMaxInteractionsPerUser = "train.max_interactions_per_user"
    case trainRegisterItems = "train.register_items"
    case trainMinInteractions = "train.min_interactions"
    case trainMode = "train.mode"
    case trainIncrementalEpochs = "train.incremental_epochs"
    case trainIncrementalRate = "train.incremental_rate"
    case trainIncrementalReplay = "train.incremental_replay"
    case trainIncrementalReplayLimitEvents = "train.incremental_replay_limit_events"
    case trainIncrementalEWC = "train.incremental_ewc"
    case trainKeepUnfinishedHours = "train.keep_unfinished_hours"
    case trainDataGate = "train.data_gate"
    case trainDataMaxEventsPerMinute = "train.data_max_events_per_minute"
    case trainDataMaxEventsPerDay = "train.data_max_events_per_day"
    case trainDataMaxItemEventsPerDay = "train.data_max_item_events_per_day"
    case trainDataMaxSuspiciousShare = "train.data_max_suspicious_share"
    case trainDataMaxRepeatedShare = "train.data_max_repeated_share"
    case trainDataMaxItemShare = "train.data_max_item_share"
    case trainDataMaxStabilityIndex = "train.data_max_stability_index"
    case trainDataMaxGap = "train.data_max_gap"
    case trainDataMaxNullRise = "train.data_max_null_rise"
    case trainDataMinimumUsers = "train.data_minimum_users"
    case trainHoldout = "train.holdout"
    case trainHoldoutPercent = "train.holdout_percent"
    case trainEvaluationUsers = "train.evaluation_users"
    case trainDomainField = "train.domain_field"
    case trainDomainMinimumInteractions = "train.domain_minimum_interactions"
    case trainDomainRank = "train.domain_rank"
    case trainDomainLimit = "train.domain_limit"
    case trainFinalFit = "train.final_fit"
    case trainGateMarginPercent = "train.gate_margin_percent"
    case trainGateMargin = "train.gate_margin"
    case trainGateConfidencePercent = "train.gate_confidence_percent"
    case trainChoiceBudgetMinutes = "train.choice_budget_minutes"
    case trainGateAnchorDays = "train.gate_anchor_days"
    case gateRivals = "gate.rivals"
    case trainCounter = "train.counter"
    case trainRefusedStatus = "train.refused_status"
    case trainTeacher = "train.teacher"
    case trainRankTimeoutSeconds = "train.rank_timeout_seconds"
    case trainPositiveRatingsFrom = "train.positive_ratings_from"
    case trainNegativeRatingsBelow = "train.negative_ratings_below"

    case contentChannel = "content.channel"
    case contentLinks = "content.links"

    case adaptationMode = "adaptation.mode"
    case adaptationField = "adaptation.field"
    case adaptationMethod = "adaptation.method"
    case adaptationSupport = "adaptation.support"
    case adaptationQuery = "adaptation.query"
    case adaptationInnerSteps = "adaptation.inner_steps"
    case adaptationOrder = "adaptation.order"
    case adaptationProximity = "adaptation.proximity"
    case adaptationRank = "adaptation.rank"
    case adaptationMetaSteps = "adaptation.meta_steps"
    case adaptationMetaCategories = "adaptation.meta_categories"
    case adaptationSupportLimitEvents = "adaptation.support_limit_events"

    case contentShareCostPercent = "content.share_cost_percent"
    case contentEncoder = "content.encoder"
    case contentEncoderPrecision = "content.encoder_precision"
    case contentEncoderCacheMebibytes = "content.encoder_cache_mebibytes"

    case rankingBlend = "ranking.blend"
    case rankingCounters = "ranking.counters"
    case rankingValueShare = "ranking.value_share"
    case rankingItemShareLimitPercent = "ranking.item_share_limit_percent"
    case rankingItemShareCostPercent = "ranking.item_share_cost_percent"
    case rankingNeighbours = "ranking.neighbours"
    case rankingRecentHalfLifeDays = "ranking.recent_half_life_days"

    case coldStartDiversity = "cold_start.diversity"
    case coldStartVariety = "cold_start.variety"
    case coldStartSegments = "cold_start.segments"
    case coldStartSegmentEvents = "cold_start.segment_events"
    case coldStartSegmentHalfLifeHours = "cold_start.segment_half_life_hours"
    case coldStartSegmentPriorEvents = "cold_start.segment_prior_events"
    case coldStartSegmentRefreshSeconds = "cold_start.segment_refresh_seconds"

    case logLevel = "log.level"
    case logFormat = "log.format"
}

extension KeyName {
    /// `database.url` → `FRESHET_DATABASE_URL`.
    public var environmentName: String {
        "FRESHET_" + rawValue.uppercased().replacing(".", with: "_")
    }

    /// The part before the first dot.
    public var section: Substring { rawValue.prefix { $0 != "." } }
}
