/// JSON values of any shape.
extension FuzzSource {
    private static let words: [[UInt8]] = ["true", "false", "null", "{}", "[]", "\"\""].map { Array($0.utf8) }

    /// Adds any JSON value, right by the grammar; at most `depth` levels deep, now and then many more.
    public mutating func addValue(to bytes: inout [UInt8], depth: Int = 3) {
        switch below(depth > 0 ? 10 : 7) {
        case 0, 1: bytes.append(contentsOf: pick(Self.words))
        case 2, 3: addNumber(to: &bytes)
        case 4, 5: addText(to: &bytes)
        case 6: addTime(to: &bytes)
        case 7: addObject(to: &bytes, depth: depth - 1)
        case 8: addList(to: &bytes, depth: depth - 1)
        default: once(in: 20) ? addDeep(to: &bytes) : addList(to: &bytes, depth: depth - 1)
        }
    }

    /// Adds a list.
    mutating func addList(to bytes: inout [UInt8], depth: Int) {
        bytes.append(UInt8(ascii: "["))
        let count = once(in: 300) ? 998 + below(6) : below(6)
        for index in 0..<count {
            if index > 0 { addSeparator(to: &bytes) }
            if count > 6 { addNumber(to: &bytes) } else { addValue(to: &bytes, depth: depth) }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Adds an object whose keys may repeat, be empty, or be written with escapes.
    public mutating func addObject(to bytes: inout [UInt8], depth: Int) {
        bytes.append(UInt8(ascii: "{"))
        for index in 0..<below(5) {
            if index > 0 { addSeparator(to: &bytes) }
            addKey(to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            addValue(to: &bytes, depth: depth)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static let keys: [[UInt8]] = [
        "brand", "device", "country", "rating", "age", "gender", "spam_probability", "cites", "score", "a", "a.b", "", "rat\\u0069ng",
        "\\u0000", "é", "e\u{301}", "item_id", "__proto__", "0", "\\ud83d\\ude00",
    ].map { Array($0.utf8) }

    private mutating func addKey(to bytes: inout [UInt8]) {
        guard !once(in: 12) else { return addText(to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: pick(Self.keys))
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func addSeparator(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: ","))
        if once(in: 20) { bytes.add(pick([" ", "\n", "\t", "\r\n", "   "])) }
    }

    private mutating func addDeep(to bytes: inout [UInt8]) {
        let levels = pick([12, 13, 14, 15, 16, 17, 255, 256, 257, 3_000])
        let asObjects = once(in: 2)
        for _ in 0..<levels { asObjects ? bytes.add("{\"a\":") : bytes.append(UInt8(ascii: "[")) }
        if asObjects { bytes.append(UInt8(ascii: "1")) }
        for _ in 0..<levels { bytes.append(asObjects ? UInt8(ascii: "}") : UInt8(ascii: "]")) }
    }

    /// Adds the attributes of an item or a user, or the context of an event, as shops send them: names with values or lists of
    /// values, some of them at a border.
    mutating func addAttributes(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for index in 0..<below(5) {
            if index > 0 { addSeparator(to: &bytes) }
            addKey(to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            switch below(8) {
            case 0: addValue(to: &bytes, depth: 2)
            case 1, 2: addNumber(to: &bytes)
            case 3:
                bytes.append(UInt8(ascii: "["))
                // A list that is short here and long where every number is written out.
                let count = once(in: 50) ? 2_500 : 1 + below(4)
                let number = pick(["1e30", "1e40", "1e-30", "2.5", "1E+2", "1e300"])
                for place in 0..<count {
                    if place > 0 { bytes.append(UInt8(ascii: ",")) }
                    bytes.add(number)
                }
                bytes.append(UInt8(ascii: "]"))
            case 4: addText(to: &bytes)
            default: bytes.add(pick(["\"Acme\"", "\"DE\"", "\"phone\"", "25", "true", "[\"a\",\"b\"]", "4.5", "false"]))
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }
}
