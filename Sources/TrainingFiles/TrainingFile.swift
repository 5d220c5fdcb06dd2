import Bytes
import ContentModel
import Foundation
import Interactions
import TowerTraining

/// The training log on disk, so that a killed training goes on from the same rows, and so that interactions are read where they
/// lie instead of being held in memory.
///
/// Layout, little-endian: a header of 8 bytes `FRTRAIN4`, for each section its offset, its bytes and its hash (``FileChecksum``), and
/// the hash of all that; then the sections, at multiples of 64 bytes: user starts (Int64), item rows (Int32), types (UInt8),
/// times (Int64), amounts (Int64), item records and user records (JSON Lines), rows of new interactions (Int64), of what was shown the
/// user rows, item rows, times, outcomes and amounts (``ImpressionColumns``), when items came (Int64; see ``Arrivals``), and the watermark
/// (JSON). Users and items are in the order of their ids, a user's interactions in that of (time, offset, partition).
package struct TrainingFile {
    /// What was read at which moment, as JSON.
    package let watermark: String
    /// Tells this file from any other: the hash over those of its sections.
    package let identity: String
    /// What the file holds.
    package let log: TrainingLog

    /// Reads a file: records are decoded, interactions are checked and stay where they are. A cut, changed or foreign file is refused
    /// by name.
    package init(path: String) throws {
        let file = try MappedFile(path: path)
        let bytes = file.bytes
        guard bytes.starts(with: Header.magic) else {
            throw TrainingFileFailure("\(path) is no training file of this version; start without --resume")
        }
        let header = try Header(bytes, path: path)
        for section in Header.Section.allCases {
            guard FileChecksum.of(header[section].bytes(of: bytes)) == header[section].checksum else {
                throw Self.damaged(path, "the \(section.rawValue) are not what was written")
            }
        }
        identity = Hexadecimal.text(header.checksum)
        watermark = String(decoding: header[.watermark].column(UInt8.self, of: bytes).dropLast(), as: UTF8.self)
        let items = try Self.records(header[.itemRecords].column(of: bytes), path: path) {
            $0.item($1, origin: $2, now: EventTime(milliseconds: .max))
        }
        let users = try Self.records(header[.userRecords].column(of: bytes), path: path) {
            $0.user($1, origin: $2, now: EventTime(milliseconds: .max))
        }
        var log = TrainingLog(
            userIDs: users.map(\.userID), itemIDs: items.map(\.itemID), contents: items.map(\.content), isHidden: items.map(\.hidden),
            attributes: users.map { $0.attributes.map { JSONText.tokens(ofObject: $0) } ?? [] },
            userStarts: header[.starts].column(Int64.self, of: bytes).map { Int($0) },
            items: Column(header[.items].column(of: bytes), keptBy: file), types: Column(header[.types].column(of: bytes), keptBy: file),
            times: Column(header[.times].column(of: bytes), keptBy: file),
            newRows: header[.newRows].column(Int64.self, of: bytes).map { Int($0) },
            amounts: Column(header[.amounts].column(of: bytes), keptBy: file),
            impressions: ImpressionColumns(
                users: Array(header[.shownUsers].column(of: bytes)), items: Array(header[.shownItems].column(of: bytes)),
                times: Array(header[.shownTimes].column(of: bytes)), outcomes: Array(header[.outcomes].column(of: bytes)),
                amounts: Array(header[.shownAmounts].column(of: bytes))))
        log.arrivals = Arrivals.read(header[.arrivals].column(of: bytes))
        guard log.isConsistent else { throw Self.damaged(path, "its columns do not fit each other") }
        self.log = log
    }

    private static func damaged(_ path: String, _ what: String) -> TrainingFileFailure {
        TrainingFileFailure("the training file \(path) is damaged: \(what); start without --resume")
    }

    private static func records<Record>(
        _ text: UnsafeBufferPointer<UInt8>, path: String,
        decode: (RecordDecoder, UnsafeRawBufferPointer, RecordOrigin) -> Result<Record, Rejection>
    ) throws -> [Record] {
        // Accepted once is readable for ever: the database may have written numbers out, and rules may be stricter by now.
        let decoder = RecordDecoder(rules: .stored)
        var records: [Record] = []
        var rest = text[...]
        while let end = rest.firstIndex(of: 0x0A) {
            let line = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: rest[..<end]))
            rest = rest[(end + 1)...]
            let origin = RecordOrigin(
                source: path, cluster: "", position: Position(partition: Position.filePartition, offset: Int64(records.count)))
            switch decode(decoder, line, origin) {
            case .success(let record): records.append(record)
            case .failure(let rejection): throw TrainingFileFailure("record \(records.count) of \(path): \(rejection.detail)")
            }
        }
        return records
    }
}

