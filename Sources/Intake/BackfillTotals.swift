import EventStream
import FeatureStore
import Interactions

extension BackfillRun {
    /// What became of a file.
    public struct Totals: Sendable, Equatable {
        /// Lines of the file, also those of earlier runs and empty ones.
        public var lines = 0
        /// Events that were stored for the first time.
        public var stored = 0
        /// Events that were stored before.
        public var duplicates = 0
        /// Records that became dead letters, or are still: lines that were refused, and events whose id is known with other content.
        public var rejected = 0
        /// Lines among them that no record could be read from.
        public var refusedLines = 0
        /// Items that changed.
        public var items = 0
        /// Users that changed.
        public var users = 0
        /// Events that were dropped because their user was erased at or after their time.
        public var erased = 0
        /// Returns that were stored, and what of all returns matches no purchase beyond what did before.
        public var returns = ReturnTally()
        /// Lines that an earlier run had read.
        public var resumedAt = 0
        /// Lines among them that were dead letters and were accepted now.
        public var mended = 0
        /// Records that were accepted, by this run or an earlier one.
        public var accepted = 0
        /// The first lines that were refused, each with a reason of its own: `line 3: timestamp is missing …`.
        public var firstReasons: [String] = []
        /// What the file looks like where it is no list of records: a sentence.
        public var hint: String?
        /// What ended the reading before the file's end. All whole lines before it are stored.
        public var damage: StreamError?
        /// Whether the file changed while it was read.
        public var hasChanged = false

        /// Reasons that are kept.
        public static let reasonsLimit = 3

        /// Nothing yet.
        public init() {}

        /// Whether lines were refused and none ever accepted.
        public var isAllRefused: Bool { rejected > 0 && accepted == 0 }

        mutating func settle(_ finished: [(offsets: [ClaimedOffset], summary: IngestSummary)]) {
            for (_, summary) in finished {
                stored += summary.stored
                duplicates += summary.duplicates
                rejected += summary.rejected
                items += summary.itemsChanged
                users += summary.usersChanged
                erased += summary.erased
                returns += summary.returns
            }
        }

        /// Counts a refused line and keeps its reason, if there is none like it yet.
        mutating func note(_ refused: RejectedRecord) {
            refusedLines += 1
            guard firstReasons.count < Self.reasonsLimit else { return }
            let rejection = refused.rejection
            let reason = (rejection.field.map { "\($0) " } ?? "") + rejection.detail
            let kind = "\(rejection.code.rawValue) \(rejection.field ?? "")"
            guard noted.insert(kind).inserted else { return }
            firstReasons.append("line \(refused.origin.position.offset + 1): \(reason)")
            if hint == nil { hint = RecordShape.hint(of: refused.payload, code: rejection.code) }
        }

        private var noted: Set<String> = []
    }
}
