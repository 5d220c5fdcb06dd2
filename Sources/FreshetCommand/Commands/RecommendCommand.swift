import ArgumentParser
import Console
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Learning
import Logging
import ModelArtifacts
import Recommending
import Serving

/// `freshet recommend`
struct RecommendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recommend",
        abstract: "Batch recommendations: one JSON line a user, in the order of the users.",
        discussion: """
            Users and candidates are files of ids, one a line, or of JSON Lines with user_id or item_id; plain or .gz, a pipe, or
            - for standard input. A line that is JSON is read as JSON: "7" and 7 are the id 7. Every candidate is ranked exactly;
            items that rules.exclude leaves out are in no list. A file appears at --output whole or not at all; a pipe or a device is
            written as it is, and a link leads to what is written.
            """)

    /// Users whose state is read at once.
    private static let usersAtOnce = 64

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(help: "Whom to recommend for.") var users: String
    @Option(name: .shortAndLong, help: "Items a user, 1 to 1,000.") var n = 100
    @Option(help: "Rank these items only.") var candidates: String?
    @Option(help: "Where to write; standard output otherwise. A name that ends in .gz is not compressed: pipe through gzip.")
    var output: String?
    @Option(help: "promoted, latest, or a version.") var model = ModelChoice.promoted

    func run() async throws {
        guard RecommendationQuery.countRange.contains(n) else { throw ValidationError("--n takes 1 to 1,000, not \(n)") }
        guard users != "-" || candidates != "-" else {
            throw ValidationError("- can be read once: name a file for --users or --candidates")
        }
        let configuration = try options.configuration()
        let rules = try configuration.decodingRules()
        let ids = try IDFile.read(users, field: "user_id", rules: rules)
        if ids.isEmpty { configuration.logger("recommend").warning("\(users) names nobody: there is no list to write") }
        let wanted = try candidates.map { try IDFile.read($0, field: "item_id", rules: rules) }
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 2)
        let states = try UserStateReader(url: url, connections: 2, rules: configuration.featureRules)
        defer { states.close() }
        let builder = SnapshotBuilder(
            store: store, artifacts: configuration.artifactStore, index: configuration.indexSettings,
            logger: configuration.logger("recommend"), rules: configuration.recommendingRules,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("recommend")), tailDial: configuration.tailDial)
        var now = EventTime.now
        if let given = try asOf.time() {
            now = given
        } else if configuration.text(.clock) == "data", let newest = try store.newestEventTime() {
            now = newest
        }
        var snapshot = try await builder.build(try model.find(in: store), indexed: false, at: now).snapshot
        if let segments = configuration.segmentRules {
            snapshot = snapshot.withSegments(
                try store.segmentEvents(segments).map(SegmentCount.init),
                priorEvents: configuration.number(.coldStartSegmentPriorEvents))
        }
        let recommender = BatchRecommender(snapshot: snapshot, candidates: wanted)
        if let wanted, let candidates { try check(recommender, wanted.count, of: candidates, configuration.logger("recommend")) }
        let writer = try LineWriter(path: output)
        let progress = ProgressLine("recommend", total: ids.count)
        let excludes = configuration.exclusion ?? snapshot.exclusion
        for start in stride(from: 0, to: ids.count, by: Self.usersAtOnce) {
            let slice = Array(ids[start..<min(start + Self.usersAtOnce, ids.count)])
            let lines = try await withThrowingTaskGroup(of: (Int, String).self) { [now, n] group in
                for (place, id) in slice.enumerated() {
                    group.addTask {
                        let state = try await states.read(userID: id, exclude: excludes.types)
                        let items = recommender.recommend(
                            count: n, history: state.history,
                            excluded: recommender.current.keptOut(state.excludedItemIDs, ways: state.excludedWays, by: excludes),
                            attributes: state.attributes, now: now,
                            // By what lists are varied: of who does not want to be known, by nothing.
                            userID: state.isPersonalised ? id : nil)
                        return (place, Self.line(userID: id, items: items, isPersonalised: state.isPersonalised))
                    }
                }
                var lines = [String](repeating: "", count: slice.count)
                for try await (place, line) in group { lines[place] = line }
                return lines
            }
            for line in lines { try writer.write(line) }
            progress.update(start + slice.count)
        }
        try writer.close()
        progress.finish(ids.count)
    }

    /// Says which candidates cannot be recommended; where none can, all lists would be empty.
    private func check(_ recommender: BatchRecommender, _ count: Int, of path: String, _ logger: Logger) throws {
        guard count > 0 else {
            throw CommandFailure("\(path) names no candidate: leave --candidates out to rank the whole catalogue")
        }
        let unknown = recommender.unknownCandidates
        guard unknown.count + recommender.unavailableCandidates > 0 else { return }
        let left = """
            \(unknown.count) of the \(count) candidates of \(path) are unknown\(unknown.first.map { ", such as \($0)" } ?? ""), and \
            \(recommender.unavailableCandidates) are hidden or deleted
            """
        guard recommender.candidateCount > 0 else {
            throw CommandFailure("\(left): none is left to recommend. Are they item ids, and are their records stored?")
        }
        logger.warning("\(left): they are in no list")
    }

    /// Of whom nothing was read the line says so, as an answer over HTTP does.
    private static func line(userID: String, items: [RecommendedItem], isPersonalised: Bool) -> String {
        var line = "{\"user_id\":\(JSONText.quoted(userID)),\"items\":["
        for (index, item) in items.enumerated() {
            if index > 0 { line += "," }
            line += "{\"item_id\":\(JSONText.quoted(item.itemID)),\"score\":\(item.score.isFinite ? item.score : 0)}"
        }
        return line + (isPersonalised ? "]}" : "],\"personalised\":false}")
    }
}
