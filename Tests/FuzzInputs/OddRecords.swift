/// What a topic or a file holds, by its name in the configuration.
public enum FuzzKind: String, CaseIterable, Sendable {
    case events, items, users, impressions
}

/// Records of the four topics: the fields of the schemas, filled with what real senders put there.
extension FuzzSource {
    private enum Field {
        case id(StaticString, Int), type, time, amount, currency, whole, text, labels, ids, attributes, flag, vector, slate, any
    }

    private typealias Shape = [(name: StaticString, field: Field, required: Bool)]

    private static let shapes: [FuzzKind: Shape] = [
        .events: [
            ("event_id", .id("e", 1 << 40), true), ("type", .type, true), ("user_id", .id("u", 200), true),
            ("item_id", .id("i", 300), true),
            ("timestamp", .time, true), ("value", .amount, false), ("currency", .currency, false), ("quantity", .whole, false),
            ("session_id", .id("s", 50), false), ("request_id", .id("r", 1_000), false), ("slot", .whole, false),
            ("model_version", .whole, false), ("context", .attributes, false), ("unknown", .any, false),
        ],
        .items: [
            ("item_id", .id("i", 300), true), ("title", .text, false), ("description", .text, false), ("categories", .labels, false),
            ("tags", .labels, false), ("price", .amount, false), ("currency", .currency, false), ("attributes", .attributes, false),
            ("embedding", .vector, false), ("published_at", .time, false), ("updated_at", .time, false), ("hidden", .flag, false),
            ("unknown", .any, false),
        ],
        .users: [
            ("user_id", .id("u", 200), true), ("attributes", .attributes, false), ("aliases", .ids, false), ("updated_at", .time, false),
            ("unknown", .any, false),
        ],
        .impressions: [
            ("request_id", .id("r", 1 << 40), true), ("user_id", .id("u", 200), true), ("session_id", .id("s", 50), false),
            ("timestamp", .time, true), ("model_version", .whole, false), ("experiment", .id("x", 5), false), ("items", .slate, true),
        ],
    ]

    /// A record that its sender meant to be right: JSON as the grammar has it, with values at borders.
    ///
    /// About half are accepted; the rest breaks a rule of a field.
    public mutating func plausibleRecord(_ kind: FuzzKind) -> [UInt8] {
        record(kind, odds: pick([0, 12, 12, 5, 2]), allowsBroken: false)
    }

    /// Bytes for a topic: a plausible record, often damaged, at times no record at all.
    public mutating func anyRecord(_ kind: FuzzKind) -> [UInt8] {
        switch below(16) {
        case 0: return plainBytes()
        case 1:
            var bytes: [UInt8] = []
            addValue(to: &bytes, depth: 4)
            return bytes
        case 2, 3, 4, 5:
            var bytes = record(kind, odds: pick([0, 6]), allowsBroken: true)
            mutate(&bytes, times: 1 + below(3))
            return bytes
        default: return record(kind, odds: pick([0, 20, 8, 3]), allowsBroken: once(in: 3))
        }
    }

    /// - Parameter odds: one value in so many is odd; 0 for none.
    private mutating func record(_ kind: FuzzKind, odds: Int, allowsBroken: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(320)
        if once(in: 60) { bytes.add(pick(["\u{FEFF}", " ", "\n", "\t "])) }
        bytes.append(UInt8(ascii: "{"))
        var first = true
        for (name, field, required) in Self.shapes[kind] ?? [] {
            // Somebody without an id is known by the session.
            if required ? once(in: 150) : once(in: 2) { continue }
            addMember(name, field, odds: odds, allowsBroken: allowsBroken, first: &first, to: &bytes)
            // Of a key that occurs twice the last counts.
            if odds > 0, once(in: 60) { addMember(name, field, odds: 2, allowsBroken: allowsBroken, first: &first, to: &bytes) }
        }
        bytes.append(UInt8(ascii: "}"))
        if once(in: 60) { bytes.add(pick([" ", "\n", "\r"])) }
        return bytes
    }

    private mutating func addMember(
        _ name: StaticString, _ field: Field, odds: Int, allowsBroken: Bool, first: inout Bool, to bytes: inout [UInt8]
    ) {
        if !first { addSeparator(to: &bytes) }
        first = false
        bytes.append(UInt8(ascii: "\""))
        if once(in: 40) {
            // The first letter as an escape: the same key.
            bytes.add("\\u00")
            bytes.add(String(name.utf8Start[0], radix: 16))
            for index in 1..<name.utf8CodeUnitCount { bytes.append(name.utf8Start[index]) }
        } else {
            bytes.add(name)
        }
        bytes.add("\":")
        if once(in: 40) { bytes.append(UInt8(ascii: " ")) }
        guard odds > 0, once(in: odds) else { return addRight(field, to: &bytes) }
        if allowsBroken, once(in: 4) {
            let inside = once(in: 2)
            if inside { bytes.append(UInt8(ascii: "\"")) }
            bytes.append(contentsOf: pick(inside ? Self.brokenPieces : Self.brokenNumbers))
            if inside { bytes.append(UInt8(ascii: "\"")) }
        } else {
            addOdd(field, to: &bytes)
        }
    }

