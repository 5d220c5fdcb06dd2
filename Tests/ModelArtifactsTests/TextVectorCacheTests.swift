import Foundation
import ModelArtifacts
import Testing

@Suite struct TextVectorCacheTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-cache-\(UUID().uuidString)/texts").path

    private func open(_ encoder: String = "0badcafe", width: Int = 3, limit: Int = 1 << 20) throws -> TextVectorCache {
        try TextVectorCache(path: path, encoder: encoder, width: width, limitBytes: limit)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path) }

    @Test("what one run kept another finds, bit for bit")
    func outlivesARun() throws {
        defer { remove() }
        let first = try open()
        try first.add([(TextKey(1, 2), [0.1, -3, .pi]), (TextKey(2, 2), [1, 2, 3])])
        try first.add([(TextKey(1, 2), [9, 9, 9]), (TextKey(3, 2), [4, 5, 6])])
        let second = try open()
        #expect(second.count == 3 && second[TextKey(1, 2)] == [0.1, -3, .pi] && second[TextKey(3, 2)] == [4, 5, 6])
        #expect(second[TextKey(2, 1)] == nil)
    }

    @Test("vectors of another encoder are not used")
    func otherEncoder() throws {
        defer { remove() }
        try open().add([(TextKey(1, 2), [1, 2, 3])])
        #expect(try open("0badcaff").count == 0)
        try open("0badcaff").add([(TextKey(1, 2), [3, 2, 1])])
        #expect(try open("0badcaff")[TextKey(1, 2)] == [3, 2, 1])
        #expect(try open("0badcaff", width: 2).count == 0)
    }

    @Test("a torn end and a changed byte cost their records and no others", arguments: [0, 1, 5, 27, 31, 32, 40])
    func damage(_ cut: Int) throws {
        defer { remove() }
        let cache = try open()
        for number in 0..<4 { try cache.add([(TextKey(UInt64(number), 0), [Float(number), 0, 1])]) }
        let url = URL(fileURLWithPath: path)
        var data = try Data(contentsOf: url)
        data.removeLast(cut)
        data[24 + 20] ^= 0x40
        try data.write(to: url)
        let again = try open()
        #expect(again[TextKey(0, 0)] == nil && again[TextKey(1, 0)] == [1, 0, 1])
        // What is added now is found by the next run.
        try again.add([(TextKey(9, 0), [9, 0, 1])])
        let last = try open()
        #expect(last[TextKey(9, 0)] == [9, 0, 1] && last[TextKey(1, 0)] == [1, 0, 1])
        #expect((last[TextKey(3, 0)] != nil) == (cut == 0))
    }

    @Test("the file is bounded, and trimming keeps what is still needed")
    func bounded() throws {
        defer { remove() }
        // 32 bytes a record.
        let cache = try open(limit: 320)
        for number in 0..<30 { try cache.add([(TextKey(UInt64(number), 0), [Float(number), 0, 1])]) }
        #expect(cache.count == 10)
        try cache.trim { $0.first >= 7 }
        #expect(cache.count == 3)
        try cache.add([(TextKey(20, 0), [20, 0, 1])])
        let again = try open(limit: 320)
        #expect(again.count == 4 && again[TextKey(20, 0)] == [20, 0, 1] && again[TextKey(6, 0)] == nil)
        // Below half of the limit nothing is dropped.
        try again.trim { _ in false }
        #expect(again.count == 4)
    }
}
