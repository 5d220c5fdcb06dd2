import Bytes

/// Writes what was found at the paths of a mapping as one of Freshet's own records.
final class FieldWriter {
    /// What the id of a line's event ends with.
    enum LineID {
        case none
        case place(Int)
        case token(JSONToken)
    }

    let texts = TextStore()
    let plans: [FieldPlan]
    /// Members of `context` or `attributes`.
    let members: [FieldPlan]
    private let steps: [FieldStep]
    private let memberSteps: [FieldStep]
    private let objectOpening: FixedText
    private let currency: FieldPlan?
    private let rules: DecodingRules
    private let tokens: UnsafeMutablePointer<JSONToken>

    /// - Parameter tokens: what was found by its place; the mapper's.
    init(
        _ mapping: TopicMapping, rules: DecodingRules, tokens: UnsafeMutablePointer<JSONToken>, token: (RecordPath) -> Int,
        isOfRecord: (RecordPath) -> Bool
    ) {
        self.rules = rules
        self.tokens = tokens
        let texts = texts, hasLines = mapping.each != nil, isTyped = mapping.format != .json, beginning = mapping.kind.object + "."
        plans = mapping.kind.fields.compactMap { field in
            mapping.fields[field.name].map {
                FieldPlan(field.name, $0, takes: field.takes, isTyped: isTyped, texts: texts, token: token, isOfRecord: isOfRecord)
            }
        }
        members = mapping.fields.filter { $0.key.hasPrefix(beginning) }.sorted { $0.key < $1.key }.map {
            let name = String($0.key.dropFirst(beginning.count))
            return FieldPlan(name, $0.value, takes: .other, isTyped: isTyped, texts: texts, token: token, isOfRecord: isOfRecord)
        }
        steps = plans.map { FieldStep($0, hasLines: hasLines) }
        memberSteps = members.map { FieldStep($0, hasLines: false) }
        objectOpening = texts.keep((JSONText.quoted(mapping.kind.object) + ":").utf8)
        currency = plans.first { $0.name == "currency" }
    }

    /// Writes a record anew.
    func write(_ reader: FieldReader, _ line: LineID, to output: inout RecordBuffer) throws(Rejection) {
        output.clear()
        output.append(UInt8(ascii: "{"))
        for index in steps.indices { try field(steps[index], index, plans, reader, line, &output, after: 0) }
        if !memberSteps.isEmpty { try object(reader, &output) }
        output.append(UInt8(ascii: "}"))
    }

    /// Writes one of ``plans``.
    func single(_ index: Int, _ reader: FieldReader, _ output: inout RecordBuffer) throws(Rejection) {
        try field(steps[index], index, plans, reader, .none, &output, after: 0)
    }

    private func object(_ reader: FieldReader, _ output: inout RecordBuffer) throws(Rejection) {
        let before = output.count
        if before > 1 { output.append(UInt8(ascii: ",")) }
        output.append(objectOpening)
        let opening = output.count
        output.append(UInt8(ascii: "{"))
        for index in memberSteps.indices { try field(memberSteps[index], index, members, reader, .none, &output, after: opening) }
        guard output.count > opening + 1 else { return output.cut(to: before) }
        output.append(UInt8(ascii: "}"))
    }

    /// Writes a field, or nothing where there is neither a value nor one instead.
    ///
    /// - Parameter opening: where the brace stands behind which no comma is wanted.
    @inline(__always)
    private func field(
        _ step: FieldStep, _ index: Int, _ plans: [FieldPlan], _ reader: FieldReader, _ line: LineID, _ output: inout RecordBuffer,
        after opening: Int
    ) throws(Rejection) {
        let token = step.token < 0 ? JSONToken() : tokens[step.token]
        let isThere = token.isPresent && token.count > 0
        guard isThere || step.hasMore else { return }
        let before = output.count
        if before > opening &+ 1 { output.append(UInt8(ascii: ",")) }
        output.append(step.opening)
        if isThere, step.isCopied { return Self.copy(token, reader, &output) }
        try unusual(plans[index], reader, line, &output, before)
    }

