import Bytes

/// Fields of records whose schema says what bytes and numbers mean, and of those whose schema went missing.
extension FieldWriter {
    private static let utc = LocalZone(name: "UTC", periods: [LocalZone.Period(start: EventTime(milliseconds: 0), offsetSeconds: 0)])

    /// A time that stands as a text, whatever the mapping says of numbers: by its own offset, else by the mapping's zone, else as UTC.
    ///
    /// - Returns: nil of what is no such text.
    func typedTime(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader) throws(Rejection) -> EventTime? {
        guard token.kind == .string, !JSONNumber.isWritten(reader.slice(token)) else { return nil }
        return (plan.zone ?? Self.utc).time(of: try reader.string(token, .id, plan.name))
    }

    /// A number that stands as the base64 of its bytes, `scale` digits of it behind the point; what is a number already stays one.
    func decimal(
        _ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader, _ output: inout RecordBuffer
    ) throws(Rejection) {
        let text = reader.slice(token)
        guard token.kind == .string, let scale = plan.scale else { return output.append(text) }
        var digits: [UInt8] = []
        guard let whole = Base64.bytes(of: text), TypedText.append(decimal: whole, scale: scale, to: &digits) else {
            throw Rejection(
                .wrongType, field: plan.name,
                "is a string; it must be the base64 of at most \(TypedText.decimalBytesLimit) bytes, which are a whole number (scale)"
                    + plan.origin)
        }
        digits.withUnsafeBufferPointer { output.append($0) }
    }

    /// Writes some fields alone, as a record that has nothing else.
    func writeAlone(_ names: [String], _ reader: FieldReader, to output: inout RecordBuffer) throws(Rejection) {
        output.clear()
        output.append(UInt8(ascii: "{"))
        for name in names {
            if let index = plans.firstIndex(where: { $0.name == name }) { try single(index, reader, &output) }
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Why a record cannot be taken whose database did not send a value that the mapping reads; nil where it sent all of them.
    func unavailable(_ reader: FieldReader) -> Rejection? {
        for plan in plans + members {
            guard let token = value(plan), ChangeReader.mayHoldPlaceholder(reader.slice(token)) else { continue }
            return Rejection(
                .missingField, field: plan.name,
                "was not sent by the database, since the change did not touch it (\(ChangeReader.placeholder)), so that the record would "
                    + "lose it: let the table send whole rows (ALTER TABLE … REPLICA IDENTITY FULL)\(plan.origin)")
        }
        return nil
    }
}
