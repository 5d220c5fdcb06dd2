import Bytes

extension Interaction {
    /// The event as one line of JSON that decodes to an equal value.
    ///
    /// ``position`` and ``payloadHash`` are not in it: the first is where the record stands, the second follows from the rest.
    public func json() -> String {
        JSONWriter.object { object in
            object.field("event_id", eventID)
            object.field("type", type.name)
            object.field("user_id", userID)
            object.field("item_id", itemID)
            object.field("timestamp", time)
            object.field("value", raw: writtenValue())
            object.field("currency", currency)
            object.field("quantity", quantity != 1 || priceMicros != nil ? quantity : nil)
            object.field("session_id", sessionID)
            object.field("request_id", requestID)
            object.field("slot", slot)
            object.field("model_version", modelVersion)
            object.field("context", raw: context)
        }
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
        JSONWriter.object { object in
            object.field("item_id", itemID)
            object.field("title", title)
            object.field("description", description)
            if !categories.isEmpty { object.field("categories", categories) }
            if !tags.isEmpty { object.field("tags", tags) }
            if let priceMicros, priceMicros >= 0 {
                object.key("price")
                object.micros(priceMicros)
            }
            object.field("currency", currency)
            object.field("attributes", raw: attributes)
            if let embedding, embedding.allSatisfy(\.isFinite) {
                object.key("embedding")
                object.array { array in
                    for number in embedding { array.number(number) }
                }
            }
            object.field("published_at", publishedAt)
            object.field("updated_at", updatedAt)
            if hidden { object.field("hidden", true) }
            object.field("item_group_id", groupID)
            object.field("available_from", availableFrom)
            object.field("available_until", availableUntil)
            object.field("stock", stock)
        }
    }
}

extension UserRecord {
    /// The user as one line of JSON that decodes to an equal value.
    public func json() -> String {
        JSONWriter.object { object in
            object.field("user_id", userID)
            object.field("attributes", raw: attributes)
            if !aliases.isEmpty { object.field("aliases", aliases) }
            object.field("updated_at", updatedAt)
            if let personalised { object.field("personalised", personalised) }
        }
    }
}
