import Interactions

// The stored form of a history, which the database keeps in one column:
//
//     byte      version: 5 where a purchase was given back, else 4 where an entry has a currency, else 3 where one has a rating, else 2
//               where one has an amount, else 1
//     varint    number of entries
//     entries   varint   time in ms: the first one zigzag, then the difference to the one before
//               byte     type; its highest bit says that an amount follows, from version 2 on; the next that a rating does, from 3 on;
//                        the next that a currency does, from 4 on; the next, in 5, that the purchase was given back
//               varint   amount, above 0, where the bit is set
//               varint   CurrencyCode of the amount, where the bit is set
//               varint   rating in hundredths, zigzag, where the bit is set
//               varint   partition, zigzag
//               varint   offset, zigzag of the difference to the one before
//               varint   length of the item id, then its UTF-8
//     4 bytes   the low half of PayloadHash over all bytes before, little-endian
//
// Varints are LEB128. Equal histories have equal bytes.
extension UserHistory {
    private static let version: UInt8 = 1, versionWithAmounts: UInt8 = 2, versionWithRatings: UInt8 = 3, versionWithCurrencies: UInt8 = 4
    private static let versionWithReturns: UInt8 = 5
    /// The bit of the type's byte that says that an amount follows.
    private static let amountBit: UInt8 = 0x80
    /// The bit of the type's byte that says that a rating follows.
    private static let ratingBit: UInt8 = 0x40
    /// The bit of the type's byte that says that a currency follows.
    private static let currencyBit: UInt8 = 0x20
    /// The bit of the type's byte that says that a purchase was given back.
    private static let returnedBit: UInt8 = 0x10
    private static let checksumBytes = 4
    /// The shortest entry: five fields of a byte each and an empty id.
    private static let minEntryBytes = 5

