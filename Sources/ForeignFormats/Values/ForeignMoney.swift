/// An amount with what stands around it: `15.00 USD`, `EUR 12,50`, `$1,299.00`.
struct ForeignMoney: Sendable {
    /// How its number is read.
    var numbers: ForeignNumber

    /// Reads an amount, and its currency where a code of three letters or a sign of one currency names it. `$` and `¥` are signs of
    /// several and name none.
    func read(_ text: String) -> (amount: ForeignNumber.Reading, currency: String?) {
        var scalars = text.unicodeScalars[...]
        var currency: String?
        func trim() {
            while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
            while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        }
        trim()
        // A sign may stand before the currency: -$5.
        var sign = ""
        if scalars.first == "-" || scalars.first == "\u{2212}" {
            scalars.removeFirst()
            sign = "-"
        }
        trim()
        if let first = scalars.first, let meaning = Self.signs[first] {
            currency = meaning.isEmpty ? nil : meaning
            scalars.removeFirst()
        } else if let last = scalars.last, let meaning = Self.signs[last] {
            currency = meaning.isEmpty ? nil : meaning
            scalars.removeLast()
        } else if let code = Self.code(scalars.prefix(3)), scalars.count > 3 {
            currency = code
            scalars.removeFirst(3)
        } else if let code = Self.code(scalars.suffix(3)), scalars.count > 3 {
            currency = code
            scalars.removeLast(3)
        }
        trim()
        let number = String(String.UnicodeScalarView(scalars))
        return (numbers.read(sign + number), currency)
    }

    private static func code(_ letters: some Collection<Unicode.Scalar>) -> String? {
        guard letters.count == 3, letters.allSatisfy({ ("A"..."Z").contains($0) || ("a"..."z").contains($0) }) else { return nil }
        return String(String.UnicodeScalarView(letters)).uppercased()
    }

    private static let signs: [Unicode.Scalar: String] = ["€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "$": "", "¥": ""]
}
