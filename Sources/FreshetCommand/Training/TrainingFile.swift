import Foundation
import Interactions
import TwoTower

/// The training log on disk: columns behind a small header, so that a killed training goes on from the same rows.
///
/// Layout, little-endian: 8 bytes `FRTRAIN1`; then sections in fixed order, each a 64-bit byte count, a 64-bit FNV-1a hash of its
/// bytes, and the bytes. Sections: watermark (JSON), user starts (Int64), items (Int32), types (UInt8), times (Int64), item records
/// and user records (JSON Lines).
struct TrainingFile {
    private static let magic = Array("FRTRAIN1".utf8)

    /// What the log was read at, as JSON.
    let watermark: String
    let log: TrainingLog

    /// Writes a log with the records that it was made from; the file appears whole or not at all.
    static func write(
        path: String, watermark: String, items: [ItemRecord], users: [UserRecord], userStarts: [Int], itemRows: [Int32],
        types: [UInt8], times: [Int64]
    ) throws {
        var data = Data(magic)
        append(Array(watermark.utf8), to: &data)
        append(userStarts.map(Int64.init), to: &data)
        append(itemRows, to: &data)
        append(types, to: &data)
        append(times, to: &data)
        append(Array(items.map { $0.json() }.joined(separator: "\n").utf8), to: &data)
        append(Array(users.map { $0.json() }.joined(separator: "\n").utf8), to: &data)
        let url = URL(fileURLWithPath: path)
        do {
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.write(to: url, options: .atomic)
        } catch {
            throw CommandFailure("cannot write the training file \(path): \(error.localizedDescription)")
        }
    }

    /// Reads a file; a cut, flipped or foreign one is refused by name.
    init(path: String) throws {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            throw CommandFailure("cannot read the training file \(path)")
        }
        guard data.starts(with: Self.magic) else {
            throw CommandFailure("\(path) is no training file of this version; start without --resume")
        }
        var sections: [Data] = []
        var offset = Self.magic.count
        while sections.count < 7 {
            guard offset + 16 <= data.count else { throw Self.damaged(path) }
            let bytes = Self.integer(data, at: offset), hash = Self.integer(data, at: offset + 8)
            offset += 16
            guard bytes <= UInt64(data.count - offset) else { throw Self.damaged(path) }
            let section = data[(data.startIndex + offset)..<(data.startIndex + offset + Int(bytes))]
            guard Self.hash(section) == hash else { throw Self.damaged(path) }
            sections.append(section)
            offset += Int(bytes)
        }
        watermark = String(decoding: sections[0], as: UTF8.self)
        let items = try Self.records(sections[5], path: path) { decoder, line, origin in decoder.item(line, origin: origin) }
        let users = try Self.records(sections[6], path: path) { decoder, line, origin in decoder.user(line, origin: origin) }
        let starts: [Int64] = Self.column(sections[1])
        log = TrainingLog(
            userIDs: users.map(\.userID), itemIDs: items.map(\.itemID), contents: items.map(\.content), isHidden: items.map(\.hidden),
            attributes: users.map { $0.attributes.map { JSONText.tokens(ofObject: $0) } ?? [] }, userStarts: starts.map { Int($0) },
            items: Self.column(sections[2]), types: Self.column(sections[3]), times: Self.column(sections[4]))
        guard log.userStarts.count == log.userIDs.count + 1, log.userStarts.last == log.items.count,
            log.items.count == log.types.count, log.items.count == log.times.count,
            log.items.allSatisfy({ $0 >= 0 && Int($0) < log.itemIDs.count })
        else { throw Self.damaged(path) }
    }

    private static func damaged(_ path: String) -> CommandFailure {
        CommandFailure("the training file \(path) is damaged: its checksums do not fit; start without --resume")
    }

    private static func append<Element: BitwiseCopyable>(_ values: [Element], to data: inout Data) {
        values.withUnsafeBytes { bytes in
            var count = UInt64(bytes.count).littleEndian
            var hash = Self.hash(bytes).littleEndian
            withUnsafeBytes(of: &count) { data.append(contentsOf: $0) }
            withUnsafeBytes(of: &hash) { data.append(contentsOf: $0) }
            data.append(contentsOf: bytes)
        }
    }

    private static func column<Element: BitwiseCopyable>(_ data: Data) -> [Element] {
        let count = data.count / MemoryLayout<Element>.stride
        return [Element](unsafeUninitializedCapacity: count) { buffer, filled in
            data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    private static func integer(_ data: Data, at offset: Int) -> UInt64 {
        var value: UInt64 = 0
        for byte in data[(data.startIndex + offset)..<(data.startIndex + offset + 8)].reversed() { value = value << 8 | UInt64(byte) }
        return value
    }

    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    private static func records<Record>(
        _ data: Data, path: String,
        decode: (RecordDecoder, UnsafeRawBufferPointer, RecordOrigin) -> Result<Record, Rejection>
    ) throws -> [Record] {
        // The records were decoded before they were written: bounds are the database's by now.
        var rules = DecodingRules()
        rules.maxRecordBytes = .max
        let decoder = RecordDecoder(rules: rules)
        var records: [Record] = []
        for (number, line) in data.split(separator: 0x0A).enumerated() {
            let origin = RecordOrigin(
                source: path, cluster: "", position: Position(partition: Position.filePartition, offset: Int64(number)))
            let result = line.withUnsafeBytes { decode(decoder, $0, origin) }
            switch result {
            case .success(let record): records.append(record)
            case .failure(let rejection): throw CommandFailure("record \(number) of \(path): \(rejection.detail)")
            }
        }
        return records
    }
}

extension ItemRecord {
    /// What the item tower sees of the record.
    var content: ItemContent {
        ItemContent(
            title: title, description: description, categories: categories, tags: tags, priceMicros: priceMicros,
            attributes: attributes.map { JSONText.tokens(ofObject: $0) } ?? [], embedding: embedding,
            publishedAt: publishedAt?.milliseconds)
    }
}
