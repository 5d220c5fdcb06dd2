import Features
import Interactions

/// The items that a user dealt with, as `user_features.met_items` holds them once the history cannot hold them all.
///
///     byte      version, 1
///     entries   byte     a bit for each type of interaction, 1 << raw value
///               varint   length of the item id, then its UTF-8
///     4 bytes   the low half of PayloadHash over all bytes before, little-endian
///
/// Ascending by the bytes of the ids, each once: the same items have the same bytes, in whatever order they came.
enum MetItems {
    /// How many items of a user are kept: beyond that those with the least ids, whatever the order they came in. The
    /// newest are in the history as well.
    static let itemsLimit = 100_000
    private static let version: UInt8 = 1
    private static let checksumBytes = 4

    /// One item and how it was met.
    struct Entry {
        var itemID: String
        var types: UInt8

        init(_ itemID: String, _ type: InteractionType) {
            self.itemID = itemID
            types = 1 << type.rawValue
        }

        /// A purchase that was given back leaves the item and no way in which it was met.
        init(_ entry: HistoryEntry) {
            itemID = entry.itemID
            types = entry.isReturned ? 0 : 1 << entry.type.rawValue
        }
    }

    /// `stored` with more items, or nil where it holds them already.
    ///
    /// - Parameter stored: an encoded list, or nil for none. A list that ``isWhole(_:)`` refuses is no argument.
    /// - Complexity: O(bytes of both), without an allocation for each item.
    static func adding(_ items: [Entry], to stored: [UInt8]?) -> [UInt8]? {
        let added = unique(items)
        var result: [UInt8] = [version]
        result.reserveCapacity((stored?.count ?? 8) + added.reduce(0) { $0 + $1.itemID.utf8.count + 4 })
        var changed = stored == nil
        var count = 0
        var next = 0

        func append(_ types: UInt8, _ id: UnsafeRawBufferPointer) {
            count += 1
            guard count <= itemsLimit else { return }
            result.append(types)
            appendVarint(id.count, to: &result)
            result.append(contentsOf: id)
        }
        func appendAdded() {
            var id = added[next].itemID
            id.withUTF8 { append(added[next].types, UnsafeRawBufferPointer($0)) }
            next += 1
            if count <= itemsLimit { changed = true }
        }
        (stored ?? []).withUnsafeBytes { bytes in
            var at = 1
            while let (types, id) = entry(bytes, &at) {
                var merged = types
                while next < added.count {
                    var other = added[next].itemID
                    let order = other.withUTF8 { compare(UnsafeRawBufferPointer($0), id) }
                    if order > 0 { break }
                    if order == 0 {
                        merged |= added[next].types
                        next += 1
                        break
                    }
                    appendAdded()
                }
                if merged != types { changed = true }
                append(merged, id)
            }
        }
        while next < added.count { appendAdded() }
        guard changed else { return nil }
        appendChecksum(to: &result)
        return result
    }

    private static func appendChecksum(to list: inout [UInt8]) {
        let sum = list.withUnsafeBytes { checksum($0) }
        for shift in stride(from: UInt32(0), to: 32, by: 8) { list.append(UInt8(truncatingIfNeeded: sum >> shift)) }
    }

    /// `stored` with other words on which items were bought, or nil where it says so already. Items that are not in it stay out.
    ///
    /// - Complexity: O(bytes), with an allocation for each item.
    static func noting(bought: [String: Bool], in stored: [UInt8]) -> [UInt8]? {
        var result = stored
        let bit: UInt8 = 1 << InteractionType.purchase.rawValue
        stored.withUnsafeBytes { bytes in
            var at = 1
            while true {
                let start = at
                guard let (types, id) = entry(bytes, &at) else { break }
                guard let isBought = bought[String(decoding: id, as: UTF8.self)] else { continue }
                result[start] = isBought ? types | bit : types & ~bit
            }
        }
        guard result != stored else { return nil }
        result.removeLast(checksumBytes)
        appendChecksum(to: &result)
        return result
    }

    /// `stored` with other ways in which items were met, or nil where it says so already. Items that are not in it stay out.
    ///
    /// - Complexity: O(bytes), with an allocation for each item.
    static func setting(_ ways: [String: UInt8], in stored: [UInt8]) -> [UInt8]? {
        if ways.isEmpty { return nil }
        var result = stored
        stored.withUnsafeBytes { bytes in
            var at = 1
            while true {
                let start = at
                guard let (_, id) = entry(bytes, &at) else { break }
                if let now = ways[String(decoding: id, as: UTF8.self)] { result[start] = now }
            }
        }
        guard result != stored else { return nil }
        result.removeLast(checksumBytes)
        appendChecksum(to: &result)
        return result
    }

    /// Whether the bytes are a list, unharmed.
    static func isWhole(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 1 + checksumBytes, bytes[0] == version else { return false }
        let end = bytes.count - checksumBytes
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
            == checksum(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
    }

    /// Whether the list holds as many items as it may: others may have been left out.
    static func isFull(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // An entry has three bytes at least.
        guard bytes.count >= 3 * itemsLimit else { return false }
        var at = 1, count = 0
        while entry(bytes, &at) != nil { count += 1 }
        return count >= itemsLimit
    }

    /// Calls `body` with each item that was met in one of the ways of `mask`, and with these ways, until it returns false.
    static func forEach(in bytes: UnsafeRawBufferPointer, mask: UInt8, _ body: (String, UInt8) -> Bool) {
        var at = 1
        while let (types, id) = entry(bytes, &at) {
            if types & mask != 0, !body(String(decoding: id, as: UTF8.self), types & mask) { return }
        }
    }

    /// Ascending by bytes, each id once. Ids are compared by their bytes: Swift's `==` takes some different ones as equal.
    private static func unique(_ items: [Entry]) -> [Entry] {
        var sorted = items.sorted { $0.itemID.utf8.lexicographicallyPrecedes($1.itemID.utf8) }
        var kept = 0
        for index in sorted.indices {
            if kept > 0, sorted[kept - 1].itemID.utf8.elementsEqual(sorted[index].itemID.utf8) {
                sorted[kept - 1].types |= sorted[index].types
            } else {
                sorted[kept] = sorted[index]
                kept += 1
            }
        }
        sorted.removeLast(sorted.count - kept)
        return sorted
    }

    /// The entry at `at`, which moves behind it; nil at the end.
    @inline(__always)
    private static func entry(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> (types: UInt8, id: UnsafeRawBufferPointer)? {
        let end = bytes.count - checksumBytes
        guard at < end else { return nil }
        let types = bytes[at]
        at += 1
        var length = 0
        var shift = 0
        while at < end, shift < 32 {
            let byte = bytes[at]
            at += 1
            length |= Int(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        guard length <= end - at else { return nil }
        defer { at += length }
        return (types, UnsafeRawBufferPointer(rebasing: bytes[at..<(at + length)]))
    }

    private static func appendVarint(_ value: Int, to bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        for (one, two) in zip(left, right) where one != two { return one < two ? -1 : 1 }
        return left.count - right.count
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hash = PayloadHash()
        hash.combine(bytes)
        return UInt32(truncatingIfNeeded: hash.value)
    }
}
