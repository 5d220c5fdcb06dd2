/// Finds where each record begins and ends in a body: one JSON object, an array of them, or JSON Lines.
///
/// Only the structure is looked at (strings, brackets and their nesting); whether a record is valid JSON and a valid event is
/// for the decoder to say, so that one bad record does not take the others with it.
///
/// Each byte is looked at a bounded number of times, whatever the shape: O(n). The scan ends when its task is cancelled. The bytes may
/// be any collection, so that a test can count what is read.
package enum RecordSplitter {
    /// Deeper nesting ends the scan; the decoder allows less.
    static let maxDepth = 64
    /// How often a scan looks whether anybody still waits for it.
    private static let bytesBetweenChecks = 65_536

    /// The byte ranges of the records in `bytes`.
    /// - Parameters:
    ///   - asLines: the sender said that each line is a record.
    ///   - maxRecords: more are refused.
    package static func ranges<Bytes: RandomAccessCollection>(
        in bytes: Bytes, asLines: Bool, maxRecords: Int
    ) throws(Problem) -> [Range<Int>] where Bytes.Element == UInt8, Bytes.Index == Int {
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

    private static func lines<Bytes: RandomAccessCollection>(
        _ bytes: Bytes, maxRecords: Int
    ) throws(Problem) -> [Range<Int>] where Bytes.Element == UInt8, Bytes.Index == Int {
        var ranges: [Range<Int>] = []
        var nextCheck = bytesBetweenChecks
        var index = 0
        while index < bytes.count {
            var first: Int?
            var last = index
            // One pass a line: what is blank here must not be looked at again from the next one.
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "\n") { break }
                if !isSpace(byte) {
                    first = first ?? index
                    last = index + 1
                }
                index += 1
            }
            if let first {
                try admit(ranges.count, maxRecords)
                ranges.append(first..<last)
            }
            index += 1
            try heedCancellation(at: index, &nextCheck)
        }
        return ranges
    }

    private static func elements<Bytes: RandomAccessCollection>(
        _ bytes: Bytes, from open: Int, maxRecords: Int
    ) throws(Problem) -> [Range<Int>] where Bytes.Element == UInt8, Bytes.Index == Int {
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

    private static func heedCancellation(at index: Int, _ nextCheck: inout Int) throws(Problem) {
        guard index >= nextCheck else { return }
        nextCheck = index + bytesBetweenChecks
        if Task.isCancelled { throw .cancelled }
    }

    private static func expectEnd<Bytes: RandomAccessCollection>(
        _ bytes: Bytes, after index: Int
    ) throws(Problem) where Bytes.Element == UInt8, Bytes.Index == Int {
        let rest = skipSpace(bytes, from: index + 1)
        guard rest == bytes.count else {
            throw .malformedBody("Byte \(rest) of the body comes after the end of the array.")
        }
    }

    /// The index after the value that starts at `start`. Brackets and strings are matched; what else it holds is not checked.
    static func valueEnd<Bytes: RandomAccessCollection>(
        _ bytes: Bytes, from start: Int
    ) throws(Problem) -> Int where Bytes.Element == UInt8, Bytes.Index == Int {
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

    private static func bracketEnd<Bytes: RandomAccessCollection>(
        _ bytes: Bytes, from start: Int
    ) throws(Problem) -> Int where Bytes.Element == UInt8, Bytes.Index == Int {
        var closers: [UInt8] = []
        var nextCheck = start + bytesBetweenChecks
        var index = start
        while index < bytes.count {
            try heedCancellation(at: index, &nextCheck)
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
    static func stringEnd<Bytes: RandomAccessCollection>(
        _ bytes: Bytes, from start: Int
    ) throws(Problem) -> Int where Bytes.Element == UInt8, Bytes.Index == Int {
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

    static func skipSpace<Bytes: RandomAccessCollection>(
        _ bytes: Bytes, from start: Int
    ) -> Int where Bytes.Element == UInt8, Bytes.Index == Int {
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