    /// A field that is converted, or whose first path has no value.
    @inline(never)
    private func unusual(
        _ plan: FieldPlan, _ reader: FieldReader, _ line: LineID, _ output: inout RecordBuffer, _ before: Int
    ) throws(Rejection) {
        guard let token = value(plan) else {
            guard let json = plan.otherwise else { return output.cut(to: before) }
            return output.append(json)
        }
        if plan.isEventID {
            switch line {
            case .none: break
            case .place(let place): return try lineEvent(plan, token, String(place), reader, &output)
            case .token(let own): return try lineEvent(plan, token, try ownID(own, reader), reader, &output)
            }
        }
        guard !plan.isPlain else { return Self.copy(token, reader, &output) }
        if let words = plan.words { return try word(plan, words, token, reader, &output) }
        let text = reader.slice(token)
        switch plan.takes {
        case .id: prefixed(plan, token, reader, &output)
        case .time: try time(plan, token, reader, &output)
        case .money where plan.isInMinorUnits: try minorUnits(plan, token, reader, &output)
        case .money where plan.scale != nil, .number where plan.scale != nil: try decimal(plan, token, reader, &output)
        case .money, .number:
            if token.kind == .string, JSONNumber.isWritten(text) { output.append(text) } else { Self.copy(token, reader, &output) }
        case .boolean:
            let isWord = text.elementsEqual("true".utf8) || text.elementsEqual("false".utf8)
            if token.kind == .string, isWord { output.append(text) } else { Self.copy(token, reader, &output) }
        case .word, .object, .other: Self.copy(token, reader, &output)
        }
    }

    /// The first value of a field's paths.
    func value(_ plan: FieldPlan) -> JSONToken? {
        for place in plan.places {
            let token = tokens[place.token]
            if token.isPresent, token.count > 0 { return token }
        }
        return nil
    }

    /// The value as it stands.
    @inline(__always)
    private static func copy(_ token: JSONToken, _ reader: FieldReader, _ output: inout RecordBuffer) {
        guard let base = reader.bytes.baseAddress else { return }
        let quote = token.kind == .string ? 1 : 0
        output.append(base + (token.start &- quote), token.count &+ 2 &* quote)
    }

    // MARK: Ids

    /// The id of a line's event: that of its record, and the line's.
    private func lineEvent(
        _ plan: FieldPlan, _ token: JSONToken, _ own: String, _ reader: FieldReader, _ output: inout RecordBuffer
    ) throws(Rejection) {
        guard let text = try plainID(token, reader, plan.name) else { return Self.copy(token, reader, &output) }
        output.append(JSONText.quoted(rules.composedID("\(plan.plainPrefix)\(text)/\(own)")))
    }

    private func ownID(_ token: JSONToken, _ reader: FieldReader) throws(Rejection) -> String {
        guard token.isPresent, token.count > 0, let text = try plainID(token, reader, "each.id") else {
            throw Rejection(.missingField, field: "event_id", "the line has no id of its own, which each.id names")
        }
        return text
    }

    /// An id as text; nil of what is none, which the decoder refuses.
    private func plainID(_ token: JSONToken, _ reader: FieldReader, _ field: String) throws(Rejection) -> String? {
        switch token.kind {
        case .string: try reader.string(token, .id, field)
        case .number: FieldReader.wholeNumber(reader.slice(token))
        default: nil
        }
    }

    private func prefixed(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader, _ output: inout RecordBuffer) {
        let text = reader.slice(token), whole = token.kind == .number ? FieldReader.wholeNumber(text) : nil
        guard token.kind == .string || whole != nil else { return Self.copy(token, reader, &output) }
        output.append(UInt8(ascii: "\""))
        output.append(plan.prefix)
        if let whole { output.append(whole) } else { output.append(text) }
        output.append(UInt8(ascii: "\""))
    }

    // MARK: Words, times, amounts

