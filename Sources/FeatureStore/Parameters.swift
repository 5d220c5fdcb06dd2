import Interactions

/// The object identifiers of the PostgreSQL types that are sent in binary.
enum TypeID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let tid: UInt32 = 27
    static let xid: UInt32 = 28
    static let float4: UInt32 = 700
    static let tidArray: UInt32 = 1010
    static let xidArray: UInt32 = 1011
    static let timestamptz: UInt32 = 1184
    static let jsonb: UInt32 = 3802
    static let byteaArray: UInt32 = 1001
    static let int2Array: UInt32 = 1005
    static let int4Array: UInt32 = 1007
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let timestamptzArray: UInt32 = 1185
}

/// The type of a table's rows and that of arrays of them. Their identifiers differ from database to database.
struct RowType {
    let row: UInt32
    let array: UInt32
}

/// Times as PostgreSQL counts them: microseconds since 2000-01-01.
enum DatabaseTime {
    private static let epochMilliseconds: Int64 = 946_684_800_000
    /// Years 1 to 9999, which every client can print. Other times are moved to the nearer end.
    static let earliest: Int64 = -62_135_596_800_000
    static let latest: Int64 = 253_402_300_799_999

    static func microseconds(_ time: EventTime) -> Int64 {
        (min(max(time.milliseconds, earliest), latest) - epochMilliseconds) * 1000
    }

    /// The largest whole millisecond that is not later. Infinite times become the ends of the range.
    static func time(microseconds: Int64) -> EventTime {
        if microseconds == .min { return EventTime(milliseconds: earliest) }
        if microseconds == .max { return EventTime(milliseconds: latest) }
        let quotient = microseconds / 1000
        let milliseconds = microseconds < 0 && quotient * 1000 != microseconds ? quotient - 1 : quotient
        return EventTime(milliseconds: milliseconds + epochMilliseconds)
    }
}

