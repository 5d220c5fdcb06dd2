/// What one pass over a record's bytes tells, before any of it is read as JSON.
enum TextSurvey {
    /// ASCII without U+007F: control characters can come only from escapes.
    case plain
    /// Valid UTF-8 that has characters beyond ASCII, or U+007F.
    case rich
    /// Not UTF-8.
    case invalid

    /// Surveys the bytes: O(n), 32 bytes a step.
    static func of(_ bytes: UnsafeRawBufferPointer) -> TextSurvey {
        var index = 0
        let count = bytes.count
        var seen = SIMD16<UInt8>(repeating: 0)
        var nearestDelete = SIMD16<UInt8>(repeating: 0xFF)
        let delete = SIMD16<UInt8>(repeating: 0x7F)
        while index &+ 32 <= count {
            let first = bytes.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
            let second = bytes.loadUnaligned(fromByteOffset: index &+ 16, as: SIMD16<UInt8>.self)
            seen |= first | second
            nearestDelete = pointwiseMin(nearestDelete, pointwiseMin(first ^ delete, second ^ delete))
            index &+= 32
        }
        var tail: UInt8 = 0
        var tailDelete = false
        while index < count {
            let byte = bytes[index]
            tail |= byte
            tailDelete = tailDelete || byte == 0x7F
            index &+= 1
        }
        let halves = unsafeBitCast(seen, to: SIMD2<UInt64>.self)
        let ascii = (halves.x | halves.y) & 0x8080_8080_8080_8080 == 0 && tail < 0x80
        if !ascii { return isValidUTF8(bytes) ? .rich : .invalid }
        return tailDelete || nearestDelete.min() == 0 ? .rich : .plain
    }

    /// Whether the bytes are UTF-8 as the Unicode standard's table 3-7 defines it: no overlong form, no surrogate, nothing above
    /// U+10FFFF.
    static func isValidUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        let count = bytes.count
        func continues(_ at: Int) -> Bool { at < count && bytes[at] & 0xC0 == 0x80 }
        while index < count {
            let lead = bytes[index]
            switch lead {
            case 0..<0x80:
                index += 1
            case 0xC2...0xDF:
                guard continues(index + 1) else { return false }
                index += 2
            case 0xE0...0xEF:
                guard continues(index + 1), continues(index + 2) else { return false }
                let second = bytes[index + 1]
                if lead == 0xE0 && second < 0xA0 || lead == 0xED && second > 0x9F { return false }
                index += 3
            case 0xF0...0xF4:
                guard continues(index + 1), continues(index + 2), continues(index + 3) else { return false }
                let second = bytes[index + 1]
                if lead == 0xF0 && second < 0x90 || lead == 0xF4 && second > 0x8F { return false }
                index += 4
            default:
                return false
            }
        }
        return true
    }
}