    private func word(
        _ plan: FieldPlan, _ words: [FieldPlan.Word], _ token: JSONToken, _ reader: FieldReader, _ output: inout RecordBuffer
    ) throws(Rejection) {
        for word in words where word.text.isEqual(token, reader.bytes) { return output.append(word.json) }
        let shown = JSONText.scalar(token, reader.bytes).map { JSONText.quoted(String($0.prefix(64))) } ?? token.kind.name
        throw Rejection(
            plan.name == "type" ? .unknownType : .outOfRange, field: plan.name,
            "\(shown) is not one of \(words.prefix(20).map(\.text.text).joined(separator: ", ")), which the mapping knows\(plan.origin)")
    }

    private func time(_ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader, _ output: inout RecordBuffer) throws(Rejection) {
        let text = reader.slice(token)
        if plan.isTyped, let time = try typedTime(plan, token, reader) { return output.append(number: time.milliseconds) }
        if let unit = plan.unit, unit != .rfc3339 {
            guard token.kind == .number || token.kind == .string && JSONNumber.isWritten(text),
                let milliseconds = JSONNumber.scaled(text, unit)
            else { throw refusal(plan, token, "must be a number of \(unit.rawValue) since 1970 (unit)") }
            guard (EventTime.earliestWritable...EventTime.latestWritable).contains(EventTime(milliseconds: milliseconds)) else {
                throw Rejection(
                    .outOfRange, field: plan.name,
                    "\(String(decoding: text, as: UTF8.self)) \(unit.rawValue) since 1970 is outside the years 0000 to 9999: is the unit "
                        + "another one?\(plan.origin)")
            }
            return output.append(number: milliseconds)
        }
        guard token.kind == .string else {
            guard plan.unit == nil else { throw refusal(plan, token, "must be RFC 3339 text (unit)") }
            return Self.copy(token, reader, &output)
        }
        guard let zone = plan.zone else { return Self.copy(token, reader, &output) }
        guard let time = zone.time(of: try reader.string(token, .id, plan.name)) else {
            throw Rejection(
                .wrongType, field: plan.name,
                "is no date with a time of day, such as 2026-11-21T08:00:00, and no RFC 3339 time either\(plan.origin)")
        }
        output.append(number: time.milliseconds)
    }

    private func refusal(_ plan: FieldPlan, _ token: JSONToken, _ wanted: String) -> Rejection {
        Rejection(.wrongType, field: plan.name, "is \(token.kind.name); it \(wanted)\(plan.origin)")
    }

    /// An amount of cents as one of the currency.
    private func minorUnits(
        _ plan: FieldPlan, _ token: JSONToken, _ reader: FieldReader, _ output: inout RecordBuffer
    ) throws(Rejection) {
        let text = reader.slice(token)
        guard token.kind == .number || token.kind == .string && JSONNumber.isWritten(text), let whole = JSONNumber.whole(text) else {
            throw refusal(plan, token, "must be a whole number of the currency's minor units (minor_units)")
        }
        let digits = Currency.minorUnitDigits(currencyCode(reader))
        if whole < 0 { output.append(UInt8(ascii: "-")) }
        output.append(ExactDecimal.text(units: UInt128(whole.magnitude), digits: digits))
    }

    /// The currency that the record will have; one that is none is refused by the decoder.
    private func currencyCode(_ reader: FieldReader) -> String {
        var found: UnsafeBufferPointer<UInt8>?
        if let currency, let token = value(currency), currency.words == nil {
            found = reader.slice(token)
        } else if let currency, let token = value(currency) {
            // JSON text in quotes, as a default is.
            found = currency.words?.first { $0.text.isEqual(token, reader.bytes) }.map { Self.unquoted($0.json) }
        } else if let json = currency?.otherwise {
            found = Self.unquoted(json)
        }
        return found.flatMap { Currency.normalized($0) } ?? rules.defaultCurrency
    }

    private static func unquoted(_ json: FixedText) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: json.bytesOfText.dropFirst().dropLast())
    }
}
