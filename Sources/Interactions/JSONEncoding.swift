extension Interaction {
    /// The event as one line of JSON that decodes to an equal value.
    ///
    /// ``position`` and ``payloadHash`` are not in it: the first is where the record stands, the second follows from the rest.
    public func json() -> String {
        var object = ObjectWriter()
        object.add("event_id", text: eventID)
        object.add("type", text: type.name)
        object.add("user_id", text: userID)
        object.add("item_id", text: itemID)
        object.add("timestamp", text: time.rfc3339())
        if let value = writtenValue() { object.add("value", raw: value) }
        if let currency { object.add("currency", text: currency) }
        if quantity != 1 || priceMicros != nil { object.add("quantity", raw: String(quantity)) }
        if let sessionID { object.add("session_id", text: sessionID) }
        if let requestID { object.add("request_id", text: requestID) }
        if let slot { object.add("slot", raw: String(slot)) }
        if let modelVersion { object.add("model_version", raw: String(modelVersion)) }
        if let context { object.add("context", raw: context) }
        return object.finished()
    }

    /// A unit price that rounds to ``priceMicros`` and whose product with the quantity rounds to ``amountMinor``.
    ///
    /// A price of one third three times is 1.00 though its micros give 0.999999; so where six decimals do not give the amount
    /// back, more are written.
    private func writtenValue() -> String? {
        guard let priceMicros, priceMicros >= 0 else { return nil }
        let plain = ExactDecimal.text(units: UInt128(priceMicros), digits: 6)
        guard let amountMinor, amountMinor > 0, quantity > 0 else { return plain }
        let minorDigits = Currency.minorUnitDigits(currency ?? "")
        for digits in 6...18 {
            // The least price with that many digits that rounds up to both: from 2p − 1 halves of a micro, and from 2a − 1
            // halves of a minor unit.
            let scale = ExactDecimal.powerOfTen(digits)
            let priceFloor =
                priceMicros == 0
                ? 0
                : Self.quotientRoundedUp((UInt128(priceMicros) * 2 - 1) * ExactDecimal.powerOfTen(digits - 6), 2)
            let (numerator, overflow) = (UInt128(amountMinor) * 2 - 1).multipliedReportingOverflow(by: scale)
            if overflow { break }
            let divisor = UInt128(quantity) * 2 * ExactDecimal.powerOfTen(minorDigits)
            let micros = UInt128(priceMicros) * ExactDecimal.powerOfTen(digits - 6)
            let least = max(priceFloor, Self.quotientRoundedUp(numerator, divisor))
            for candidate in [micros, least] {
                let text = ExactDecimal.text(units: candidate, digits: digits)
                if gives(text, micros: priceMicros, amount: amountMinor, minorDigits: minorDigits) { return text }
            }
        }
        return plain
    }

    private func gives(_ text: String, micros: Int64, amount: Int64, minorDigits: Int) -> Bool {
        var text = text
        guard let decimal = text.withUTF8({ ExactDecimal($0) }) else { return false }
        return decimal.magnitude(times: 1, shift: 6) == micros
            && decimal.magnitude(times: UInt32(quantity), shift: minorDigits) == amount
    }

    private static func quotientRoundedUp(_ value: UInt128, _ divisor: UInt128) -> UInt128 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder == 0 ? quotient : quotient + 1
    }
}

extension ItemRecord {
    /// The item as one line of JSON that decodes to an equal value.
    public func json() -> String {
        var object = ObjectWriter()
        object.add("item_id", text: itemID)
        if let title { object.add("title", text: title) }
        if let description { object.add("description", text: description) }
        if !categories.isEmpty { object.add("categories", raw: ObjectWriter.list(categories)) }
        if !tags.isEmpty { object.add("tags", raw: ObjectWriter.list(tags)) }
        if let priceMicros, priceMicros >= 0 {
            object.add("price", raw: ExactDecimal.text(units: UInt128(priceMicros), digits: 6))
        }
        if let currency { object.add("currency", text: currency) }
        if let attributes { object.add("attributes", raw: attributes) }
        if let embedding, embedding.allSatisfy(\.isFinite) {
            object.add("embedding", raw: "[" + embedding.map { "\($0)" }.joined(separator: ",") + "]")
        }
        if let publishedAt { object.add("published_at", text: publishedAt.rfc3339()) }
        if let updatedAt { object.add("updated_at", text: updatedAt.rfc3339()) }
        if hidden { object.add("hidden", raw: "true") }
        return object.finished()
    }
}

extension UserRecord {
    /// The user as one line of JSON that decodes to an equal value.
    public func json() -> String {
        var object = ObjectWriter()
        object.add("user_id", text: userID)
        if let attributes { object.add("attributes", raw: attributes) }
        if !aliases.isEmpty { object.add("aliases", raw: ObjectWriter.list(aliases)) }
        if let updatedAt { object.add("updated_at", text: updatedAt.rfc3339()) }
        return object.finished()
    }
}

/// Writes one object, members in the order given. Names are written as they are.
private struct ObjectWriter {
    private var text = "{"

    mutating func add(_ name: StaticString, text value: String) {
        add(name, raw: JSONText.quoted(value))
    }

    mutating func add(_ name: StaticString, raw value: String) {
        if text.utf8.count > 1 { text += "," }
        text += "\"\(name)\":"
        text += value
    }

    func finished() -> String { text + "}" }

    static func list(_ values: [String]) -> String {
        "[" + values.map(JSONText.quoted).joined(separator: ",") + "]"
    }
}
