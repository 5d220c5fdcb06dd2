/// What a refused record says of itself, for reasons and for whoever must find it again.
extension RecordMapper {
    /// The reason with where the field's value came from.
    public func explained(_ rejection: Rejection) -> Rejection {
        guard let field = rejection.field else { return rejection }
        let name = field.prefix { $0 != "[" && $0 != "." }
        guard let plan = writer.plans.first(where: { $0.name == name }), !rejection.detail.hasSuffix(plan.origin) else { return rejection }
        var rejection = rejection
        rejection.detail += plan.origin
        return rejection
    }

    /// What stands before the ids of the items or users that the topic holds. Keys have ids as records have them, without it. Where
    /// records say themselves of which space their users are, a key alone cannot: it is the whole id, and nothing stands before it.
    public var idPrefix: String {
        let name = kind == .users ? "user_id" : "item_id"
        let prefix = writer.plans.first { $0.name == name }?.plainPrefix ?? ""
        guard kind == .users, let space = writer.plans.first(where: { $0.name == "id_space" }) else { return prefix }
        guard space.places.isEmpty, let name = Self.idSpace(space, nil) else { return "" }
        return DecodingRules.prefix(ofIDSpace: name) + prefix
    }

    /// The space that a value of its field stands for, nil for no value; nil where that is none.
    private static func idSpace(_ plan: FieldPlan, _ value: String?) -> String? {
        func text(_ json: String) -> String? { JSONText.string("v", inObject: "{\"v\":\(json)}") }
        let space = value.map { plan.source.words == nil ? plan.plainPrefix + $0 : plan.source.words?[$0].flatMap(text) }
            ?? plan.source.otherwise.flatMap(text)
        return space.flatMap { DecodingRules.problem(ofIDSpace: $0) == nil ? $0 : nil }
    }

    /// The user whom a record names, for whoever must find what was refused by whom it is about; of several lines the first one's.
    ///
    /// The record may be cut or malformed: then what looks like the members that the path names counts.
    ///
    /// - Returns: bytes as they stand, with the mapping's prefix; nil where none can be read.
    public func user(in bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        for plan in writer.plans where plan.name == "user_id" || plan.name == "session_id" {
            guard let found = text(of: plan, in: bytes) else { continue }
            let space = writer.plans.first { $0.name == "id_space" }.flatMap { Self.idSpace($0, words(of: $0, in: bytes)) }
            let own = plan.name == "session_id" ? DecodingRules.sessionPrefix : space.map(DecodingRules.prefix(ofIDSpace:)) ?? ""
            let prefix = own + plan.plainPrefix
            return Array((Array(prefix.utf8) + found).prefix(NamedID.idBytesLimit))
        }
        return nil
    }

    /// The time that a record of an event names as its own, as far as it can be read; nil where it cannot.
    public func time(in bytes: UnsafeRawBufferPointer) -> EventTime? {
        guard let plan = writer.plans.first(where: { $0.name == "timestamp" }), let found = text(of: plan, in: bytes), found.count < 64
        else { return nil }
        if let unit = plan.unit, unit != .rfc3339 {
            return found.withUnsafeBufferPointer { text in
                JSONNumber.isWritten(text) ? JSONNumber.scaled(text, unit).map { EventTime(milliseconds: $0) } : nil
            }
        }
        let text = String(decoding: found, as: UTF8.self)
        return EventTime(rfc3339: text) ?? plan.zone?.time(of: text) ?? Int64(text).map { EventTime(milliseconds: $0) }
    }

    /// The same as ``text(of:in:)``, as a text of Swift.
    private func words(of plan: FieldPlan, in bytes: UnsafeRawBufferPointer) -> String? {
        text(of: plan, in: bytes).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first value of a field as text.
    private func text(of plan: FieldPlan, in bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        do throws(Rejection) {
            let reader = try readRecord(bytes)
            var found = lines == nil || plan.places.allSatisfy(\.isOfRecord) ? writer.value(plan) : nil
            if found == nil {
                try forEachLine(reader) { _ in
                    found = writer.value(plan)
                    return found == nil
                }
            }
            return found.flatMap { JSONText.scalar($0, reader.bytes) }.map { Array($0.utf8) }
        } catch {
            for place in plan.places {
                let names = (place.isOfRecord ? [] : lines?.path.names ?? []) + place.path.names
                if let found = NamedID.value(along: names, in: bytes) { return found }
            }
            return nil
        }
    }
}
