import FuzzInputs

/// A type of Avro with values of it, drawn at random: the schema as JSON, and values in both encodings.
indirect enum AvroShape {
    case null, boolean, int, long, float, double, bytes, string
    case decimal(scale: Int)
    case date
    case timestampMicros
    case localMillis
    case fixed(name: String, size: Int)
    case enumeration(name: String, [String])
    case array(AvroShape)
    case map(AvroShape)
    case union([AvroShape])
    case record(name: String, [(name: String, shape: AvroShape)])
    /// A type that was defined before.
    case reference(name: String, AvroShape)

    /// The schema as JSON.
    var schema: String {
        switch self {
        case .null: #""null""#
        case .boolean: #""boolean""#
        case .int: #"{"type":"int"}"#
        case .long: #""long""#
        case .float: #""float""#
        case .double: #""double""#
        case .bytes: #""bytes""#
        case .string: #"{"type":"string","avro.java.string":"String"}"#
        case .decimal(let scale): #"{"type":"bytes","logicalType":"decimal","precision":18,"scale":\#(scale)}"#
        case .date: #"{"type":"int","logicalType":"date"}"#
        case .timestampMicros: #"{"type":"long","logicalType":"timestamp-micros"}"#
        case .localMillis: #"{"type":"long","logicalType":"local-timestamp-millis"}"#
        case .fixed(let name, let size): #"{"type":"fixed","name":"\#(name)","size":\#(size)}"#
        case .enumeration(let name, let symbols):
            #"{"type":"enum","name":"\#(name)","symbols":[\#(symbols.map { "\"\($0)\"" }.joined(separator: ","))]}"#
        case .array(let items): #"{"type":"array","items":\#(items.schema)}"#
        case .map(let values): #"{"type":"map","values":\#(values.schema)}"#
        case .union(let branches): "[\(branches.map(\.schema).joined(separator: ","))]"
        case .record(let name, let fields):
            #"{"type":"record","name":"\#(name)","namespace":"test.shop","fields":["#
                + fields.map { #"{"name":"\#($0.name)","type":\#($0.shape.schema)}"# }.joined(separator: ",") + "]}"
        case .reference(let name, _): "\"\(name)\""
        }
    }

    /// Draws a value, writes it to the encoder, and gives it as JSON.
    func draw(_ source: inout FuzzSource, _ encoder: inout AvroEncoder) -> String {
        switch self {
        case .null: return "null"
        case .boolean:
            let flag = source.once(in: 2)
            encoder.raw([flag ? 1 : 0])
            return "\(flag)"
        case .int:
            let value = Int32(truncatingIfNeeded: source.next() >> UInt64(source.below(60)))
            encoder.long(Int64(value))
            return "\(value)"
        case .long:
            let value = Int64(bitPattern: source.next()) >> Int64(source.below(63))
            encoder.long(value)
            return "\(value)"
        case .float:
            let value = Float(Int32(truncatingIfNeeded: source.next())) / 512
            encoder.float(value)
            return "\(value)"
        case .double:
            let value = Double(Int32(truncatingIfNeeded: source.next())) / 512
            encoder.double(value)
            return "\(value)"
        case .bytes:
            encoder.sized([0xFF, 0xE0])
            return #""/+A=""#
        case .string:
            let (text, json) = source.pick([("", ""), ("a", "a"), ("ü\"\\", #"ü\"\\"#), ("\n😀", "\\u000a😀")])
            encoder.string(text)
            return "\"\(json)\""
        case .decimal(let scale): return decimal(scale, &source, &encoder)
        case .date:
            encoder.long(20_778)
            return #""2026-11-21""#
        case .timestampMicros:
            let fraction = source.below(1_000_000)
            encoder.long(1_795_248_000_000_000 + Int64(fraction))
            let digits = String(String(fraction + 1_000_000).dropFirst())
            return fraction == 0 ? #""2026-11-21T08:00:00Z""# : #""2026-11-21T08:00:00.\#(digits)Z""#
        case .localMillis:
            encoder.long(-1)
            return #""1969-12-31T23:59:59.999""#
        case .fixed(_, let size):
            encoder.raw([UInt8](repeating: 0, count: size))
            return "\"\(size == 3 ? "AAAA" : "")\""
        case .enumeration(_, let symbols):
            let number = source.below(symbols.count)
            encoder.long(Int64(number))
            return "\"\(symbols[number])\""
        case .union(let branches):
            let number = source.below(branches.count)
            encoder.long(Int64(number))
            return branches[number].draw(&source, &encoder)
        case .record(_, let fields):
            return "{\(fields.map { "\"\($0.name)\":\($0.shape.draw(&source, &encoder))" }.joined(separator: ","))}"
        case .reference(_, let shape): return shape.draw(&source, &encoder)
        case .array(let items): return "[\(blocks(&source, &encoder) { items.draw(&$0, &$1) })]"
        case .map(let values):
            return "{" + blocks(&source, &encoder) { source, encoder in
                encoder.string("k")
                return "\"k\":\(values.draw(&source, &encoder))"
            } + "}"
        }
    }

    private func decimal(_ scale: Int, _ source: inout FuzzSource, _ encoder: inout AvroEncoder) -> String {
        let value = Int64(bitPattern: source.next()) >> Int64(source.below(63))
        var bytes = AvroEncoder.whole(value)
        // Longer than it must be.
        if source.once(in: 4) { bytes = [UInt8](repeating: value < 0 ? 0xFF : 0, count: source.below(12)) + bytes }
        encoder.sized(bytes)
        var digits = "\(value.magnitude)"
        if digits.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.count) + digits }
        let text = scale == 0 ? digits : "\(digits.dropLast(scale)).\(digits.suffix(scale))"
        return value < 0 ? "-\(text)" : text
    }

    /// One or two blocks, the first of them now and then with a negative count and its bytes.
    private func blocks(
        _ source: inout FuzzSource, _ encoder: inout AvroEncoder, _ one: (inout FuzzSource, inout AvroEncoder) -> String
    ) -> String {
        var texts: [String] = []
        for _ in 0..<source.below(3) {
            let count = 1 + source.below(3)
            var inner = AvroEncoder()
            for _ in 0..<count { texts.append(one(&source, &inner)) }
            if source.once(in: 2) {
                encoder.long(-Int64(count))
                encoder.long(Int64(inner.bytes.count))
            } else {
                encoder.long(Int64(count))
            }
            encoder.raw(inner.bytes)
        }
        encoder.long(0)
        return texts.joined(separator: ",")
    }

    /// A record of up to so many levels, whose names are its own.
    static func any(_ source: inout FuzzSource, depth: Int, _ names: inout Int) -> AvroShape {
        names += 1
        let plain: [AvroShape] = [
            .null, .boolean, .int, .long, .float, .double, .bytes, .string, .decimal(scale: source.below(12)), .date, .timestampMicros,
            .localMillis, .fixed(name: "F\(names)", size: source.pick([0, 3])), .enumeration(name: "E\(names)", ["A", "B", "C"]),
        ]
        guard depth > 0 else { return source.pick(plain) }
        switch source.below(8) {
        case 0: return .array(any(&source, depth: depth - 1, &names))
        case 1: return .map(any(&source, depth: depth - 1, &names))
        case 2, 3: return .union([.null, source.pick([.long, .string, .decimal(scale: 2), .timestampMicros])])
        case 4, 5:
            let name = "R\(names)"
            var fields: [(name: String, shape: AvroShape)] = []
            for index in 0..<source.below(5) { fields.append(("f\(index)", any(&source, depth: depth - 1, &names))) }
            let named = fields.compactMap { field -> AvroShape? in
                if case .enumeration(let name, _) = field.shape { .reference(name: name, field.shape) } else { nil }
            }
            if let again = named.first { fields.append(("again", again)) }
            return .record(name: name, fields)
        default: return source.pick(plain)
        }
    }
}
