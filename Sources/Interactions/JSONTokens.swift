extension JSONText {
    /// The longest dotted key, in bytes, that gives tokens: what stands below a longer one gives none.
    public static let tokenKeyBytesLimit = 256
    /// All tokens of one object together, in bytes: four times the largest object that a record may bring, since each token repeats
    /// its key. Of an object whose tokens are more, the shortest that fit are given.
    public static let tokensBytesLimit = 64 << 10

    /// The object's values as flat tokens for hashing and display: `brand=Acme`, `cites=i3`, `cites=i5`, `age=25`.
    ///
    /// A list gives a token for each of its values; an object inside gives dotted keys (`size.width=3`); booleans are `true` and
    /// `false`; nulls give nothing. Numbers are written without an exponent. The tokens are sorted and each occurs once, and of
    /// a key that occurs twice the last counts, so that text that has been through `jsonb` gives the same tokens. Text that is
    /// not a JSON object gives none.
    ///
    /// - Complexity: O(n log n) in the text's bytes, and at most ``tokensBytesLimit`` of tokens: whatever the nesting.
    public static func tokens(ofObject json: String) -> [String] {
        var json = json
        return json.withUTF8 { bytes in
            guard bytes.count >= 2 else { return [] }
            var leaves = JSONLeaves(bytes)
            return leaves.gather() ? leaves.tokens() : []
        }
    }
}

/// The plain values of an object and the keys above each, in one pass and without a copy of any.
private struct JSONLeaves {
    /// A key and those above it.
    private struct Key {
        let parent: Int
        let text: String
        /// Of the whole dotted key.
        let bytes: Int
    }

    private struct Leaf {
        let key: Int
        let value: JSONToken
        /// Of the whole token.
        let bytes: Int
        /// A later value of the same key replaces it.
        var isReplaced = false
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var scanner: JSONScanner
    private var keys: [Key] = []
    private var leaves: [Leaf] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        scanner = JSONScanner(bytes, from: 0, to: bytes.count, maxDepth: DecodingRules.deepestAllowed)
    }

    /// False where the text is no object.
    mutating func gather() -> Bool {
        scanner.skipSpace()
        guard scanner.byte == UInt8(ascii: "{") else { return false }
        do throws(Rejection) {
            try object(below: nil, depth: 1)
            return true
        } catch {
            return false
        }
    }

    private mutating func object(below parent: Int?, depth: Int) throws(Rejection) {
        scanner.at += 1
        var first = true
        var known: [[UInt8]: Range<Int>] = [:]
        while let token = try scanner.nextKey(first: &first) {
            let text = JSONText.unescaped(token, bytes), start = leaves.count
            let length = text.utf8.count + (parent.map { keys[$0].bytes + 1 } ?? 0)
            keys.append(Key(parent: parent ?? -1, text: text, bytes: length))
            try value(of: keys.count - 1, depth: depth)
            if let former = known.updateValue(start..<leaves.count, forKey: Array(text.utf8)) {
                for index in former { leaves[index].isReplaced = true }
            }
        }
    }

    private mutating func value(of key: Int, depth: Int) throws(Rejection) {
        scanner.skipSpace()
        switch scanner.byte {
        case UInt8(ascii: "{") where depth < DecodingRules.deepestAllowed && keys[key].bytes <= JSONText.tokenKeyBytesLimit:
            try object(below: key, depth: depth + 1)
        case UInt8(ascii: "[") where depth < DecodingRules.deepestAllowed && keys[key].bytes <= JSONText.tokenKeyBytesLimit:
            scanner.at += 1
            var first = true
            while try scanner.nextElement(first: &first) { try value(of: key, depth: depth + 1) }
        default:
            let value = try scanner.value(depth: depth)
            guard keys[key].bytes <= JSONText.tokenKeyBytesLimit, let text = JSONText.scalar(value, bytes) else { return }
            leaves.append(Leaf(key: key, value: value, bytes: keys[key].bytes + 1 + text.utf8.count))
        }
    }

    /// The tokens, sorted, each once.
    func tokens() -> [String] {
        var kept = leaves.filter { !$0.isReplaced }
        if kept.reduce(0, { $0 + $1.bytes }) > JSONText.tokensBytesLimit {
            // By what they say, not by where they stand: `jsonb` orders members otherwise.
            let said = kept.map { (bytes: $0.bytes, value: JSONText.scalar($0.value, bytes) ?? "", key: dotted($0.key)) }
            let order = kept.indices.sorted {
                let (left, right) = (said[$0], said[$1])
                if left.bytes != right.bytes { return left.bytes < right.bytes }
                if !left.value.utf8.elementsEqual(right.value.utf8) { return left.value.utf8.lexicographicallyPrecedes(right.value.utf8) }
                return left.key.utf8.lexicographicallyPrecedes(right.key.utf8)
            }
            var left = JSONText.tokensBytesLimit, fitting: [Leaf] = []
            var last: Int?
            for index in order {
                // The same token again takes no room.
                if let last, said[last] == said[index] { continue }
                guard said[index].bytes <= left else { break }
                left -= said[index].bytes
                fitting.append(kept[index])
                last = index
            }
            kept = fitting
        }
        var found: Set<String> = []
        for leaf in kept { found.insert("\(dotted(leaf.key))=\(JSONText.scalar(leaf.value, bytes) ?? "")") }
        return found.sorted()
    }

    private func dotted(_ key: Int) -> String {
        var parts: [String] = [], at = key
        while at >= 0 {
            parts.append(keys[at].text)
            at = keys[at].parent
        }
        return parts.reversed().joined(separator: ".")
    }
}
