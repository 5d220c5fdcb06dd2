/// Finds where each record begins and ends in a body: one JSON object, an array of them, or JSON Lines.
///
/// Only the structure is looked at (strings, brackets and their nesting); whether a record is valid JSON and a valid event is
/// for the decoder to say, so that one bad record does not take the others with it.
enum RecordSplitter {
    /// Deeper nesting ends the scan; the decoder allows less.
    static let maxDepth = 64

    /// The byte ranges of the records in `bytes`.
    /// - Parameters:
    ///   - asLines: the sender said that each line is a record.
    ///   - maxRecords: more are refused.
    static func ranges(
        in bytes: UnsafeRawBufferPointer, asLines: Bool, maxRecords: Int
    ) throws(Problem) -> [Range<Int>] {
        let start = skipSpace(bytes, from: 0)
        guard start < bytes.count else {
            throw .malformedBody("The body is empty. Send one event, an array of events, or one event a line.")
        }
        if asLines { return try lines(bytes, maxRecords: maxRecords) }
        if bytes[start] == UInt8(ascii: "[") { return try elements(bytes, from: start, maxRecords: maxRecords) }
        let end = try valueEnd(bytes, from: start)
        let next = skipSpace(bytes, from: end)
        if next == bytes.count { return [start..<end] }
        // A second object on a later line: JSON Lines under another name.
        if bytes[next] == UInt8(ascii: "{"), bytes[end..<next].contains(UInt8(ascii: "\n")) {
            return try lines(bytes, maxRecords: maxRecords)
        }
        throw .malformedBody("After the JSON value, byte \(next) of the body is neither its end nor a new line with an object.")
    }

    private static func lines(_ bytes: UnsafeRawBufferPointer, maxRecords: Int) throws(Problem) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let first = skipSpace(bytes, from: start)
            if first < end {
                var last = end
                while last > first, isSpace(bytes[last - 1]) { last -= 1 }
                try admit(ranges.count, maxRecords)
                ranges.append(first..<last)
            }
            start = end + 1
        }
        return ranges
    }

    private static func elements(
        _ bytes: UnsafeRawBufferPointer, from open: Int, maxRecords: Int
    ) throws(Problem) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var index = skipSpace(bytes, from: open + 1)
        if index < bytes.count, bytes[index] == UInt8(ascii: "]") {
            try expectEnd(bytes, after: index)
            return []
        }
        while true {
            try admit(ranges.count, maxRecords)
            let end = try valueEnd(bytes, from: index)
            ranges.append(index..<end)
            index = skipSpace(bytes, from: end)
            guard index < bytes.count else { throw .malformedBody("The array is not closed: `]` is missing at the end.") }
            if bytes[index] == UInt8(ascii: "]") {
                try expectEnd(bytes, after: index)
                return ranges
            }
            guard bytes[index] == UInt8(ascii: ",") else {
                throw .malformedBody("Byte \(index) of the body, after element \(ranges.count - 1), is neither `,` nor `]`.")
            }
            index = skipSpace(bytes, from: index + 1)
        }
    }

    private static func admit(_ count: Int, _ maxRecords: Int) throws(Problem) {
        guard count < maxRecords else {
            throw .tooLarge("The request holds more than \(maxRecords) events. Split it.")
        }
    }

    private static func expectEnd(_ bytes: UnsafeRawBufferPointer, after index: Int) throws(Problem) {
        let rest = skipSpace(bytes, from: index + 1)
        guard rest == bytes.count else {
            throw .malformedBody("Byte \(rest) of the body comes after the end of the array.")
        }
    }

    /// The index after the value that starts at `start`. Brackets and strings are matched; what else it holds is not checked.
    static func valueEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(Problem) -> Int {
        guard start < bytes.count else { throw .malformedBody("The body ends where a value should be.") }
        switch bytes[start] {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return try bracketEnd(bytes, from: start)
        case UInt8(ascii: "\""): return try stringEnd(bytes, from: start)
        default:
            var index = start
            while index < bytes.count, !isSpace(bytes[index]), !isStructural(bytes[index]) { index += 1 }
            guard index > start else { throw .malformedBody("Byte \(start) of the body cannot start a JSON value.") }
            return index
        }
    }

    private static func bracketEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(Problem) -> Int {
        var closers: [UInt8] = []
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index = try stringEnd(bytes, from: index)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard closers.count < maxDepth else {
                    throw .malformedBody("Byte \(index) of the body is nested deeper than \(maxDepth) levels.")
                }
                closers.append(byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard closers.popLast() == byte else {
                    throw .malformedBody("The bracket at byte \(index) of the body closes nothing that is open.")
                }
                if closers.isEmpty { return index + 1 }
            default: break
            }
            index += 1
        }
        throw .malformedBody("The bracket at byte \(start) of the body is never closed.")
    }

    /// The index after the string whose opening quote is at `start`.
    static func stringEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(Problem) -> Int {
        var index = start + 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        throw .malformedBody("The string at byte \(start) of the body is never closed.")
    }

    static func skipSpace(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
        return index
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private static func isStructural(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "{"),
            UInt8(ascii: ":"), UInt8(ascii: "\""):
            true
        default: false
        }
    }
}
