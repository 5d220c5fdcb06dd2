import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import ModelArtifacts
import TrainingFiles

/// `freshet evaluate` with a part of the store held out: a model and the rivals on the same questions.
struct SplitRun {
    let configuration: Configuration
    let url: String
    let until: EventTime?
    /// The share of the newest interactions that is held out; nil holds out each user's last one.
    let share: Double?

    private static let threads = 2

    /// Asks a model version and every rival.
    func run(_ version: RegisteredModel) throws -> SplitReport {
        let artifact = try configuration.artifactStore.artifact(of: version)
        let ranking = TrainingStages.Promoted(
            model: artifact.model, blend: try artifact.blend(), version: Int(version.version), newestEvent: nil)
        // The texts that the model has learned from, or none.
        let known = try artifact.notes[ContentEncoder.noteName].flatMap { wanted in
            try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")).flatMap { $0.checksum == wanted ? $0 : nil }
        }
        let log = try SnapshotLog(
            SnapshotExport(url: url, configuration: configuration), until: until, texts: known, threads: Self.threads
        ).log
        let excludes = Set(configuration.excludedTypes.map(\.rawValue))
        let users = configuration.integer("train.evaluation_users")
        let holdout: Holdout =
            share.map { .newest(share: $0, of: log, excludes: excludes, maxUsers: users) }
            ?? .leaveOneOut(of: log, excludes: excludes, maxUsers: users)
        guard !holdout.questions.isEmpty else {
            throw CommandFailure("there is nobody to ask: no user has interactions both before and in \(holdout.description)")
        }
        let scoring = HoldoutScoring(log: log, holdout: holdout, excludes: excludes, threads: Self.threads)
        let own = ranking.score(scoring, training: BlendTraining(log: log, configuration: configuration))
        let rivals = [HoldoutScoring.Rival(key: "model", outcome: own)] + scoring.scoreRivals()
        return SplitReport(
            version: Int(version.version), description: holdout.description, contestants: rivals, watermark: version.watermark)
    }
}

/// What a split found, for people, for programs and as a page.
struct SplitReport {
    let version: Int
    let description: String
    /// The model first.
    let contestants: [HoldoutScoring.Rival]
    /// What the model was trained on, as JSON.
    let watermark: String

    private var users: Int { contestants.first?.outcome.report.users ?? 0 }

    /// One JSON object.
    var json: String {
        var line = ResultLine([
            "version": .integer(version), "split": .text(description), "users": .integer(users),
        ])
        for contestant in contestants { line.add(contestant.key, .json(contestant.outcome.json)) }
        line.add("trained_on", .json(watermark))
        return line.json
    }

    /// The same as a page of HTML.
    var page: ReportPage {
        ReportPage(
            subject: ReportPage.Subject(
                title: "Evaluation of model version \(version)", subtitle: "Held out: \(description). \(caution)", status: nil),
            values: ReportValues(metrics: json))
    }

    private var caution: String {
        guard let newest = JSONText.string("newest_event_time", inObject: watermark) else {
            return "The model may have learned from what is held out."
        }
        return "The model may have learned from what is held out, up to \(newest)."
    }

    /// Lines for people.
    var lines: [String] {
        var lines = ["version \(version), \(description), \(users) users", "                     NDCG@10  (95 %: from    to) Recall@10 Recall@100  coverage    head     mid    tail    cold"]
        for contestant in contestants {
            let report = contestant.outcome.report, interval = BootstrapInterval(ofMean: contestant.outcome.perUser)
            let name = ReportValues.contestantNames.first { $0.key == contestant.key }?.name ?? contestant.key
            var line = name.padding(toLength: 20, withPad: " ", startingAt: 0)
            line += String(format: " %7.4f  (%7.4f %7.4f)", report["NDCG@10"], interval.lower, interval.upper)
            line += String(format: "   %7.4f    %7.4f   %7.4f", report["Recall@10"], report["Recall@100"], report.coverageAt10)
            for slice in ReportValues.slices {
                line += report.slices[slice].map { String(format: " %7.4f", $0.metrics["NDCG@10"]?.mean ?? 0) } ?? "       –"
            }
            lines.append(line)
        }
        lines.append(caution)
        return lines
    }
}
