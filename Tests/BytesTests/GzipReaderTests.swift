import Bytes
import Testing

@Suite("Gzip is decompressed as it arrives")
struct GzipReaderTests {
    /// Three lines `freshet`, by Python's gzip.
    private static let member: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 43, 74, 45, 206, 72, 45, 225, 74, 67, 163, 1, 205, 209, 168, 83, 24, 0, 0, 0,
    ]
    private static let text = "freshet\nfreshet\nfreshet\n"

    /// Hands over `piece` bytes at a time and has room for as many; nil where the data is damaged.
    private func read(_ bytes: [UInt8], piece: Int) throws -> String? {
        let reader = try #require(GzipReader())
        var result: [UInt8] = [], room = [UInt8](repeating: 0, count: piece), at = 0
        while at < bytes.count {
            let step = bytes[at..<min(at + piece, bytes.count)].withUnsafeBytes { input in
                room.withUnsafeMutableBytes { reader.step(input, into: $0) }
            }
            result += room.prefix(step.written)
            at += step.taken
            switch step.outcome {
            case .goesOn: break
            case .memberEnded: reader.beginMember()
            case .damaged: return nil
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    @Test("whole, byte by byte, and members one after another", arguments: [1, 2, 7, 4_096])
    func pieces(piece: Int) throws {
        #expect(try read(Self.member, piece: piece) == Self.text)
        #expect(try read(Self.member + Self.member, piece: piece) == Self.text + Self.text)
    }

    @Test("a changed byte is damage")
    func damage() throws {
        for place in [0, 2, Self.member.count - 8] {
            var bytes = Self.member
            bytes[place] ^= 0x55
            #expect(try read(bytes, piece: 4_096) == nil, "\(place)")
        }
    }
}
