/// Settings as people write them by hand, in YAML and in the environment.
extension FuzzSource {
    private static let plainValues = [
        "true", "false", "yes", "no", "on", "null", "~", "", "NULL", "0", "1", "-1", "1.5", "1e3", "0x10", "0o17", "1_000", "+5", "NaN",
        ".nan",
        ".inf", "-.inf", "9223372036854775807", "9223372036854775808", "1e309", "1e-400", "auto", "off", "wall", "data", "EUR", "eur",
        "Euro",
        "XXX", "VND", "click", "klick", "purchased", "seen", "[]", "[purchased]", "[seen, purchased]", "{}", "{view: click}",
        "{view: klick}",
        "2026-11-21T08:00:00Z", "2026-11-21", "127.0.0.1", "::1", "localhost:9092", "a,b,,c", " padded ", "postgresql://u:p@h/d", "/tmp",
        "../x",
        "caf\u{E9}", "cafe\u{301}", "😀", "\u{7F}", "\u{85}", "\u{FEFF}", "%s%n", "${HOME}", "$(id)", "'quoted'", "\"quoted\"",
        "# no comment",
        "5s", "10%", "1,5", "１", "small", "full", "hnsw", "json", "info", "60000", "1000000", "50", "2147483648", "0.5", "99", "3",
    ]

    private static let yamlOnly = [
        "&a x", "*a", "*missing", "!!str 5", "!!int x", "!!binary AAAA", "!!python/object:os.system x", "|\n  block\n  text",
        ">-\n  folded",
        "'it''s'", "\"esc\\u0041\\x41\\n\"", "\"\\ud800\"", "'open", "\"open", "[1, [2, [3]]]", "[{a: 1}]", "{a: {b: c}}", "? x",
        "- a\n- b",
        "@reserved", "`tick", "%directive", "a: b: c", "[a, b", "{a: b", "!<tag> x", "<<: *a", "=", "\t tab", "- [", "--- ", "...",
        "2001:db8::1", "12:30:45", "0b101", "1__0", "{? a : b}", "[,]", "{,}",
    ]

    /// Settings that are right, so that odd ones stand between others.
    private static let rightSettings = [
        ("http.port", "8081"), ("log.format", "json"), ("log.level", "debug"), ("clock", "data"), ("rules.exclude", "purchased"),
        ("train.epochs", "3"), ("ingest.batch_records", "500"), ("ingest.default_currency", "EUR"), ("index.kind", "flat"),
        ("ingest.earliest_time", "2001-01-01T00:00:00Z"), ("train.final_fit", "false"), ("cold_start.diversity", "0.25"),
        ("kafka.bootstrap_servers", "localhost:9092"), ("ingest.event_types.view", "click"), ("kafka.properties.linger.ms", "5"),
    ]

    /// A name with a value: two times in three a right one.
    private mutating func setting(_ keys: [String]) -> (name: String, value: String, isRight: Bool) {
        if !once(in: 3) {
            let (name, value) = pick(Self.rightSettings)
            return (name, value, true)
        }
        return (pick(keys), settingText(), false)
    }

    /// A value as text: of no key in particular, so that it meets keys of every kind.
    mutating func settingText() -> String {
        switch below(8) {
        case 0:
            var bytes: [UInt8] = []
            addNumber(to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        case 1: return String(decoding: plainBytes(), as: UTF8.self)
        case 2: return String(repeating: pick(["a", "é", " ", ","]), count: pick([255, 256, 257, 5_000]))
        default: return pick(Self.plainValues)
        }
    }

    /// A file of settings.
    ///
    /// - Parameter keys: names with dots, as `http.port`.
    public mutating func yamlFile(keys: [String]) -> [UInt8] {
        switch below(24) {
        case 0: return plainBytes(about: 5_000)
        case 1: return nested()
        default: break
        }
        var text = once(in: 20) ? "---\n" : ""
        for _ in 0..<1 + below(5) {
            var (name, value, isRight) = setting(keys)
            if !isRight, once(in: 12) {
                var bytes = Array(name.utf8)
                mutate(&bytes, times: 1)
                name = String(decoding: bytes, as: UTF8.self)
            }
            if !isRight { value = once(in: 4) ? pick(Self.yamlOnly) : once(in: 4) ? "\"\(value)\"" : value }
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            switch below(6) {
            case 0: text += "\(name): \(value)\n"
            case 1 where parts.count == 2: text += "\(parts[0]): {\(parts[1]): \(value)}\n"
            case 2 where parts.count == 2: text += "\(parts[0]):\n\t\(parts[1]): \(value)\n"
            default:
                guard parts.count == 2 else {
                    text += "\(name): \(value)\n"
                    continue
                }
                text += "\(parts[0]):\n  \(parts[1]): \(value)\n"
                if once(in: 8) { text += "  \(pick(keys).split(separator: ".").last ?? ""): \(settingText())\n" }
            }
        }
        if once(in: 20) { text += "...\n--- \na: b\n" }
        var bytes = Array(text.utf8)
        if once(in: 4) { mutate(&bytes, times: 1 + below(3)) }
        return bytes
    }

    /// Files that are small and stand for something large.
    private mutating func nested() -> [UInt8] {
        let levels = pick([50, 500, 999, 1_001, 20_000])
        switch below(5) {
        case 0: return [UInt8](repeating: UInt8(ascii: "["), count: levels)
        case 1: return Array((String(repeating: "{a: ", count: levels) + "1" + String(repeating: "}", count: levels)).utf8)
        case 2:
            // Each line holds the one before nine times.
            var text = "a0: &a0 [x, x]\n"
            for level in 1..<10 {
                text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
            }
            return Array(text.utf8)
        case 3: return Array(("kafka: {properties: {" + (0..<levels).map { "k\($0): v" }.joined(separator: ", ") + "}}").utf8)
        default:
            var text = ""
            for level in 0..<min(levels, 400) { text += String(repeating: " ", count: level) + "a:\n" }
            return Array(text.utf8)
        }
    }

    /// Variables of the environment.
    ///
    /// - Parameter keys: names with dots, as `http.port`.
    public mutating func environment(keys: [String]) -> [String: String] {
        var variables: [String: String] = [:]
        for _ in 0..<1 + below(3) {
            let (key, value, isRight) = setting(keys)
            var name =
                "FRESHET_" + String(decoding: key.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }, as: UTF8.self).uppercased()
            if !isRight, once(in: 4) { name += pick(["_addToCart", "_VIEW", "_", "_a.b", "_SASL_USERNAME", "_É", "S"]) }
            if !isRight, once(in: 20) {
                var bytes = Array(name.utf8)
                mutate(&bytes, times: 1)
                name = String(decoding: bytes, as: UTF8.self)
            }
            variables[name] = value
        }
        return variables
    }
}