    /// The history as bytes: about 12 and the length of the item id for each entry.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + entries.count * 28)
        bytes.append(leastVersion)
        Self.append(UInt64(entries.count), to: &bytes)
        var time: Int64 = 0
        var offset: Int64 = 0
        for (index, entry) in entries.enumerated() {
            let difference = entry.time.milliseconds &- time
            Self.append(index == 0 ? Self.zigzag(difference) : UInt64(bitPattern: difference), to: &bytes)
            time = entry.time.milliseconds
            bytes.append(
                entry.type.rawValue | (entry.amountMinor > 0 ? Self.amountBit : 0) | (entry.ratingHundredths != nil ? Self.ratingBit : 0)
                    | (entry.currency != nil ? Self.currencyBit : 0) | (entry.isReturned ? Self.returnedBit : 0))
            if entry.amountMinor > 0 { Self.append(UInt64(entry.amountMinor), to: &bytes) }
            if let currency = entry.currency { Self.append(UInt64(currency.rawValue), to: &bytes) }
            if let rating = entry.ratingHundredths { Self.append(Self.zigzag(Int64(rating)), to: &bytes) }
            Self.append(Self.zigzag(Int64(entry.position.partition)), to: &bytes)
            Self.append(Self.zigzag(entry.position.offset &- offset), to: &bytes)
            offset = entry.position.offset
            Self.append(UInt64(entry.itemID.utf8.count), to: &bytes)
            bytes.append(contentsOf: entry.itemID.utf8)
        }
        let sum = bytes.withUnsafeBytes { Self.checksum($0) }
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: sum >> shift)) }
        return bytes
    }

    /// The oldest version that can hold the entries: equal histories have equal bytes.
    private var leastVersion: UInt8 {
        var result = Self.version
        for entry in entries {
            if entry.isReturned { return Self.versionWithReturns }
            if entry.currency != nil {
                result = Self.versionWithCurrencies
            } else if entry.ratingHundredths != nil {
                result = max(result, Self.versionWithRatings)
            } else if entry.amountMinor > 0 {
                result = max(result, Self.versionWithAmounts)
            }
        }
        return result
    }

    /// Reads a stored history; nil where the bytes are not one, whole and unharmed.
    ///
    /// - Parameter limit: The newest so many entries are kept, also where more were stored.
    public init?(decoding bytes: some Collection<UInt8>, limit: Int) {
        let decoded =
            bytes.withContiguousStorageIfAvailable { UserHistory(decoding: UnsafeRawBufferPointer($0), limit: limit) }
            ?? Array(bytes).withUnsafeBytes { UserHistory(decoding: $0, limit: limit) }
        guard let decoded else { return nil }
        self = decoded
    }

    /// Reads a stored history; nil where the bytes are not one, whole and unharmed.
    public init?(decoding bytes: UnsafeRawBufferPointer, limit: Int) {
        guard limit >= 1, bytes.count >= 2 + Self.checksumBytes, Self.version...Self.versionWithReturns ~= bytes[0]
        else { return nil }
        let end = bytes.count - Self.checksumBytes
        let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        guard stored == Self.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<end])) else { return nil }
        var reader = Reader(bytes: bytes, at: 1, end: end)
        guard let count = reader.varint(), count <= UInt64((end - reader.at) / Self.minEntryBytes) else { return nil }
        var entries: [HistoryEntry] = []
        entries.reserveCapacity(Int(count))
        var time: Int64 = 0
        var offset: Int64 = 0
        for index in 0..<count {
            guard let difference = reader.varint(), let rawType = reader.byte() else { return nil }
            var rest = rawType
            var amount: UInt32 = 0
            if rest & Self.amountBit != 0, bytes[0] >= Self.versionWithAmounts {
                guard let raw = reader.varint(), let small = UInt32(exactly: raw), small > 0 else { return nil }
                amount = small
                rest &= ~Self.amountBit
            }
            var currency: CurrencyCode?
            if rest & Self.currencyBit != 0, bytes[0] >= Self.versionWithCurrencies {
                guard amount > 0, let raw = reader.varint().flatMap({ UInt16(exactly: $0) }), let code = CurrencyCode(rawValue: raw) else {
                    return nil
                }
                currency = code
                rest &= ~Self.currencyBit
            }
            var rating: Int32?
            if rest & Self.ratingBit != 0, bytes[0] >= Self.versionWithRatings {
                guard let raw = reader.varint(), let small = Int32(exactly: Self.unzigzag(raw)) else { return nil }
                rating = small
                rest &= ~Self.ratingBit
            }
            let isReturned = rest & Self.returnedBit != 0 && bytes[0] >= Self.versionWithReturns
            if isReturned { rest &= ~Self.returnedBit }
            guard let type = InteractionType(rawValue: rest), type != .return, !isReturned || type == .purchase,
                let rawPartition = reader.varint(), let partition = Int32(exactly: Self.unzigzag(rawPartition)),
                let rawOffset = reader.varint(), let itemID = reader.text()
            else { return nil }
            time = index == 0 ? Self.unzigzag(difference) : time &+ Int64(bitPattern: difference)
            offset = offset &+ Self.unzigzag(rawOffset)
            var entry = HistoryEntry(
                itemID: itemID, type: type, time: EventTime(milliseconds: time),
                position: Position(partition: partition, offset: offset), amountMinor: amount, ratingHundredths: rating, currency: currency)
            entry.isReturned = isReturned
            if let last = entries.last, !(last < entry) { return nil }
            entries.append(entry)
        }
        guard reader.at == end else { return nil }
        guard UserHistory(sorted: entries, limit: .max).leastVersion == bytes[0] else { return nil }
        self.init(sorted: entries, limit: limit)
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hash = PayloadHash()
        hash.combine(bytes)
        return UInt32(truncatingIfNeeded: hash.value)
    }

    private static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63)
    }

    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    /// Reads within bounds, whatever the bytes say.
    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var at: Int
        let end: Int

        mutating func byte() -> UInt8? {
            guard at < end else { return nil }
            defer { at += 1 }
            return bytes[at]
        }

        mutating func varint() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let next = byte() {
                if shift == 63 && next > 1 { return nil }
                value |= UInt64(next & 0x7F) << shift
                if next < 0x80 { return value }
                shift += 7
                if shift > 63 { return nil }
            }
            return nil
        }

        mutating func text() -> String? {
            guard let count = varint(), count <= UInt64(end - at) else { return nil }
            defer { at += Int(count) }
            return String(
                validating: UnsafeRawBufferPointer(rebasing: bytes[at..<at + Int(count)]), as: UTF8.self)
        }
    }
}