extension TrainingFile {
    /// The first bytes of a training file: where its sections lie, and their hashes.
    package struct Header {
        /// Sections in the order in which they lie; the values name them for people.
        package enum Section: String, CaseIterable {
            case starts = "user starts"
            case items = "item rows"
            case types
            case times
            case amounts
            case itemRecords = "item records"
            case userRecords = "user records"
            case newRows = "rows of new interactions"
            case shownUsers = "user rows of impressions"
            case shownItems = "item rows of impressions"
            case shownTimes = "times of impressions"
            case outcomes = "outcomes of impressions"
            case shownAmounts = "amounts of impressions"
            case arrivals = "arrivals of items"
            case watermark = "bytes of the watermark"
        }

        /// The first bytes of a training file, with the version of its format.
        package static let magic = Array("FRTRAIN4".utf8)
        private static let hashedBytes = magic.count + 24 * Section.allCases.count
        /// Bytes of a header.
        package static let bytes = FileSection.aligned(hashedBytes + 8)

        private var sections: [Section: FileSection] = [:]

        /// A header without sections.
        package init() {}

        /// Reads the header of a file and compares it with the file's length.
        package init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
            guard bytes.count >= Self.bytes else { throw TrainingFile.damaged(path, "it is cut within its header") }
            func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
            guard word(Self.hashedBytes) == FileChecksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<Self.hashedBytes])) else {
                throw TrainingFile.damaged(path, "its header is not what was written")
            }
            var end = Self.bytes
            for (index, section) in Section.allCases.enumerated() {
                let place = Self.magic.count + 24 * index
                let found = FileSection(
                    offset: Int(truncatingIfNeeded: word(place)), bytes: Int(truncatingIfNeeded: word(place + 8)),
                    checksum: word(place + 16))
                guard found.offset == FileSection.aligned(end), found.bytes >= 0, found.bytes <= bytes.count - found.offset else {
                    throw TrainingFile.damaged(path, "it has \(bytes.count) bytes, too few for its \(section.rawValue)")
                }
                end = found.offset + found.bytes
                sections[section] = found
            }
            guard end == bytes.count else { throw TrainingFile.damaged(path, "it has \(bytes.count) bytes instead of \(end)") }
        }

        /// Where a section lies.
        package subscript(_ section: Section) -> FileSection {
            get { sections[section] ?? FileSection() }
            set { sections[section] = newValue }
        }

        /// The hash of the header, and so of all hashes in it.
        package var checksum: UInt64 { hashed.withUnsafeBytes { FileChecksum.of($0) } }

        private var hashed: [UInt8] {
            var bytes = Self.magic
            for section in Section.allCases {
                for word in [UInt64(self[section].offset), UInt64(self[section].bytes), self[section].checksum] {
                    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
                }
            }
            return bytes
        }

        /// The bytes of the header.
        package var encoded: [UInt8] {
            var bytes = hashed
            withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: repeatElement(0, count: Self.bytes - bytes.count))
            return bytes
        }
    }
}

extension ItemRecord {
    /// What the item tower sees of the record.
    package var content: ItemContent {
        ItemContent(
            title: title, description: description, categories: categories, tags: tags, priceMicros: priceMicros,
            attributes: attributes.map { JSONText.tokens(ofObject: $0) } ?? [], embedding: embedding,
            publishedAt: publishedAt?.milliseconds)
    }
}
