import ArgumentParser
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import ModelArtifacts
import Recommending

/// `freshet recommend`
struct RecommendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recommend",
        abstract: "Batch recommendations: one JSON line a user, in the order of the users.",
        discussion: """
            Users and candidates are files of ids, one a line, or of JSON Lines with user_id or item_id; plain or .gz.
            Every candidate is ranked exactly; items that rules.exclude names are left out.
            """)

    /// Users whose state is read at once.
    private static let usersAtOnce = 64

    @OptionGroup var options: GlobalOptions
    @OptionGroup var asOf: AsOfOption
    @Option(help: "Whom to recommend for.") var users: String
    @Option(name: .shortAndLong, help: "Items a user, 1 to 1,000.") var n = 100
    @Option(help: "Rank these items only.") var candidates: String?
    @Option(help: "Where to write; standard output otherwise. A name that ends in .gz is not compressed: pipe through gzip.") var output: String?
    @Option(help: "promoted, latest, or a version.") var model = ModelChoice.promoted

    func run() async throws {
        guard RecommendationQuery.countRange.contains(n) else { throw ValidationError("--n takes 1 to 1,000, not \(n)") }
        let configuration = try options.configuration()
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 2)
        let states = try UserStateReader(url: url, connections: 2, rules: configuration.featureRules)
        defer { states.close() }
        let builder = SnapshotBuilder(
            store: store, artifacts: ArtifactStore(root: configuration.text("artifacts.path")), index: configuration.indexSettings,
            logger: configuration.logger("recommend"), rules: configuration.recommendingRules,
            texts: try ContentEncoder.load(configuration, logger: configuration.logger("recommend")), tailDial: configuration.tailDial)
        var snapshot = try await builder.build(try model.find(in: store), indexed: false).snapshot
        if let segments = configuration.segmentRules {
            snapshot = snapshot.withSegments(
                try store.segmentEvents(segments).map(SegmentCount.init), priorEvents: configuration.number("cold_start.segment_prior_events"))
        }
        let recommender = BatchRecommender(
            snapshot: snapshot, candidates: try candidates.map { try IDFile.read($0, field: "item_id") })
        let ids = try IDFile.read(users, field: "user_id")
        var now = EventTime.now
        if let given = try asOf.time() {
            now = given
        } else if configuration.text("clock") == "data", let newest = try store.newestEventTime() {
            now = newest
        }
        let writer = try LineWriter(path: output)
        let progress = ProgressLine("recommend", total: ids.count)
        let excludes = configuration.excludedTypes
        for start in stride(from: 0, to: ids.count, by: Self.usersAtOnce) {
            let slice = Array(ids[start..<min(start + Self.usersAtOnce, ids.count)])
            let lines = try await withThrowingTaskGroup(of: (Int, String).self) { [now, n] group in
                for (place, id) in slice.enumerated() {
                    group.addTask {
                        let state = try await states.read(userID: id, exclude: excludes)
                        let items = recommender.recommend(
                            count: n, history: state.history, excluded: state.excludedItemIDs, attributes: state.attributes, now: now, userID: id)
                        return (place, Self.line(userID: id, items: items))
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

    private static func line(userID: String, items: [RecommendedItem]) -> String {
        var line = "{\"user_id\":\(JSONText.quoted(userID)),\"items\":["
        for (index, item) in items.enumerated() {
            if index > 0 { line += "," }
            line += "{\"item_id\":\(JSONText.quoted(item.itemID)),\"score\":\(item.score.isFinite ? item.score : 0)}"
        }
        return line + "]}"
    }
}

/// Files of ids.
enum IDFile {
    /// Ids in order, each once; a line is an id, or a JSON object with `field`.
    static func read(_ path: String, field: String) throws -> [String] {
        let reader = try LineReader(path: path)
        var ids: [String] = []
        var seen = Set<String>()
        while let line = try reader.next() {
            guard !line.bytes.isEmpty else { continue }
            let id: String?
            if line.bytes.first == 0x7B {
                id = KeyField.value(of: field, in: line.bytes)
            } else {
                id = String(validating: line.bytes, as: UTF8.self).map { String($0.trimmingSpaces) }
            }
            guard let id, !id.isEmpty else {
                throw CommandFailure("line \(line.number + 1) of \(path) is neither an id nor a JSON object with \(field)")
            }
            let form = IDForm.nfc.of(id)
            if seen.insert(form).inserted { ids.append(form) }
        }
        return ids
    }
}

/// Lines to a file or to standard output, buffered.
final class LineWriter {
    private static let bufferBytes = 1 << 20
    private let handle: FileHandle
    private let temporary: (from: String, to: String)?
    private var buffer = Data()

    /// Opens `path`; the file appears there when it is complete.
    init(path: String?) throws {
        guard let path, path != "-" else {
            handle = .standardOutput
            temporary = nil
            return
        }
        let partial = path + ".partial"
        guard FileManager.default.createFile(atPath: partial, contents: nil), let handle = FileHandle(forWritingAtPath: partial) else {
            throw CommandFailure("cannot write \(path): its folder does not exist or may not be written to")
        }
        self.handle = handle
        temporary = (partial, path)
    }

    func write(_ line: String) throws {
        buffer.append(contentsOf: line.utf8)
        buffer.append(0x0A)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    func close() throws {
        try flush()
        guard let temporary else { return }
        try handle.close()
        if rename(temporary.from, temporary.to) != 0 { throw CommandFailure("cannot rename \(temporary.from) to \(temporary.to)") }
    }

    private func flush() throws {
        try handle.write(contentsOf: buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
