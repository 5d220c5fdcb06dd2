/// What a user did with an item. The raw value is what the database and files of models store: no number is ever given again.
public enum InteractionType: UInt8, Sendable, CaseIterable {
    case impression = 0
    case click = 1
    case addToCart = 2
    case purchase = 3
    /// Takes a purchase back. It changes what the purchase counts for, and is in no history itself.
    case `return` = 4

    /// The name in events: `impression`, `click`, `add_to_cart`, `purchase`, `return`.
    public var name: String {
        switch self {
        case .impression: "impression"
        case .click: "click"
        case .addToCart: "add_to_cart"
        case .purchase: "purchase"
        case .return: "return"
        }
    }

    /// Whether histories keep it and a training learns from it: neither being shown an item, nor giving one back.
    public var isAct: Bool {
        switch self {
        case .click, .addToCart, .purchase: true
        case .impression, .return: false
        }
    }

    /// What histories keep and a training learns from.
    public static let acts = Set(allCases.filter(\.isAct))
}

/// Where a record stands in its source: the offset in a partition, or the line of a file.
///
/// Events with equal time are ordered by it. Offsets are compared first, so that one user's events, which share a
/// partition, keep the order in which they were produced.
public struct Position: Sendable, Hashable, Comparable {
    /// The Kafka partition, or ``filePartition`` for a line of a file.
    public var partition: Int32
    /// The Kafka offset, or the line of the file counted from 0.
    public var offset: Int64

    /// The partition number that stands for a file.
    public static let filePartition: Int32 = -1

    /// Makes a position from a partition and an offset.
    public init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    public static func < (left: Position, right: Position) -> Bool {
        (left.offset, left.partition) < (right.offset, right.partition)
    }
}

/// One validated event: a user met an item.
///
/// Strings hold no control characters and no U+0000; ``context`` is a validated JSON object that PostgreSQL's `jsonb` accepts.
public struct Interaction: Sendable, Equatable {
    /// Makes a repeated delivery count once, together with ``time``.
    public var eventID: String
    /// What the user did.
    public var type: InteractionType
    /// Who did it; ``nobody`` where that is not said, and the event counts for its item only.
    public var userID: String
    /// The item that it was done with.
    public var itemID: String
    /// When it happened.
    public var time: EventTime
    /// The unit price paid, in millionths of the currency's unit.
    public var priceMicros: Int64?
    /// Unit price × quantity in minor units of ``currency``, rounded half away from zero once, here.
    public var amountMinor: Int64?
    /// ISO 4217 code, upper case.
    public var currency: String?
    /// At least 1.
    public var quantity: Int32
    /// The session that it happened in; nil where none was sent.
    public var sessionID: String?
    /// The answer in which the item was shown; joins clicks and purchases to impressions.
    public var requestID: String?
    /// Of an impression: the place in the list, counted from 0.
    public var slot: Int32?
    /// Of an impression: the version of the model that chose the item.
    public var modelVersion: Int32?
    /// The event's `context`, a JSON object as text.
    public var context: String?
    /// Where the event stood in its source.
    public var position: Position
    /// A hash over everything but the position: the same id with another payload is a conflict.
    public var payloadHash: UInt64

    /// Makes an interaction from parts that are already valid.
    public init(
        eventID: String, type: InteractionType, userID: String, itemID: String, time: EventTime,
        priceMicros: Int64? = nil, amountMinor: Int64? = nil, currency: String? = nil, quantity: Int32 = 1,
        sessionID: String? = nil, requestID: String? = nil, slot: Int32? = nil, modelVersion: Int32? = nil,
        context: String? = nil, position: Position, payloadHash: UInt64 = 0
    ) {
        self.eventID = eventID
        self.type = type
        self.userID = userID
        self.itemID = itemID
        self.time = time
        self.priceMicros = priceMicros
        self.amountMinor = amountMinor
        self.currency = currency
        self.quantity = quantity
        self.sessionID = sessionID
        self.requestID = requestID
        self.slot = slot
        self.modelVersion = modelVersion
        self.context = context
        self.position = position
        self.payloadHash = payloadHash
    }
}

extension Interaction {
    /// What stands for the user of an event that is of nobody in particular. No id is empty.
    public static let nobody = ""

    /// What the user thought of the item: the number under `rating` in ``context``; nil where there is none.
    public var rating: Double? { context.flatMap(Self.rating(inContext:)) }

    /// The number under `rating` in the text of a context. O(bytes), without an allocation where that word is not in it.
    public static func rating(inContext context: String) -> Double? {
        var context = context
        return context.withUTF8(mayNameRating) ? JSONText.number("rating", inObject: context) : nil
    }

    /// Whether the text holds the word, or an escape that may stand for a letter of it.
    private static func mayNameRating(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        for index in bytes.indices {
            if bytes[index] == UInt8(ascii: "\\") { return true }
            if bytes[index] == UInt8(ascii: "r"), bytes[index...].starts(with: "rating".utf8) { return true }
        }
        return false
    }
}