/// The parameters of one statement in PostgreSQL's binary format, written one after the other into one buffer.
///
/// More than PostgreSQL takes is refused by ``refusal``, which whoever sends them asks first; who has more writes several statements
/// of ``statementBytesTarget``.
package struct Parameters {
    /// The most values of one statement, by PostgreSQL's protocol.
    package static let valuesLimit = 65_535
    /// Rows are sent in statements of about so many bytes, where they come in large numbers.
    package static let statementBytesTarget = 16 << 20

    private(set) var types: [UInt32] = []
    /// Where each value starts and its length, or -1 for null.
    private(set) var spans: [(start: Int, length: Int32)] = []
    /// What was added so far, in PostgreSQL's binary format.
    package let buffer: WireBuffer

    /// - Parameter limitBytes: what all values together may have.
    package init(limitBytes: Int = WireBuffer.messageBytesLimit) { buffer = WireBuffer(capacityBytes: 256, limitBytes: limitBytes) }

    /// Why PostgreSQL would not take them; nil where it would.
    package var refusal: String? {
        if buffer.isOverfull {
            return "the values are larger than PostgreSQL takes in one message (1 GiB): send fewer or smaller records at once"
        }
        if types.count > Self.valuesLimit { return "there are \(types.count) values, and PostgreSQL takes \(Self.valuesLimit) at once" }
        return nil
    }

    /// Rows in their order as ranges of about ``statementBytesTarget``, a row at least each: what one statement sends of many.
    package static func parts(of count: Int, targetBytes: Int = Self.statementBytesTarget, bytes: (Int) -> Int) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = 0, sum = 0
        for index in 0..<count {
            let next = max(0, bytes(index))
            if index > start, sum + next > targetBytes {
                parts.append(start..<index)
                (start, sum) = (index, 0)
            }
            sum += next
        }
        if start < count { parts.append(start..<count) }
        return parts
    }

    private mutating func value(_ type: UInt32, _ write: (WireBuffer) -> Void) {
        let start = buffer.count
        write(buffer)
        types.append(type)
        spans.append((start, Int32(clamping: max(0, buffer.count - start))))
    }

    private mutating func null(_ type: UInt32) {
        types.append(type)
        spans.append((buffer.count, -1))
    }

    /// Appends a number as `int8`.
    package mutating func add(_ number: Int64) { value(TypeID.int8) { $0.append(number) } }
    mutating func add(_ number: Int32) { value(TypeID.int4) { $0.append(number) } }
    mutating func add(_ flag: Bool) { value(TypeID.bool) { $0.append(UInt8(flag ? 1 : 0)) } }
    mutating func add(_ time: EventTime) { value(TypeID.timestamptz) { $0.append(DatabaseTime.microseconds(time)) } }
    /// Appends bytes as `bytea`.
    package mutating func add(bytes: [UInt8]) { value(TypeID.bytea) { $0.append(bytes) } }
    mutating func add(_ text: String) { value(TypeID.text) { $0.append(text) } }

    mutating func add(_ number: Int64?) { if let number { add(number) } else { null(TypeID.int8) } }
    mutating func add(_ number: Int32?) { if let number { add(number) } else { null(TypeID.int4) } }
    mutating func add(_ text: String?) { if let text { add(text) } else { null(TypeID.text) } }

    /// A JSON text as `jsonb`.
    mutating func add(json: String) {
        value(TypeID.jsonb) {
            $0.append(UInt8(1))
            $0.append(json)
        }
    }

    private mutating func array(
        _ type: UInt32, element: UInt32, count: Int, _ write: (WireBuffer) -> Void
    ) {
        value(type) {
            $0.append(Int32(count == 0 ? 0 : 1))
            $0.append(Int32(0))  // The has-null flag: PostgreSQL looks at the elements and ignores it.
            $0.append(Int32(bitPattern: element))
            if count > 0 {
                $0.append(Int32(clamping: count))
                $0.append(Int32(1))
                write($0)
            }
        }
    }

    /// Appends texts as `text[]`.
    package mutating func add(_ texts: [String]) {
        array(TypeID.textArray, element: TypeID.text, count: texts.count) { for text in texts { $0.appendField(text) } }
    }

    mutating func add(_ values: [[UInt8]]) {
        array(TypeID.byteaArray, element: TypeID.bytea, count: values.count) { for value in values { $0.appendField(value) } }
    }

    mutating func add(_ numbers: [Int64]) { add(count: numbers.count) { numbers[$0] } }
    mutating func add(_ numbers: [Int32]) {
        array(TypeID.int4Array, element: TypeID.int4, count: numbers.count) { for number in numbers { $0.appendField(number) } }
    }

    /// A `bigint[]` whose elements are computed in place, so that a column of an array of structures needs no copy.
    mutating func add(count: Int, _ number: (Int) -> Int64) {
        array(TypeID.int8Array, element: TypeID.int8, count: count) { for index in 0..<count { $0.appendField(number(index)) } }
    }

    /// An `integer[]` whose elements are computed in place.
    mutating func add(count: Int, int32 number: (Int) -> Int32) {
        array(TypeID.int4Array, element: TypeID.int4, count: count) { for index in 0..<count { $0.appendField(number(index)) } }
    }

    /// A `timestamptz[]` whose elements are computed in place.
    mutating func add(count: Int, time: (Int) -> EventTime) {
        array(TypeID.timestamptzArray, element: TypeID.timestamptz, count: count) {
            for index in 0..<count { $0.appendField(DatabaseTime.microseconds(time(index))) }
        }
    }

    /// A `text[]` whose elements are computed in place; nil is null.
    mutating func add(count: Int, text: (Int) -> String?) {
        array(TypeID.textArray, element: TypeID.text, count: count) { for index in 0..<count { $0.appendField(text(index)) } }
    }

    /// A `bytea[]` whose elements are computed in place.
    mutating func add(count: Int, bytes: (Int) -> [UInt8]) {
        array(TypeID.byteaArray, element: TypeID.bytea, count: count) { for index in 0..<count { $0.appendField(bytes(index)) } }
    }

    /// A `bytea[]` whose elements are computed in place; nil is null.
    mutating func add(count: Int, bytesOrNull: (Int) -> [UInt8]?) {
        array(TypeID.byteaArray, element: TypeID.bytea, count: count) { for index in 0..<count { $0.appendField(bytesOrNull(index)) } }
    }

    /// A `tid[]` and an `xid[]`: where rows stand and which transactions wrote them.
    mutating func add(count: Int, place: (Int) -> RowPlace) {
        array(TypeID.tidArray, element: TypeID.tid, count: count) {
            for index in 0..<count {
                let place = place(index)
                $0.append(Int32(6))
                $0.append(place.block)
                $0.append(place.line)
            }
        }
        array(TypeID.xidArray, element: TypeID.xid, count: count) { for index in 0..<count { $0.appendField(place(index).version) } }
    }

    /// An array of a table's rows, which the database unpacks at a fraction of the cost of an array for each column.
    /// `write` appends the fields of one row with `appendTypedField`, in the order of the table's columns.
    mutating func add(_ type: RowType, fields: Int32, count: Int, _ write: (Int, WireBuffer) -> Void) {
        array(type.array, element: type.row, count: count) { buffer in
            for index in 0..<count {
                buffer.appendSized {
                    buffer.append(fields)
                    write(index, buffer)
                }
            }
        }
    }

    /// Calls `body` with what libpq's `PQexecParams` family takes.
    func withPointers<R, E: Error>(
        _ body: (Int32, [UnsafePointer<CChar>?], [Int32], [Int32]) throws(E) -> R
    ) throws(E) -> R {
        // The buffer is kept alive and unmoved: `self` is borrowed for the whole call.
        let base = buffer.baseAddress
        let pointers = spans.map { span in
            span.length < 0 ? nil : UnsafePointer((base + span.start).assumingMemoryBound(to: CChar.self))
        }
        let lengths = spans.map { max(0, $0.length) }
        let formats = [Int32](repeating: 1, count: spans.count)
        defer { extendLifetime(buffer) }
        return try body(Int32(clamping: spans.count), pointers, lengths, formats)
    }
}
