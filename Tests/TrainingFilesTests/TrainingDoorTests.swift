import FeatureStore
import Features
import Foundation
import FuzzInputs
import Interactions
import Testing
import TestSupport
import TrainingFiles

/// Damaged training files, and such as lie under right hashes: each is refused by name, and none ends the process.
@Suite struct TrainingDoorTests {
    private typealias Header = TrainingFile.Header

    private func write(_ path: String) throws {
        var writer = try TrainingFileWriter(path: path, userStarts: [0, 3, 3, 8])
        for row in 0..<8 {
            try writer.append(item: Int32(row % 4), type: UInt8(1 + row % 3), time: Int64(1_000 * row), amount: Int64(row) - 1)
        }
        var shown = ImpressionColumns()
        for row in 0..<4 { shown.append(user: Int32(row % 3), item: Int32(row), time: Int64(row), outcomes: UInt8(row), amount: 5) }
        try writer.finish(
            items: (0..<4).map {
                ItemRecord(itemID: "i\($0)", title: "Ö \($0)", tags: ["a"], attributes: #"{"n":1e3}"#, embedding: [0.5, 1])
            },
            users: (0..<3).map { UserRecord(userID: "u\($0)", attributes: #"{"age":"25"}"#) }, watermark: #"{"snapshot":"1:1:"}"#,
            newRows: [1, 5],
            impressions: shown)
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> Int {
        Int(truncatingIfNeeded: bytes[offset..<offset + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private static func put(_ value: UInt64, into bytes: inout [UInt8], at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + 8, with: $0) }
    }

    /// Makes the hashes right again, of the sections and of the header. False where the places of the sections leave the file.
    private static func seal(_ bytes: inout [UInt8]) -> Bool {
        let count = Header.Section.allCases.count
        guard bytes.count >= Header.bytes else { return false }
        for section in 0..<count {
            let place = Header.magic.count + 24 * section
            let offset = word(bytes, place), size = word(bytes, place + 8)
            guard offset >= 0, size >= 0, offset <= bytes.count, size <= bytes.count - offset else { return false }
            put(bytes[offset..<offset + size].withUnsafeBytes { FileChecksum.of($0) }, into: &bytes, at: place + 16)
        }
        let end = Header.magic.count + 24 * count
        put(bytes[..<end].withUnsafeBytes { FileChecksum.of($0) }, into: &bytes, at: end)
        return true
    }

    /// Reads all that training reads.
    private func walk(_ log: TrainingLog, _ folder: String) throws {
        var sum = 0
        for user in log.userIDs.indices {
            for row in log.rows(of: user) {
                sum &+= Int(log.items[row]) &+ Int(log.types[row]) &+ Int(log.times[row]) &+ Int(log.amounts[row])
            }
            sum &+= log.answers(of: user, from: log.rows(of: user).lowerBound).count
        }
        for place in 0..<log.impressions.count { sum &+= log.impressions.isTaken(place) ? 1 : 0 }
        sum &+= Int(truncatingIfNeeded: log.newestTime)
        _ = try log.trainingSet(columnsAt: folder + "/columns")
    }

    @Test func files() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("training-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/log"
        try write(path)
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let identity = try TrainingFile(path: path).identity
        var sealed = whole
        #expect(Self.seal(&sealed) && sealed == whole)
        let report = await FuzzDoor("files.trainings", short: 400, long: 30_000).run { source, _ in
            var bytes = whole
            if source.once(in: 2) {
                for _ in 0...source.below(2) { source.mutateWord(&bytes, within: 0..<(source.once(in: 3) ? Header.bytes : bytes.count)) }
            } else if source.once(in: 3) {
                bytes[source.below(bytes.count)] ^= 1 << UInt8(source.below(8))
            } else {
                source.mutate(&bytes, times: 1 + source.below(3))
            }
            let isSealed = source.once(in: 2) && Self.seal(&bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                let file = try TrainingFile(path: path)
                // Between the sections lies what nobody reads.
                guard isSealed || file.identity == identity else { return .broken("a change went unseen") }
                try walk(file.log, folder)
                return .accepted
            } catch let error as TrainingFileFailure {
                return "\(error)".contains(path) ? .refused : .broken("\(error) does not name the file")
            }
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }
}

/// Generated records through the decoder, PostgreSQL and a training file: what was accepted is what training reads.
@Suite(.enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct ReadAgainDoorTests {
    private let now = EventTime(milliseconds: 1_790_000_000_000)

    @Test func records() async throws {
        let database = try TestDatabase()
        let decoder = RecordDecoder(rules: DecodingRules(idForm: IDForm(name: "NFC") { $0.precomposedStringWithCanonicalMapping }))
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var items: [String: ItemRecord] = [:], users: [String: UserRecord] = [:], events: [Interaction] = [], batch = IngestBatch()
        func commit() throws {
            _ = try store.commit(batch)
            batch = IngestBatch()
        }
        var report = await FuzzDoor("trainings.records", short: 1_500, long: 100_000).run { source, index in
            let kind = source.pick([FuzzKind.events, .events, .items, .users])
            let origin = RecordOrigin(source: kind.rawValue, cluster: "k1", position: Position(partition: 0, offset: Int64(index)))
            let bytes = source.plausibleRecord(kind)
            let accepted = bytes.withUnsafeBytes { bytes in
                switch kind {
                case .items:
                    guard let item = try? decoder.item(bytes, origin: origin, now: now).get(), items[item.itemID] == nil else {
                        return false
                    }
                    items[item.itemID] = item
                    batch.items.append((.upsert(item), origin))
                case .users:
                    guard let user = try? decoder.user(bytes, origin: origin, now: now).get(), users[user.userID] == nil else {
                        return false
                    }
                    users[user.userID] = user
                    batch.users.append((.upsert(user), origin))
                default:
                    guard let event = try? decoder.interaction(bytes, origin: origin, now: now).get() else { return false }
                    events.append(event)
                    batch.interactions.append(event)
                }
                return true
            }
            if batch.interactions.count + batch.items.count + batch.users.count >= 500 { try commit() }
            return accepted ? .accepted : .refused
        }
        try commit()
        let path = FileManager.default.temporaryDirectory.appending(path: "freshet-log-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let settings = SnapshotExport.Settings(impressionsLimit: 100_000, maxInteractionsPerUser: 100_000)
        _ = try SnapshotExport(url: database.url, settings: settings).write(to: path, until: nil) { _ in }
        let log = try TrainingFile(path: path).log

        let priceCurrency = try database.sql(
            "select currency from items where price_micros is not null group by 1 order by count(*) desc, 1 limit 1")
        let learned = events.filter { $0.type != .impression }
        #expect(log.count == Int(try database.sql("select count(*) from interactions where type > 0")))
        #expect(Set(log.userIDs) == Set(learned.map(\.userID)))
        #expect(Set(log.itemIDs) == Set(learned.map(\.itemID)).union(items.keys))
        for (row, id) in log.itemIDs.enumerated() {
            guard let item = items[id] else { continue }
            var content = item.content
            // Prices of several currencies are not compared: those of the currency of most items count.
            if item.currency != priceCurrency { content.priceMicros = nil }
            if log.contents[row] != content { report.findings.append("\(item) is learned from as \(log.contents[row])") }
        }
        for (row, id) in log.userIDs.enumerated()
        where log.attributes[row] != users[id]?.attributes.map({ JSONText.tokens(ofObject: $0) }) ?? [] {
            report.findings.append("\(id) is learned from as \(log.attributes[row])")
        }
        #expect(report.findings.isEmpty, "\(report.findings.prefix(20).joined(separator: "\n"))")
    }
}
