/// Text for a page: everything that comes from data is escaped where it enters.
enum HTMLText {
    /// Text as content or as an attribute's value in double quotes. Control characters become spaces.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n": result.unicodeScalars.append(character)
            case let other where other.value < 0x20 || (0x7F...0x9F).contains(other.value): result += " "
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// A number with so many decimals; a dash where there is none.
    static func number(_ value: Double?, decimals: Int = 4) -> String {
        guard let value, value.isFinite, abs(value) < 1e15 else { return "–" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        let whole = Int64(scaled / scale)
        let sign = value < 0 && scaled > 0 ? "−" : ""
        guard decimals > 0 else { return sign + grouped(whole) }
        let fraction = String(Int64(scaled) - whole * Int64(scale))
        return sign + grouped(whole) + "." + String(repeating: "0", count: max(0, decimals - fraction.count)) + fraction
    }

    /// The head of a table; names are of the program, not of data.
    static func head(_ names: [String]) -> String { "<thead><tr>\(names.map { "<th>\($0)</th>" }.joined())</tr></thead>" }

    /// Cells of a table with numbers.
    static func cells(_ values: [Double?], decimals: Int = 4) -> String {
        values.map { "<td>\(number($0, decimals: decimals))</td>" }.joined()
    }

    /// A whole number in groups of three digits.
    static func count(_ value: Double?) -> String { number(value, decimals: 0) }

    /// Seconds as people say them.
    static func duration(_ seconds: Double?) -> String {
        guard let seconds, seconds >= 0, seconds < 1e15 else { return "–" }
        if seconds < 10 { return number(seconds, decimals: 1) + " s" }
        if seconds < 120 { return number(seconds, decimals: 0) + " s" }
        if seconds < 7_200 { return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s" }
        return "\(Int(seconds) / 3_600) h \(Int(seconds) % 3_600 / 60) min"
    }

    /// A coordinate of a drawing: one decimal is finer than a screen.
    static func coordinate(_ value: Double) -> String {
        guard abs(value) < 1e15 else { return "0" }
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    private static func grouped(_ value: Int64) -> String {
        let digits = String(value)
        var result = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place).isMultiple(of: 3) { result += "\u{202F}" }
            result.append(digit)
        }
        return result
    }
}
