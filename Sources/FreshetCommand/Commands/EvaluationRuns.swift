import Console
import Evaluation
import EventStream
import FeatureStore
import Interactions
import Learning
import ModelArtifacts
import Reports
import Serving
import TrainingFiles

/// What the protocols of `freshet evaluate` have in common: where they read, and how they tell what was found.
struct EvaluationRuns {
    let options: GlobalOptions
    /// The time that counts as now; nil for the end of what is stored.
    let until: EventTime?
    let json: Bool
    /// Where the page goes, too; nil for no page.
    let report: String?

    /// A model beside rivals on what is held out of the store: the newest share of all, or without one each user's last interaction.
    func split(_ model: ModelChoice, share: Double?) throws {
        let (given, url, store) = try opened()
        let version = try model.find(in: store)
        // The questions are those of its own training: of what it takes for likes, where it does.
        let configuration = try given.keeping(EvaluationRecord(registry: version.metrics).choice)
        let artifact = try configuration.artifactStore.artifact(of: version)
        // The texts that the model has learned from, or none.
        let texts = try artifact.bundle.textEncoder.flatMap { wanted in
            try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")).flatMap { $0.checksum == wanted ? $0 : nil }
        }
        let snapshot = try SnapshotLog(
            SnapshotExport(url: url, configuration: configuration), until: until, texts: texts, threads: Self.threads)
        let found = try SplitRun(settings: configuration.learningSettings, share: share).run(
            PromotedModel(bundle: artifact.bundle, version: Int(version.version)), watermark: version.watermark, on: snapshot)
        try tell(found.json, found.lines, page: found.page)
    }

    /// A model beside rivals on a stream: each event predicted, then learned.
    func replay(_ model: ModelChoice, _ settings: ReplayRun.Options) async throws {
        let (configuration, url, store) = try opened()
        let run = ReplayEvaluation(configuration: configuration, url: url, store: store, options: settings)
        let found = try await run.run(try model.find(in: store))
        try tell(found.json, found.lines, page: found.page)
    }

    /// Items treated as new.
    func itemCold(_ settings: ColdRun.Options) throws {
        let (configuration, url, _) = try opened()
        let (chosen, log) = try chosen(configuration, url)
        let found = try ColdRun(try chosen.runSettings(), options: settings).run(log)
        try tell(found.json, found.lines)
    }

    /// Users treated as new.
    func userCold(_ settings: UserColdRun.Options) throws {
        let (configuration, url, _) = try opened()
        let (chosen, log) = try chosen(configuration, url)
        let found = try UserColdRun(try chosen.runSettings(), options: settings).run(log)
        try tell(found.json, found.lines)
    }

    /// Categories treated as new.
    func fewShot(_ settings: FewShotRun.Options) throws {
        let (configuration, url, _) = try opened()
        let (chosen, log) = try chosen(configuration, url)
        let found = try FewShotRun(
            settings: chosen.learningSettings, logger: configuration.logger("evaluate"), options: settings
        ).run(log)
        try tell(found.json, found.lines)
    }

    /// Settings for rare items: those of `values`, each `key=list`, or all without any.
    func tail(_ values: [String], epochs: Int?, seeds: Int) throws {
        let (configuration, url, _) = try opened()
        let named = values.compactMap(TailSetting.parse)
        let settings = TailCurveRun.Options(
            values: named.isEmpty ? nil : Dictionary(named.map { ($0.setting, $0.values) }) { $0 + $1 }, epochs: epochs, seeds: seeds)
        let (chosen, log) = try chosen(configuration, url)
        let plain = try chosen.setting(TailSetting.allCases.map { ($0.rawValue, "0") }, source: "tail-curve")
        let found = try TailCurveRun(
            settings: chosen.learningSettings, configured: { try plain.setting($0, source: $1).runSettings() }, options: settings
        ).run(log)
        try tell(found.json, found.lines, page: found.page)
    }

    /// Threads that encode and rank.
    private static let threads = 2

    /// One moment of the store, with the texts that the configuration describes.
    private func snapshot(_ configuration: Configuration, _ url: String) throws -> SnapshotLog {
        try SnapshotLog(
            SnapshotExport(url: url, configuration: configuration), until: until,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("evaluate")), threads: Self.threads)
    }

    /// One moment of the store with the settings that a training would choose for it.
    private func chosen(_ configuration: Configuration, _ url: String) throws -> (configuration: Configuration, log: SnapshotLog) {
        let found = try configuration.chosen(logger: configuration.logger("evaluate")) { configuration in
            let read = try snapshot(configuration, url)
            return (read, read.log, read.ratings)
        }
        return (found.configuration, found.kept)
    }

    private func opened() throws -> (configuration: Configuration, url: String, store: StoreQueries) {
        let configuration = try options.configuration()
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        return (configuration, url, StoreQueries(url: url, rules: configuration.featureRules, connections: 1))
    }

    private func tell(_ text: String, _ lines: [String], page: @autoclosure () -> ReportPage? = nil) throws {
        if let report, let page = page() { try LineWriter.write(page.html, to: report) }
        StandardOutput.line(json ? text : lines.joined(separator: "\n"))
    }

    /// `90m`, `12h`, `1d` in milliseconds, from a minute to ten years.
    static func milliseconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), (1...5_256_000).contains(count)
        else { return nil }
        return count * unit
    }
}
