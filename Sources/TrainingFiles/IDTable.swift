import Foundation
import Interactions

/// Numbers ids in the order in which they come. An id that is known costs a hash and a comparison of bytes.
///
/// Memory grows with distinct ids: about 40 bytes and the text of each.
package struct IDTable {
    /// A place holds the row of an id and part of its hash, or −1; at most half of the places are taken.
    private var places: [(row: Int32, tag: UInt32)]
    private var hashes: [UInt64] = []
    private var ends: [Int] = [0]
    private var text: [UInt8] = []
    /// Begins with chance, so that nobody can choose ids that meet in one place.
    private let seed: PayloadHash

    /// A table without ids.
    package init() {
        var seed = PayloadHash()
        withUnsafeBytes(of: UInt64.random(in: .min ... .max)) { seed.combine($0) }
        self.seed = seed
        places = [(Int32, UInt32)](repeating: (-1, 0), count: 1 << 10)
    }

    /// Number of ids.
    package var count: Int { hashes.count }

    /// The row of an id; a new id gets the next row.
    package mutating func row(of id: UnsafeRawBufferPointer) -> Int32 {
        let hash = hash(id), found = find(id, hash)
        if places[found].row >= 0 { return places[found].row }
        let row = Int32(count)
        places[found] = (row, UInt32(truncatingIfNeeded: hash >> 32))
        hashes.append(hash)
        text.append(contentsOf: id)
        ends.append(text.count)
        if 2 * count > places.count { grow() }
        return row
    }

    /// The row of an id; a new id gets the next row.
    package mutating func row(of id: String) -> Int32 {
        var id = id
        return id.withUTF8 { row(of: UnsafeRawBufferPointer($0)) }
    }

    /// The row of an id, nil where it is not known.
    package func knownRow(of id: String) -> Int32? {
        var id = id
        return id.withUTF8 { knownRow(of: UnsafeRawBufferPointer($0)) }
    }

    /// The row of an id, nil where it is not known.
    package func knownRow(of id: UnsafeRawBufferPointer) -> Int32? {
        let row = places[find(id, hash(id))].row
        return row >= 0 ? row : nil
    }

    /// The id of a row.
    package func id(_ row: Int) -> String { String(decoding: text[ends[row]..<ends[row + 1]], as: UTF8.self) }

    /// All rows in the order of their ids, byte by byte.
    package func sortedRows() -> [Int32] {
        (0..<Int32(count)).sorted { left, right in
            text[ends[Int(left)]..<ends[Int(left) + 1]].lexicographicallyPrecedes(text[ends[Int(right)]..<ends[Int(right) + 1]])
        }
    }

    /// The place of an id, or the free one where it belongs.
    private func find(_ id: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
        let tag = UInt32(truncatingIfNeeded: hash >> 32), mask = places.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place].row >= 0, places[place].tag != tag || !isEqual(Int(places[place].row), id) { place = (place + 1) & mask }
        return place
    }

    private func isEqual(_ row: Int, _ id: UnsafeRawBufferPointer) -> Bool {
        guard ends[row + 1] - ends[row] == id.count else { return false }
        guard let bytes = id.baseAddress else { return true }
        return text.withUnsafeBytes { $0.baseAddress.map { memcmp($0 + ends[row], bytes, id.count) == 0 } ?? (id.count == 0) }
    }

    private mutating func grow() {
        places = [(Int32, UInt32)](repeating: (-1, 0), count: places.count * 2)
        let mask = places.count - 1
        for (row, hash) in hashes.enumerated() {
            var place = Int(truncatingIfNeeded: hash) & mask
            while places[place].row >= 0 { place = (place + 1) & mask }
            places[place] = (Int32(row), UInt32(truncatingIfNeeded: hash >> 32))
        }
    }

    private func hash(_ id: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed
        hash.combine(id)
        return hash.value
    }
}
