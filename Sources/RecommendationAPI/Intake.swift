import Bytes
import Interactions

/// Events as they came in, each still in its own bytes.
///
/// Only their boundaries are known here; one decoder, that of `Interactions`, says what is valid.
public struct EventSubmission: Sendable {
    /// Holds every event; what lies between them is of no meaning.
    public let body: [UInt8]
    /// The bytes of each event in ``body``, in the order of the request.
    public let ranges: [Range<Int>]
    /// Answer after the commit to the feature store, not after the broker's acknowledgement.
    public let waitsForCommit: Bool

    /// Makes a submission.
    public init(body: [UInt8], ranges: [Range<Int>], waitsForCommit: Bool = false) {
        self.body = body
        self.ranges = ranges
        self.waitsForCommit = waitsForCommit
    }

    /// The number of events.
    public var count: Int { ranges.count }

    /// Lends the bytes of one event.
    public func withEvent<Value>(at index: Int, _ use: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try body.withUnsafeBytes { try use(UnsafeRawBufferPointer(rebasing: $0[ranges[index]])) }
    }
}

/// One item or user record as it came in, or some fields of one.
public struct RecordSubmission: Sendable {
    /// The id from the path; the record carries the same.
    public let id: String
    /// A JSON object that holds the id; of a patch also `"patch":true`.
    public let body: [UInt8]
    /// Whether it is a patch: what it does not name stays as it is.
    public let isPatch: Bool
    /// Answer after the commit to the feature store, not after the broker's acknowledgement.
    public let waitsForCommit: Bool

    /// Makes a submission.
    public init(id: String, body: [UInt8], isPatch: Bool = false, waitsForCommit: Bool = false) {
        self.id = id
        self.body = body
        self.isPatch = isPatch
        self.waitsForCommit = waitsForCommit
    }
}

/// A deletion of an item or of a user.
public struct DeletionRequest: Sendable {
    /// Whose deletion it is.
    public let id: String
    /// Answer after the commit to the feature store, not after the broker's acknowledgement.
    public let waitsForCommit: Bool

    /// Makes a deletion.
    public init(id: String, waitsForCommit: Bool = false) {
        self.id = id
        self.waitsForCommit = waitsForCommit
    }
}

/// What became of what came in.
public struct IntakeOutcome: Sendable, Equatable {
    /// A refused record and its place in the request, counted from 0.
    public struct Refusal: Sendable, Equatable {
        /// Its place, from 0.
        public var index: Int
        /// For programs: a ``RejectionCode``, or what the commit found, such as `superseded`.
        public var code: String
        /// The field at fault, where there is one.
        public var field: String?
        /// A sentence for a person: what was wrong and what would be right.
        public var detail: String

        /// Makes a refusal.
        public init(index: Int, code: String, field: String? = nil, detail: String) {
            self.index = index
            self.code = code
            self.field = field
            self.detail = detail
        }

        /// Makes a refusal of what the decoder did not take.
        public init(index: Int, rejection: Rejection) {
            self.init(index: index, code: rejection.code.rawValue, field: rejection.field, detail: rejection.detail)
        }
    }

    /// Records that the broker has acknowledged, without those that the commit then refused.
    public var accepted: Int
    /// Of the accepted ones, those that were stored before and count once; nil where nobody waited for the commit.
    public var duplicates: Int?
    /// What was refused, by its place in the request.
    public var refusals: [Refusal]
    /// The last acknowledged position of each partition written to; `wait=` of a later request takes it.
    public var watermark: String?
    /// Whether the accepted records are committed; nil where nobody asked.
    public var isCommitted: Bool?
    /// Of a user's deletion: whether nothing is left to be removed, not only hidden; nil where nobody waited for its commit.
    public var isErased: Bool?

    /// Makes an outcome.
    public init(
        accepted: Int, refusals: [Refusal] = [], watermark: String? = nil, isCommitted: Bool? = nil, duplicates: Int? = nil
    ) {
        self.accepted = accepted
        self.duplicates = duplicates
        self.refusals = refusals
        self.watermark = watermark
        self.isCommitted = isCommitted
    }

    func json() -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 128 + refusals.count * 128)
        writer.object { writer in
            writer.key("accepted")
            writer.integer(accepted)
            writer.key("rejected")
            writer.integer(refusals.count)
            if let duplicates {
                writer.key("duplicates")
                writer.integer(duplicates)
            }
            writer.field("watermark", watermark)
            if let isCommitted {
                writer.key("committed")
                writer.bool(isCommitted)
            }
            if let isErased {
                writer.key("erased")
                writer.bool(isErased)
            }
            writer.key("errors")
            writer.array { writer in
                for refusal in refusals {
                    writer.object { writer in
                        writer.key("index")
                        writer.integer(refusal.index)
                        writer.field("code", refusal.code)
                        writer.field("field", refusal.field)
                        writer.field("detail", refusal.detail)
                    }
                }
            }
        }
        return writer.bytes
    }
}
