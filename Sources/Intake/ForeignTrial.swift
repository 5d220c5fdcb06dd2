import EventStream
import ForeignFormats
import Interactions

/// What an import of a file would do: every row is read, translated, decoded and checked, and nothing is stored.
public struct ForeignTrial: Sendable {
    /// One of the first rows.
    public struct Row: Sendable {
        /// Its line, counted from 1.
        public var line: Int64
        /// The record that it becomes, as JSON; nil where none can be made of it.
        public var record: String?
        /// Why it would be refused; nil where it would be accepted.
        public var reason: String?
    }

    /// Rows that would be refused for one reason.
    public struct Reason: Sendable {
        /// The kind of reason.
        public var code: RejectionCode
        /// The field at fault, where one is.
        public var field: String?
        /// How many rows.
        public var count: Int
        /// The first of them, counted from 1.
        public var line: Int64
        /// What was wrong with the first.
        public var detail: String
    }

    /// The file, with what was understood of it.
    public let file: ForeignFile
    /// What was understood of the columns; nil of an empty file.
    public private(set) var layout: ForeignLayout?
    /// Whether some time had no offset and was read by the clocks of a zone.
    public private(set) var hasLocalTimes = false
    /// The first rows, at most ``rowsLimit``.
    public private(set) var rows: [Row] = []
    /// Rows that would be accepted.
    public private(set) var accepted = 0
    /// Why the others would not, the most frequent first; at most ``reasonsLimit``.
    public private(set) var reasons: [Reason] = []
    /// Rows that would be refused.
    public private(set) var refused = 0
    /// What ends the file early.
    public private(set) var damage: StreamError?

    /// Rows that are kept.
    public static let rowsLimit = 10
    /// Reasons that are told apart.
    public static let reasonsLimit = 20

    /// Reads the whole file.
    ///
    /// - Parameters:
    ///   - rules: what records may hold.
    ///   - now: the clock against which the future is measured.
    ///   - progress: told how many rows were read, now and then.
    /// - Throws: `StreamError` where it cannot be opened.
    public init(
        _ file: ForeignFile, rules: DecodingRules, now: EventTime, isStopping: @escaping @Sendable () -> Bool,
        progress: (Int) -> Void = { _ in }
    ) throws(StreamError) {
        self.file = file
        let source = try ForeignSource(file, isStopping: isStopping)
        let decoder = RecordDecoder(rules: rules)
        do throws(StreamError) {
            while !isStopping(), let row = try source.nextRecord() {
                note(row, decoder, now)
                if (accepted + refused) % 1_000 == 0 { progress(accepted + refused) }
            }
        } catch {
            damage = error
        }
        layout = source.layout
        hasLocalTimes = source.dates.hasLocalTimes
        reasons.sort { ($1.count, $0.line) < ($0.count, $1.line) }
    }

    private mutating func note(_ row: SourceRecord, _ decoder: RecordDecoder, _ now: EventTime) {
        var record: String?
        var rejection: Rejection?
        switch row.content {
        case .refused(let reason, _): rejection = reason
        case .record(let bytes, _):
            if rows.count < Self.rowsLimit { record = String(decoding: bytes, as: UTF8.self) }
            let origin = RecordOrigin(
                source: "file", cluster: "", position: Position(partition: Position.filePartition, offset: row.number))
            switch file.kind {
            case .events: rejection = decoder.interaction(bytes, origin: origin, now: now).rejection
            case .items: rejection = decoder.item(bytes, origin: origin, now: now).rejection
            case .users: rejection = decoder.user(bytes, origin: origin, now: now).rejection
            case .impressions: rejection = decoder.slate(bytes, origin: origin, now: now).rejection
            }
        }
        if rows.count < Self.rowsLimit {
            rows.append(Row(line: row.number + 1, record: record, reason: rejection.map(Self.sentence)))
        }
        guard let rejection else { accepted += 1; return }
        refused += 1
        // Each unknown type has its own name in its sentence, and a person wants to see all of them.
        let same = { (known: Reason) in
            known.code == rejection.code && known.field == rejection.field
                && (known.code != .unknownType || known.detail == rejection.detail)
        }
        if let known = reasons.firstIndex(where: same) {
            reasons[known].count += 1
        } else if reasons.count < Self.reasonsLimit {
            reasons.append(
                Reason(code: rejection.code, field: rejection.field, count: 1, line: row.number + 1, detail: rejection.detail))
        }
    }

    private static func sentence(_ rejection: Rejection) -> String { (rejection.field.map { "\($0) " } ?? "") + rejection.detail }
}

extension Result where Failure == Rejection {
    /// The reason of a refusal; nil of a success.
    fileprivate var rejection: Rejection? { if case .failure(let rejection) = self { rejection } else { nil } }
}
