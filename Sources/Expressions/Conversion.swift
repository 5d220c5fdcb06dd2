import Interactions

/// One type made of another: `int()`, `double()`, `timestamp()` and the like.
enum Conversion {
    static func result(_ value: ExpressionValue, _ function: Function) -> Result<ExpressionValue, EvaluationFailure> {
        do throws(EvaluationFailure) {
            return .success(try convert(value, to: function))
        } catch {
            return .failure(error)
        }
    }

    private static func convert(_ value: ExpressionValue, to function: Function) throws(EvaluationFailure) -> ExpressionValue {
        switch function {
        case .int: return .int(try int(value))
        case .uint: return .uint(try uint(value))
        case .double: return .double(try double(value))
        case .string: return .string(try string(value))
        case .timestamp: return try timestamp(value)
        case .duration: return try duration(value)
        default: return value
        }
    }

    private static func wrong(_ value: ExpressionValue, _ name: String) -> EvaluationFailure {
        .wrongType("\(name)() takes no \(value.typeName)")
    }

    private static func shown(_ text: String) -> String { "'\(text.prefix(40))'" }

    private static func int(_ value: ExpressionValue) throws(EvaluationFailure) -> Int64 {
        switch value {
        case .int(let value): return value
        case .uint(let value):
            guard let whole = Int64(exactly: value) else { throw .outOfRange("int(\(value)u)") }
            return whole
        case .double(let value):
            guard let whole = Int64(exactly: value.rounded(.towardZero)) else { throw .outOfRange("int(\(value))") }
            return whole
        case .string(let text):
            guard let whole = Int64(text) else { throw .unreadable("\(shown(text)) is no int") }
            return whole
        case .timestamp(let time): return Calendar.quotient(time, 1_000)
        default: throw wrong(value, "int")
        }
    }

    private static func uint(_ value: ExpressionValue) throws(EvaluationFailure) -> UInt64 {
        switch value {
        case .uint(let value): return value
        case .int(let value):
            guard let whole = UInt64(exactly: value) else { throw .outOfRange("uint(\(value))") }
            return whole
        case .double(let value):
            guard value >= 0, let whole = UInt64(exactly: value.rounded(.towardZero)) else { throw .outOfRange("uint(\(value))") }
            return whole
        case .string(let text):
            guard let whole = UInt64(text) else { throw .unreadable("\(shown(text)) is no uint") }
            return whole
        default: throw wrong(value, "uint")
        }
    }

    private static func double(_ value: ExpressionValue) throws(EvaluationFailure) -> Double {
        switch value {
        case .double(let value): return value
        case .int(let value): return Double(value)
        case .uint(let value): return Double(value)
        case .string(let text):
            // Swift reads more than decimal numbers, such as hexadecimal ones.
            guard text.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }), let value = Double(text) else {
                throw .unreadable("\(shown(text)) is no double")
            }
            return value
        default: throw wrong(value, "double")
        }
    }

    private static func string(_ value: ExpressionValue) throws(EvaluationFailure) -> String {
        switch value {
        case .string(let text): return text
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return "\(value)"
        case .uint(let value): return "\(value)"
        case .double(let value):
            let text = value.description
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        case .timestamp(let time):
            let text = EventTime(milliseconds: time).rfc3339()
            return text.hasSuffix(".000Z") ? text.dropLast(5) + "Z" : text
        case .duration(let span): return Calendar.text(duration: span)
        default: throw wrong(value, "string")
        }
    }

    private static func timestamp(_ value: ExpressionValue) throws(EvaluationFailure) -> ExpressionValue {
        switch value {
        case .timestamp: return value
        case .int(let seconds):
            let (time, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
            guard !overflow else { throw .outOfRange("timestamp(\(seconds))") }
            return try Calendar.timestamp(time)
        case .string(let text):
            guard let time = EventTime(rfc3339: text) else {
                throw .unreadable("\(shown(text)) is no time; write it as 2026-01-31T08:00:00Z")
            }
            return .timestamp(time.milliseconds)
        default: throw wrong(value, "timestamp")
        }
    }

    private static func duration(_ value: ExpressionValue) throws(EvaluationFailure) -> ExpressionValue {
        switch value {
        case .duration: return value
        case .string(let text):
            guard let span = Calendar.duration(text: text) else {
                throw .unreadable("\(shown(text)) is no duration; write it as 90s, 1h30m or 250ms")
            }
            return try Calendar.duration(span)
        default: throw wrong(value, "duration")
        }
    }
}