    private mutating func addRight(_ field: Field, to bytes: inout [UInt8]) {
        switch field {
        case .id(let prefix, let count): addKnownID(prefix, of: count, to: &bytes)
        case .type: bytes.add(pick(["\"click\"", "\"click\"", "\"purchase\"", "\"add_to_cart\"", "\"impression\""]))
        case .time: addPastTime(to: &bytes)
        case .amount: bytes.add("\(below(2_000)).\(below(10))\(below(10))")
        case .currency: bytes.add(pick(["\"EUR\"", "\"USD\"", "\"eur\"", "\"JPY\"", "\"VND\"", "\"KWD\""]))
        case .whole: bytes.add(String(1 + below(9)))
        case .text: bytes.add(pick(["\"Trail shoe\"", "\"Wörter für alle\"", "\"Café au lait\"", "\"红茶\"", "\"A <b>bold</b> title\""]))
        case .labels: bytes.add(pick(["[\"shoes\",\"outdoor\"]", "[\"tea\"]", "[]", "\"shoes\"", "[\"Café\"]"]))
        case .ids: bytes.add(pick(["[\"session:s\(below(50))\"]", "[]", "[\"u\(below(200))\"]", "[7,\"a\(below(500))\"]"]))
        case .attributes: bytes.add(pick(["{\"brand\":\"Acme\"}", "{\"age\":\"25\",\"country\":\"DE\"}", "{\"rating\":4.5}", "{}"]))
        case .flag: bytes.add(once(in: 8) ? "true" : "false")
        case .vector: bytes.add("[0.25,-1,0.5]")
        case .slate: addSlate(odds: 0, to: &bytes)
        case .any: addValue(to: &bytes, depth: 1)
        }
    }

    private mutating func addOdd(_ field: Field, to bytes: inout [UInt8]) {
        // Now and then a value of another kind altogether.
        guard !once(in: 6) else { return addValue(to: &bytes) }
        switch field {
        case .id: once(in: 6) ? addNumber(to: &bytes) : addText(to: &bytes)
        case .type:
            once(in: 2) ? bytes.add(pick(["\"view\"", "\"Click\"", "\"cl\\u0069ck\"", "\"\"", "3", "\"click \""])) : addText(to: &bytes)
        case .time: addTime(to: &bytes)
        case .amount: addAmount(to: &bytes)
        case .currency:
            bytes.add(
                pick(["\"XXX\"", "\"Euro\"", "\"€\"", "\"eur \"", "\"\"", "978", "\"e\\u0075r\"", "\"CLF\"", "\"BHD\"", "\"ZZZ\"", "null"]))
        case .whole:
            once(in: 2) ? addNumber(to: &bytes) : bytes.add(pick(["0", "-1", "1e0", "1.0", "2147483647", "2147483648", "1.5", "\"1\""]))
        case .text: addText(to: &bytes, about: once(in: 40) ? 65_536 : 256)
        case .labels, .ids: addLabels(to: &bytes)
        case .attributes: addAttributes(to: &bytes)
        case .flag: bytes.add(pick(["true", "false", "null", "0", "1", "\"true\"", "\"\"", "[]"]))
        case .vector: addVector(to: &bytes)
        case .slate: addSlate(odds: 4, to: &bytes)
        case .any: addValue(to: &bytes, depth: 4)
        }
    }

    private mutating func addLabels(to bytes: inout [UInt8]) {
        if once(in: 8) { return once(in: 2) ? addText(to: &bytes) : addNumber(to: &bytes) }
        bytes.append(UInt8(ascii: "["))
        let count = once(in: 200) ? 998 + below(5) : below(5)
        for index in 0..<count {
            if index > 0 { addSeparator(to: &bytes) }
            if count > 5 { bytes.add("\"t\(index)\"") } else { once(in: 5) ? addValue(to: &bytes, depth: 1) : addText(to: &bytes) }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func addVector(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        let count = once(in: 300) ? 4_094 + below(5) : below(9)
        for index in 0..<count {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            if count > 9 { bytes.add("0.5") } else { addNumber(to: &bytes) }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func addSlate(odds: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for index in 0..<(odds > 0 && once(in: 100) ? 998 + below(5) : 1 + below(4)) {
            if index > 0 { addSeparator(to: &bytes) }
            if odds > 0, once(in: odds * 4) {
                addValue(to: &bytes, depth: 1)
                continue
            }
            bytes.add("{\"item_id\":")
            odds > 0 && once(in: odds) ? addText(to: &bytes) : addKnownID("i", of: 300, to: &bytes)
            if once(in: 2) {
                bytes.add(",\"reason\":")
                odds > 0 && once(in: odds) ? addText(to: &bytes) : bytes.add("\"personal\"")
            }
            if once(in: 2) { bytes.add(",\"score\":0.5") }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
    }
}
