/// Numbers as sentences have them.
enum Words {
    /// `.364` → `36 %`; below one percent with a decimal.
    static func percent(_ share: Double) -> String { number(share * 100) + " %" }

    /// At most one decimal, none from ten on.
    static func number(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        let tenths = (value * 10).rounded()
        if value.magnitude >= 10 || tenths.truncatingRemainder(dividingBy: 10) == 0 { return "\(Int64(value.rounded()))" }
        return "\(tenths / 10)"
    }

    /// As a settings file has it.
    static func exact(_ value: Double) -> String {
        value.rounded() == value && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// A ratio with two decimals.
    static func ratio(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "as" }
        return "\((value * 100).rounded() / 100)"
    }
}
