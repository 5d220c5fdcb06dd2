/// What the decoder accepts. Each bound carries its unit in its name.
public struct DecodingRules: Sendable, Equatable {
    /// Names of ``InteractionType`` in records: the canonical names and configured aliases, such as `"view"` for `.click`.
    public var typeNames: [String: InteractionType]
    /// Events before it are refused as `time_too_early`: they come from an unset clock, or from seconds taken for milliseconds.
    public var earliestTime: EventTime
    /// Events further than this beyond `now` are refused as `time_in_future`: one event from 2100 would move every watermark.
    public var maxFutureSkewMilliseconds: Int64
    /// The largest record, in bytes.
    public var maxRecordBytes: Int
    /// The deepest nesting of objects and arrays; the record itself is 1. At most ``deepestAllowed``.
    public var maxDepth: Int
    /// The longest id, category, tag or alias, in bytes of UTF-8.
    public var maxIDBytes: Int
    /// The longest title or description, in bytes of UTF-8.
    public var maxTextBytes: Int
    /// The most categories, tags or aliases a record may list.
    public var maxTags: Int
    /// The most numbers in an `embedding`.
    public var maxEmbeddingDimension: Int
    /// The largest `context` or `attributes` object, in bytes of JSON without white space.
    public var maxContextBytes: Int
    /// The most items in one record of `freshet.impressions`.
    public var maxSlateItems: Int
    /// The currency of a `value` or `price` that comes without one: an ISO 4217 code, kept in upper case; what is none is not taken.
    public var defaultCurrency: String {
        didSet { defaultCurrency = Currency.code(defaultCurrency) ?? oldValue }
    }
    /// The spelling of ids, labels and texts that are not plain ASCII; nil leaves them as they come.
    public var idForm: IDForm?
    /// Whether records are read from where they were stored; see ``stored``.
    var isStored = false

    /// Where a test counts the bytes that are read; nil, as everywhere else, costs nothing.
    package var scanned: ScanCount?

    /// The decoder recurses once a level, so that no configuration may ask for more levels than a thread's stack holds.
    public static let deepestAllowed = 256

    /// The canonical names alone.
    public static let canonicalTypeNames: [String: InteractionType] = Dictionary(
        uniqueKeysWithValues: InteractionType.allCases.map { ($0.name, $0) })

    /// 1990-01-01T00:00:00Z.
    public static let defaultEarliestTime = EventTime(milliseconds: 631_152_000_000)

    /// Makes rules; the defaults suit a shop.
    ///
    /// - Parameter typeAliases: Further names of types; the canonical ones are always there unless an alias redefines them.
    public init(
        typeAliases: [String: InteractionType] = [:],
        earliestTime: EventTime = DecodingRules.defaultEarliestTime,
        maxFutureSkewMilliseconds: Int64 = 300_000,
        maxRecordBytes: Int = 1 << 20,
        maxDepth: Int = 16,
        maxIDBytes: Int = 256,
        maxTextBytes: Int = 64 << 10,
        maxTags: Int = 1_000,
        maxEmbeddingDimension: Int = 4_096,
        maxContextBytes: Int = 16 << 10,
        maxSlateItems: Int = 1_000,
        defaultCurrency: String = "USD",
        idForm: IDForm? = nil
    ) {
        precondition(
            (1...Self.deepestAllowed).contains(maxDepth),
            "maxDepth is \(maxDepth); it must be between 1 and \(Self.deepestAllowed)")
        self.typeNames = Self.canonicalTypeNames.merging(typeAliases) { _, alias in alias }
        self.earliestTime = earliestTime
        self.maxFutureSkewMilliseconds = maxFutureSkewMilliseconds
        self.maxRecordBytes = maxRecordBytes
        self.maxDepth = maxDepth
        self.maxIDBytes = maxIDBytes
        self.maxTextBytes = maxTextBytes
        self.maxTags = maxTags
        self.maxEmbeddingDimension = maxEmbeddingDimension
        self.maxContextBytes = maxContextBytes
        self.maxSlateItems = maxSlateItems
        self.defaultCurrency = Currency.code(defaultCurrency) ?? "USD"
        self.idForm = idForm
    }

    /// The latest time that an event or an update may have at `now`.
    public func latestTime(at now: EventTime) -> EventTime {
        let (latest, overflow) = now.milliseconds.addingReportingOverflow(maxFutureSkewMilliseconds)
        return EventTime(milliseconds: overflow ? .max : latest)
    }
}

/// The bytes that the scanners of one decoder were set on, together: what decoding costs, whatever the machine.
///
/// For one test on one thread, which is why it has no lock.
package final class ScanCount: @unchecked Sendable, Equatable {
    /// Bytes that were looked at so far.
    package private(set) var bytes = 0

    /// Starts at zero.
    package init() {}

    func add(_ count: Int) { bytes += count }

    package static func == (left: ScanCount, right: ScanCount) -> Bool { left === right }
}
