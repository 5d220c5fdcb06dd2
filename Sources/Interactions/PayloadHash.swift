/// A 64-bit hash that is the same on every machine and in every version: the database keeps it.
///
/// Each word is folded by a 64 × 64 → 128-bit multiplication whose halves are combined, as wyhash does. It tells different
/// payloads apart; it is no defence against a sender who wants two to collide.
public struct PayloadHash: Sendable {
    /// The hash of what was combined so far.
    public private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Starts with nothing combined.
    public init() {}

    @inline(__always)
    mutating func combine(_ word: UInt64) {
        let product = (value ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        // Adding the word keeps a zero product from forgetting what came before it.
        value = (product.high ^ product.low) &+ word &+ 0xA076_1D64_78BD_642F
    }

    /// Combines bytes and their count, eight a step.
    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        combine(UInt64(truncatingIfNeeded: bytes.count) &+ 1)
        var index = 0
        while index &+ 8 <= bytes.count {
            combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
            index &+= 8
        }
        var last: UInt64 = 0
        var shift: UInt64 = 0
        while index < bytes.count {
            last |= UInt64(bytes[index]) &<< shift
            shift &+= 8
            index &+= 1
        }
        if shift > 0 { combine(last) }
    }

    @inline(__always)
    mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    mutating func combine(_ text: String?) {
        if let text { combine(text) } else { combine(0) }
    }

    @inline(__always)
    mutating func combine(_ number: Int64?) {
        if let number {
            combine(1)
            combine(UInt64(bitPattern: number))
        } else {
            combine(0)
        }
    }
}

extension Interaction {
    /// The hash of everything but ``position``, as the decoder stores it in ``payloadHash``.
    public func contentHash() -> UInt64 {
        var hash = PayloadHash()
        hash.combine(eventID)
        hash.combine(userID)
        hash.combine(itemID)
        hash.combine(UInt64(type.rawValue) | UInt64(UInt32(bitPattern: quantity)) &<< 8)
        hash.combine(UInt64(bitPattern: time.milliseconds))
        hash.combine(sessionID)
        hash.combine(requestID)
        hash.combine(priceMicros)
        hash.combine(amountMinor)
        hash.combine(currency)
        hash.combine(slot.map(Int64.init))
        hash.combine(modelVersion.map(Int64.init))
        hash.combine(context)
        return hash.value
    }
}
