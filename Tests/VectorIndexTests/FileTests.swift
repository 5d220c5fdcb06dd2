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
            for count in [0, 500, ItemIndex.graphFromItems] {
                let table = random.table(count, 8, centres: 50)
                let index = try ItemIndex.build(vectors: table, dimension: 8, threads: 2)
                let path = folder.appendingPathComponent("index").path
                try index.save(to: path)
                let loaded = try ItemIndex.load(path: path, vectors: table, dimension: 8)
                #expect(loaded.kind == index.kind)
                for _ in 0..<20 {
                    let query = random.unit(8)
                    #expect(search(loaded, query, 12) == search(index, query, 12))
                }
            }
            // Nothing but the index is left behind.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["index"])
        }
    }

    @Test func aDamagedFileIsAlwaysRefused() throws {
        try withFolder {
            var random = Clusters(seed: 2)
            let table = random.table(ItemIndex.graphFromItems, 2, centres: 50)
            let settings = HNSWSettings(neighbours: 2, efConstruction: 4)
            let index = try ItemIndex.build(vectors: table, dimension: 2, threads: 2, settings: settings)
            let path = folder.appendingPathComponent("index").path
            try index.save(to: path)
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let damaged = folder.appendingPathComponent("damaged").path
            func load(_ bytes: [UInt8]) throws -> VectorIndexError.Code? {
                try Data(bytes).write(to: URL(fileURLWithPath: damaged))
                return code { _ = try ItemIndex.load(path: damaged, vectors: table, dimension: 2) }
            }
            #expect(try load(whole) == nil)
            let places = Array(0..<80) + Array(stride(from: 80, to: whole.count, by: whole.count / 60))
            for place in places {
                var bytes = whole
                bytes[place] ^= UInt8(1 << (place % 8))
                #expect(try load(bytes) != nil, "a change of byte \(place) went unseen")
            }
            for size in Array(0..<80) + Array(stride(from: 80, to: whole.count, by: whole.count / 60)) {
                #expect(try load(Array(whole[..<size])) != nil, "a file cut to \(size) bytes went unseen")
            }
            #expect(try load(whole + [0]) == .damaged)
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
