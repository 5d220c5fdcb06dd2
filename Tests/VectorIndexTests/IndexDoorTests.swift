import Foundation
import FuzzInputs
import Recommending
import Testing
import VectorIndex

/// Damaged index files and files of vectors, and such as lie under a right checksum: refused by name, or searched without harm.
@Suite struct IndexDoorTests {
    /// Numbers of an index's header beside those that every kind has: five, and two for each of three steps of the plan.
    private static let numbers = 5 + 2 * 3

    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("index-\(UUID().uuidString)")

    @Test func indexes() async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var random = Clusters(seed: 2)
        let table = random.table(400, 4, centres: 20)
        let path = folder.appendingPathComponent("index").path
        let kinds: [IndexKind] = [
            .graph(HNSWSettings(neighbours: 2, efConstruction: 4)), .lists(ListSettings(lists: 8)),
            .lists(ListSettings(code: .bfloat16, lists: 1)), .flat,
        ]
        let files = try kinds.map { kind in
            try ItemIndex.build(vectors: table, dimension: 4, threads: 1, kind: kind).save(to: path)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        for whole in files {
            var bytes = whole
            #expect(FileSeal.sealIndex(&bytes, numbers: Self.numbers) && bytes == whole)
        }
        let query = random.unit(4)
        let report = await FuzzDoor("files.indexes", short: 400, long: 30_000).run { source, _ in
            let whole = source.pick(files)
            var bytes = whole
            if source.once(in: 2) {
                // The header says how large everything is.
                for _ in 0...source.below(2) { source.mutateWord(&bytes, within: 0..<(source.once(in: 3) ? bytes.count : 320)) }
            } else {
                source.mutate(&bytes, times: 1 + source.below(3))
            }
            let isSealed = source.once(in: 2) && FileSeal.sealIndex(&bytes, numbers: Self.numbers)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do throws(VectorIndexError) {
                let index = try ItemIndex.load(path: path, vectors: table, dimension: 4)
                guard isSealed || bytes == whole else { return .broken("a change of \(bytes.count) bytes went unseen") }
                let found = query.withUnsafeBufferPointer { index.search($0, count: 10) }
                guard found.allSatisfy({ (0..<400).contains($0.row) }) else { return .broken("rows \(found)") }
                return .accepted
            } catch {
                return error.message.contains(path) ? .refused : .broken("\(error) does not name the file")
            }
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }

    @Test func vectors() async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("vectors").path
        let saved = SavedVectors(
            itemIDs: ["a", "né", "with\nlines", ""], vectors: (0..<12).map { Float($0) / 7 }, dimension: 3, catalogueVersion: 42)
        try saved.save(to: path, modelVersion: 7)
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var sealed = whole
        #expect(FileSeal.sealVectors(&sealed) && sealed == whole)
        let report = await FuzzDoor("files.vectors", short: 300, long: 20_000).run { source, _ in
            var bytes = whole
            source.once(in: 2) ? source.mutateWord(&bytes, within: 0..<bytes.count) : source.mutate(&bytes, times: 1 + source.below(3))
            let isSealed = source.once(in: 2) && FileSeal.sealVectors(&bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do throws(VectorIndexError) {
                let read = try SavedVectors.load(path: path, modelVersion: 7, dimension: 3)
                guard isSealed || bytes == whole else { return .broken("a change went unseen") }
                return read.vectors.count == read.itemIDs.count * 3 ? .accepted : .broken("\(read.vectors.count) numbers")
            } catch {
                return error.message.contains(path) ? .refused : .broken("\(error) does not name the file")
            }
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }
}
