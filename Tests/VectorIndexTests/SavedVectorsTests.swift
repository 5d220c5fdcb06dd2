import Foundation
import Testing
import VectorIndex

struct SavedVectorsTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("vectors-\(UUID().uuidString)").path

    private var saved: SavedVectors {
        SavedVectors(
            itemIDs: ["a", "né", "with\nlines", ""], vectors: (0..<12).map { Float($0) / 7 }, dimension: 3, catalogueVersion: 42,
            catalogueLineage: -7)
    }

    private func code(_ body: () throws -> Void) -> VectorIndexError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? VectorIndexError)?.code
        }
    }

    @Test func whatWasSavedIsLoaded() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(!SavedVectors.exists(path))
        try saved.save(to: path, modelVersion: 7)
        #expect(try SavedVectors.load(path: path, modelVersion: 7, dimension: 3) == saved)
        #expect(code { _ = try SavedVectors.load(path: path, modelVersion: 8, dimension: 3) } == .otherModel)
        #expect(code { _ = try SavedVectors.load(path: path, modelVersion: 7, dimension: 4) } == .otherModel)
        let empty = SavedVectors(itemIDs: [], vectors: [], dimension: 3, catalogueVersion: 0)
        try empty.save(to: path, modelVersion: 7)
        #expect(try SavedVectors.load(path: path, modelVersion: 7, dimension: 3) == empty)
    }

    @Test func aFileThatIsCutOrChangedAnywhereIsRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try saved.save(to: path, modelVersion: 7)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 16
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(code { _ = try SavedVectors.load(path: path, modelVersion: 7, dimension: 3) } != nil, "byte \(place)")
        }
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            #expect(code { _ = try SavedVectors.load(path: path, modelVersion: 7, dimension: 3) } != nil, "\(length) bytes")
        }
    }

    @Test func numbersThatNoFileCanHoldAreRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try saved.save(to: path, modelVersion: 7)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        // Count, dimension and bytes of the ids.
        for place in [40, 48, 56] {
            for value in [Int64.max, .min, -1, 1 << 62, 1 << 32] {
                var bytes = whole
                withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(place..<place + 8, with: $0) }
                try bytes.write(to: URL(fileURLWithPath: path))
                #expect(code { _ = try SavedVectors.load(path: path, modelVersion: 7, dimension: 3) } != nil, "\(value) at \(place)")
            }
        }
    }
}
