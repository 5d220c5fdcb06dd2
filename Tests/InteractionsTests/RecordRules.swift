import Foundation
import Interactions

/// What must hold of every record that the decoder accepts: the rules of the schemas, said once more, and slowly.
struct RecordRules {
    let rules: DecodingRules
    let now: EventTime

    /// What does not hold, or nil.
    func fault(in interaction: Interaction) -> String? {
        if let fault = fault(ofID: interaction.eventID, "event_id") ?? fault(ofUser: interaction.userID, "user_id")
            ?? fault(ofID: interaction.itemID, "item_id") ?? fault(ofOptionalID: interaction.sessionID, "session_id")
            ?? fault(ofOptionalID: interaction.requestID, "request_id") ?? fault(ofCurrency: interaction.currency)
        {
            return fault
        }
        let latest = now.milliseconds + rules.maxFutureSkewMilliseconds
        guard interaction.time >= rules.earliestTime, interaction.time.milliseconds <= latest else { return "its time is out of bounds" }
        guard interaction.quantity >= 1, interaction.slot ?? 0 >= 0, interaction.modelVersion ?? 0 >= 0 else {
            return "a count is negative"
        }
        guard interaction.priceMicros ?? 0 >= 0, interaction.amountMinor ?? 0 >= 0 else { return "money is negative" }
        guard (interaction.priceMicros == nil) == (interaction.amountMinor == nil) else { return "it has a price or an amount alone" }
        guard interaction.priceMicros == nil || interaction.currency != nil else { return "its price has no currency" }
        guard interaction.payloadHash == interaction.contentHash() else { return "its hash is another" }
        return interaction.context.flatMap { fault(ofObject: $0, "context") }
    }

    /// What does not hold, or nil.
    func fault(in item: ItemRecord) -> String? {
        if let fault = fault(ofID: item.itemID, "item_id") ?? fault(ofText: item.title, "title")
            ?? fault(ofText: item.description, "description") ?? fault(ofLabels: item.categories, "categories")
            ?? fault(ofLabels: item.tags, "tags") ?? fault(ofCurrency: item.currency) ?? fault(ofTime: item.publishedAt, "published_at")
            ?? fault(ofUpdate: item.updatedAt) ?? item.attributes.flatMap({ fault(ofObject: $0, "attributes") })
        {
            return fault
        }
        guard item.priceMicros ?? 0 >= 0, item.priceMicros == nil || item.currency != nil else {
            return "its price is negative or has no currency"
        }
        guard item.embedding?.allSatisfy(\.isFinite) ?? true, item.embedding?.count ?? 1 > 0 else { return "its embedding is no vector" }
        return nil
    }

    /// What does not hold, or nil.
    func fault(in user: UserRecord) -> String? {
        if let fault = fault(ofUser: user.userID, "user_id") ?? fault(ofUpdate: user.updatedAt)
            ?? user.attributes.flatMap({ fault(ofObject: $0, "attributes") })
        {
            return fault
        }
        guard user.aliases.count <= rules.maxTags, Set(user.aliases).count == user.aliases.count, !user.aliases.contains(user.userID) else {
            return "its aliases repeat"
        }
        for alias in user.aliases { if let fault = fault(ofUser: alias, "aliases") { return fault } }
        return nil
    }

    /// A reason must be a sentence that the database and a log line can hold.
    func fault(in rejection: Rejection) -> String? {
        for text in [rejection.detail, rejection.field ?? ""] {
            guard text.utf8.count <= 2_048 else { return "the reason \(rejection.code) has \(text.utf8.count) bytes" }
            guard !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
                return "the reason \(rejection.code) holds a control character"
            }
        }
        return rejection.detail.isEmpty ? "the reason \(rejection.code) has no words" : nil
    }

    private func fault(ofOptionalID id: String?, _ field: String) -> String? { id.flatMap { fault(ofID: $0, field) } }

    /// Somebody who is known by a session alone has its id with a prefix.
    private func fault(ofUser id: String, _ field: String) -> String? {
        fault(ofID: id, field, atMost: id.hasPrefix("session:") ? rules.maxIDBytes + 8 : rules.maxIDBytes)
    }

    private func fault(ofID id: String, _ field: String, atMost limit: Int? = nil) -> String? {
        guard !id.isEmpty, id.utf8.count <= limit ?? rules.maxIDBytes else { return "\(field) has \(id.utf8.count) bytes" }
        guard !Self.holdsControl(id) else { return "\(field) holds a control character" }
        return isInForm(id) ? nil : "\(field) is not in form \(rules.idForm?.name ?? "")"
    }

    private func fault(ofText text: String?, _ field: String) -> String? {
        guard let text else { return nil }
        guard !text.isEmpty, text.utf8.count <= rules.maxTextBytes else { return "\(field) has \(text.utf8.count) bytes" }
        guard !Self.holdsControl(text) else { return "\(field) holds a control character" }
        return isInForm(text) ? nil : "\(field) is not in form \(rules.idForm?.name ?? "")"
    }

    private func fault(ofLabels labels: [String], _ field: String) -> String? {
        guard labels.count <= rules.maxTags, Set(labels).count == labels.count else { return "\(field) repeat" }
        for label in labels {
            guard !label.isEmpty, label.utf8.count <= rules.maxIDBytes, !Self.holdsControl(label), isInForm(label) else {
                return "\(field) hold \(label.debugDescription)"
            }
        }
        return nil
    }

    private func fault(ofCurrency currency: String?) -> String? {
        guard let currency else { return nil }
        return currency.utf8.count == 3 && currency.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            ? nil : "the currency is \(currency)"
    }

    private func fault(ofTime time: EventTime?, _ field: String) -> String? {
        guard let time else { return nil }
        // The years 0000 to 9999.
        return (-62_167_219_200_000...253_402_300_799_999).contains(time.milliseconds) ? nil : "\(field) is \(time.milliseconds)"
    }

    /// A record of the future would win over every later one.
    private func fault(ofUpdate time: EventTime?) -> String? {
        guard let time, time.milliseconds > now.milliseconds + rules.maxFutureSkewMilliseconds else {
            return fault(ofTime: time, "updated_at")
        }
        return "updated_at is \(time.milliseconds)"
    }

    private func fault(ofObject json: String, _ field: String) -> String? {
        guard json.utf8.count <= rules.maxContextBytes, json.utf8.first == UInt8(ascii: "{"), json.utf8.last == UInt8(ascii: "}") else {
            return "\(field) is \(json.utf8.count) bytes of \(json.prefix(1))"
        }
        // Behind an escape a mark stands on the escape's letter, which is not the letter that it stands for.
        guard json.utf8.contains(UInt8(ascii: "\\")) || isInForm(json) else { return "\(field) is not in form \(rules.idForm?.name ?? "")" }
        let tokens = JSONText.tokens(ofObject: json)
        guard !tokens.contains(where: { $0.utf8.contains(0) }) else { return "\(field) holds U+0000" }
        return nil
    }

    private func isInForm(_ id: String) -> Bool {
        guard let form = rules.idForm else { return true }
        return form.of(id).utf8.elementsEqual(id.utf8)
    }

    private static func holdsControl(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
    }
}
