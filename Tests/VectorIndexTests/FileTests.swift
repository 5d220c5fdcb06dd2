import Foundation
import Recommending
import Testing
import VectorIndex

struct FileTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("vector-index-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func withFolder(_ body: () throws -> Void) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try body()
    }

    private func search(_ index: some CandidateIndex, _ query: [Float], _ count: Int) -> [Candidate] {
        query.withUnsafeBufferPointer { index.search($0, count: count) }
    }

    private func code(_ body: () throws -> Void) -> VectorIndexError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? VectorIndexError)?.code
        }
    }

    @Test func aLoadedIndexAnswersLikeTheSavedOne() throws {
        try withFolder {
            var random = Clusters(seed: 1)
            let kinds: [(Int, IndexKind)] = [
                (0, .automatic), (500, .flat), (3_000, .graph(HNSWSettings())), (3_000, .lists(nil)),
                (3_000, .lists(ListSettings(code: .bfloat16, lists: 1))), (1_000, .lists(ListSettings(code: .float32, lists: 9))),
            ]
            for (count, kind) in kinds {
                let table = random.table(count, 8, centres: 50)
                let index = try ItemIndex.build(vectors: table, dimension: 8, threads: 2, kind: kind)
                let path = folder.appendingPathComponent("index").path
                try index.save(to: path)
                let loaded = try ItemIndex.load(path: path, vectors: table, dimension: 8)
                #expect(loaded.kind == index.kind)
                #expect(loaded.parameters == index.parameters)
                #expect(loaded.memory == index.memory)
                #expect(loaded.measuredRecall == index.measuredRecall)
                for _ in 0..<20 {
                    let query = random.unit(8)
                    #expect(search(loaded, query, 12) == search(index, query, 12))
                }
            }
            // Nothing but the index is left behind.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["index"])
        }
    }

    @Test(arguments: [
        IndexKind.graph(HNSWSettings(neighbours: 2, efConstruction: 4)), .lists(ListSettings(lists: 20)),
        .lists(ListSettings(code: .bfloat16, lists: 1)), .flat,
    ])
    func aDamagedFileIsAlwaysRefused(kind: IndexKind) throws {
        try withFolder {
            var random = Clusters(seed: 2)
            let table = random.table(4_000, 2, centres: 50)
            let index = try ItemIndex.build(vectors: table, dimension: 2, threads: 2, kind: kind)
            let path = folder.appendingPathComponent("index").path
            try index.save(to: path)
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let damaged = folder.appendingPathComponent("damaged").path
            func load(_ bytes: [UInt8]) throws -> VectorIndexError.Code? {
                try Data(bytes).write(to: URL(fileURLWithPath: damaged))
                return code { _ = try ItemIndex.load(path: damaged, vectors: table, dimension: 2) }
            }
            #expect(try load(whole) == nil)
            let places =
                Array(0..<min(220, whole.count)) + Array(stride(from: 220, to: max(whole.count, 220), by: max(1, whole.count / 60)))
            for place in places {
                var bytes = whole
                bytes[place] ^= UInt8(1 << (place % 8))
                #expect(try load(bytes) != nil, "a change of byte \(place) went unseen")
            }
            for size in Array(0..<min(220, whole.count)) + Array(stride(from: 220, to: max(whole.count, 220), by: max(1, whole.count / 60)))
            {
                #expect(try load(Array(whole[..<size])) != nil, "a file cut to \(size) bytes went unseen")
            }
            #expect(try load(whole + [0]) == .damaged)
        }
    }

    @Test func anotherModelsIndexIsRefusedByName() throws {
        try withFolder {
            var random = Clusters(seed: 4)
            let table = random.table(200, 4, centres: 5)
            let path = folder.appendingPathComponent("index").path
            try ItemIndex.build(vectors: table, dimension: 4, kind: .lists(ListSettings(lists: 4))).save(to: path, modelVersion: 7)
            #expect {
                _ = try ItemIndex.load(path: path, vectors: table, dimension: 4, modelVersion: 8)
            } throws: { error in
                let error = error as? VectorIndexError
                return error?.code == .otherModel && error?.message.contains("version 7, not of 8") == true
            }
            #expect(try ItemIndex.load(path: path, vectors: table, dimension: 4, modelVersion: 7).count == 200)
        }
    }

    @Test func aRefusedFileIsToldAndReplacedAndNothingStops() throws {
        try withFolder {
            var random = Clusters(seed: 5)
            let table = random.table(300, 4, centres: 5)
            let path = folder.appendingPathComponent("index").path
            var refusals: [VectorIndexError.Code] = []
            func open(_ path: String, _ version: Int64) throws -> ItemIndex {
                try ItemIndex.loadOrBuild(
                    path: path, vectors: table, dimension: 4, modelVersion: version, kind: .lists(ListSettings(lists: 4))
                ) { refusals.append($0.code) }
            }
            let built = try open(path, 1)
            #expect(refusals == [])
            let query = random.unit(4)
            #expect(try search(open(path, 1), query, 9) == search(built, query, 9))
            #expect(refusals == [])
            #expect(try search(open(path, 2), query, 9) == search(built, query, 9))
            #expect(refusals == [.otherModel])
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count / 2] ^= 4
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(try search(open(path, 2), query, 9) == search(built, query, 9))
            #expect(refusals == [.otherModel, .damaged])
            // The replacement is whole again, and where none can be written the index is there all the same.
            #expect(try search(open(path, 2), query, 9) == search(built, query, 9))
            #expect(try search(open("/nonexistent/index", 2), query, 9) == search(built, query, 9))
            #expect(refusals == [.otherModel, .damaged, .file])
        }
    }

    @Test func otherVectorsAndOtherFilesAreRefusedByName() throws {
        try withFolder {
            var random = Clusters(seed: 3)
            var table = random.table(100, 4, centres: 5)
            let path = folder.appendingPathComponent("index").path
            try ItemIndex.build(vectors: table, dimension: 4).save(to: path)
            table[17] += 0.001
            #expect(code { _ = try ItemIndex.load(path: path, vectors: table, dimension: 4) } == .otherVectors)
            #expect(
                code { _ = try ItemIndex.load(path: path, vectors: Array(table.dropLast(4)), dimension: 4) }
                    == .otherVectors)
            #expect(code { _ = try ItemIndex.load(path: path + "x", vectors: table, dimension: 4) } == .file)
            #expect(code { _ = try ItemIndex.load(path: folder.path, vectors: table, dimension: 4) } == .notAnIndex)
            try Data("not an index, but a text of some length".utf8).write(to: URL(fileURLWithPath: path))
            #expect(code { _ = try ItemIndex.load(path: path, vectors: table, dimension: 4) } == .notAnIndex)
            #expect(code { try ItemIndex.build(vectors: table, dimension: 4).save(to: "/nonexistent/x") } == .file)
        }
    }
}
