import Evaluation
import Features
import Foundation
import Learning
import Recommending
import TowerModel
import TowerTraining
import TrainingFiles

/// Settings under which everything is learned in a second.
enum SmallSettings {
    static func learning(
        _ cut: HoldoutSettings.Cut = .newest(share: 0.2), excludes: ExclusionRule? = [], minimumQuestions: Int = 20
    ) -> LearningSettings {
        LearningSettings(
            blend: blend, ranker: RankerSettings(isWanted: false),
            heads: HeadSettings(isWanted: true, balances: [.uncertainty], powers: ObjectivePowers(), tunesValue: false),
            domains: DomainSettings(field: "", rank: 2, minimumInteractions: 50, limit: 4),
            content: ContentSettings(isWanted: true, linkAttributes: [], shareCost: 0.02),
            adaptation: adaptation, holdout: HoldoutSettings(cut: cut, excludes: excludes, usersLimit: 200),
            gate: PromotionGate(minimumQuestions: minimumQuestions), learnsHeldOut: true, tailBudget: 0, served: ServedSettings(),
            features: FeatureRules(historyLimitEvents: 50), segments: nil)
    }

    static var blend: BlendSettings {
        BlendSettings(
            isWanted: true, neighbourLimitItems: 20, recentHalfLifeDays: 30, historyLimitEvents: 50,
            decayHalfLifeMilliseconds: 7 * 86_400_000, trendingLimitItems: 10)
    }

    static var adaptation: AdaptationSettings {
        AdaptationSettings(
            isWanted: false, field: "categories", support: 5, query: 6, innerSteps: 1, order: .first, proximity: 0.01, rank: 4,
            metaSteps: 6, metaCategories: 8)
    }

    static func towers(_ changes: [(String, String)] = []) throws -> TowerConfiguration {
        var configuration = try TowerConfiguration(preset: "small")
        let base = [
            ("dimension", "16"), ("heads", "2"), ("history_length", "6"), ("hidden", "16"), ("text_buckets", "256"),
            ("tag_buckets", "256"), ("user_buckets", "64"), ("batch_size", "64"), ("epochs", "2"), ("learning_rate", "0.01"),
            ("table_learning_rate", "0.01"), ("threads", "1"),
        ]
        for (key, value) in base + changes { try configuration.set(key, value) }
        return configuration
    }

    /// A file's place that no other test uses.
    static func path(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("freshet-\(name)-\(UUID().uuidString)").path
    }

    /// A model of each user's rows before `ends`.
    static func model(_ log: TrainingLog, until ends: [Int]? = nil, _ changes: [(String, String)] = []) throws -> TwoTowerModel {
        let trainer = try Trainer(log.trainingSet(until: ends, columnsAt: path("columns")), configuration: towers(changes))
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer.model()
    }

    /// The questions of a holdout.
    static func scoring(_ log: TrainingLog, _ settings: LearningSettings = learning()) throws -> HoldoutScoring {
        let holdout = Holdout(settings.holdout, of: log) ?? .leaveOneOut(of: log, maxUsers: 100)
        return HoldoutScoring(log: log, holdout: holdout, excludes: settings.holdout.excludes, threads: 1)
    }
}

extension HoldoutScoring {
    /// Each user's rows that may be learned from.
    var trainingRows: [Range<Int>] { log.userIDs.indices.map { holdout.trainingRows(of: $0, in: log) } }
}
