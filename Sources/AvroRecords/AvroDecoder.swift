import Interactions

/// Turns Avro's binary encoding into JSON text that the paths of a mapping read.
///
/// Unions are the value alone, enums their symbol, bytes base64; decimals are numbers with every digit, days and times texts, and what is
/// no finite number is a text (`"nan"`). It never traps, whatever the bytes; what it makes is bounded, whatever they claim.
public struct AvroDecoder: Sendable {
    /// The deepest nesting of records, arrays, maps and unions.
    public static let depthLimit = 64

    private let maxTextBytes: Int

    /// A decoder.
    ///
    /// - Parameter maxTextBytes: the longest JSON text that is made, in bytes.
    public init(maxTextBytes: Int) { self.maxTextBytes = maxTextBytes }

    /// The value that bytes hold, as JSON.
    ///
    /// - Parameter bytes: one value and nothing behind it; borrowed for the call. That its texts are UTF-8 is for whoever reads the JSON.
    /// - Throws: ``AvroProblem`` that says what is wrong and at which byte.
    /// - Complexity: O(bytes + text).
    public func json(_ bytes: UnsafeRawBufferPointer, by schema: AvroSchema) throws(AvroProblem) -> [UInt8] {
        var reading = Reading(input: AvroInput(bytes), schema: schema, maxTextBytes: maxTextBytes)
        reading.output.reserveCapacity(min(maxTextBytes, bytes.count * 4 + 64))
        try reading.value(0, depth: 0)
        guard reading.input.isAtEnd else {
            throw reading.input.problem("the value ends and \(reading.input.left) bytes follow: the schema is another one")
        }
        return reading.output
    }

    /// One value being read.
    private struct Reading {
        var input: AvroInput
        let schema: AvroSchema
        let maxTextBytes: Int
        var output: [UInt8] = []

        mutating func value(_ type: Int, depth: Int) throws(AvroProblem) {
            let node = schema.types[type]
            guard output.count <= maxTextBytes else { throw tooLong }
            switch node.shape {
            case .null: output += "null".utf8
            case .boolean: try boolean()
            case .int: node.meaning.append(number: Int64(try input.int()), to: &output)
            case .long: node.meaning.append(number: try input.long(), to: &output)
            case .float:
                let value = try input.float()
                number("\(value)", isFinite: value.isFinite)
            case .double:
                let value = try input.double()
                number("\(value)", isFinite: value.isFinite)
            case .bytes: try binary(try input.sized(), node)
            case .string: string(try input.sized(), node)
            case .fixed(let size): try binary(try input.take(size), node)
            case .enumeration(let symbols):
                let number = try input.int()
                guard number >= 0, Int(number) < symbols.count else {
                    throw input.problem("an enum has the symbol \(number) of \(symbols.count)")
                }
                output += schema.symbols[symbols.lowerBound + Int(number)]
            case .union(let branches):
                let number = try input.long()
                guard number >= 0, number < Int64(branches.count) else {
                    throw input.problem("a union has the branch \(number) of \(branches.count)")
                }
                try value(schema.branches[branches.lowerBound + Int(number)], depth: try deeper(depth))
            case .record(let fields): try record(fields, node, depth: try deeper(depth))
            case .array(let type): try blocks("[", "]", depth: try deeper(depth), type) { _ throws(AvroProblem) in }
            case .map(let type):
                try blocks("{", "}", depth: try deeper(depth), type) { reading throws(AvroProblem) in
                    TypedText.append(quoted: try reading.input.sized(), to: &reading.output)
                    reading.output.append(UInt8(ascii: ":"))
                }
            }
        }

        private func deeper(_ depth: Int) throws(AvroProblem) -> Int {
            guard depth < AvroDecoder.depthLimit else {
                throw AvroProblem(code: .tooLarge, detail: "is nested more than \(AvroDecoder.depthLimit) deep")
            }
            return depth + 1
        }

        private var tooLong: AvroProblem { AvroProblem(code: .tooLarge, detail: "is more than \(maxTextBytes) bytes as JSON") }

        private mutating func boolean() throws(AvroProblem) {
            switch try input.byte() {
            case 0: output += "false".utf8
            case 1: output += "true".utf8
            case let other: throw input.problem("a boolean is \(other), and neither 0 nor 1")
            }
        }

        /// The shortest text that reads back as the same number.
        private mutating func number(_ text: String, isFinite: Bool) {
            if isFinite { output += text.utf8 } else { output += "\"\(text)\"".utf8 }
        }

        private mutating func string(_ text: UnsafeRawBufferPointer, _ node: AvroSchema.TypeNode) {
            if node.meaning == .json { TypedText.append(json: text, to: &output) } else { TypedText.append(quoted: text, to: &output) }
        }

        private mutating func binary(_ bytes: UnsafeRawBufferPointer, _ node: AvroSchema.TypeNode) throws(AvroProblem) {
            if case .decimal(let scale) = node.meaning {
                guard TypedText.append(decimal: bytes, scale: scale, to: &output) else {
                    throw input.problem("a decimal has \(bytes.count) bytes; at most \(TypedText.decimalBytesLimit) are read")
                }
                return
            }
            guard !node.isUUID else { return uuid(bytes) }
            guard bytes.count <= maxTextBytes else { throw tooLong }
            TypedText.append(base64: bytes, to: &output)
        }

        private mutating func uuid(_ bytes: UnsafeRawBufferPointer) {
            let digits: StaticString = "0123456789abcdef"
            output.append(UInt8(ascii: "\""))
            for (index, byte) in bytes.enumerated() {
                if [4, 6, 8, 10].contains(index) { output.append(UInt8(ascii: "-")) }
                output.append(digits.utf8Start[Int(byte >> 4)])
                output.append(digits.utf8Start[Int(byte & 15)])
            }
            output.append(UInt8(ascii: "\""))
        }

        private mutating func record(_ fields: Range<Int>, _ node: AvroSchema.TypeNode, depth: Int) throws(AvroProblem) {
            if node.meaning == .variableDecimal, try variableDecimal(fields) { return }
            output.append(UInt8(ascii: "{"))
            for index in fields {
                if index > fields.lowerBound { output.append(UInt8(ascii: ",")) }
                output += schema.fields[index].opening
                try value(schema.fields[index].type, depth: depth)
            }
            output.append(UInt8(ascii: "}"))
        }

        /// A scale and bytes, as Debezium writes decimals of any scale; false where the record has other fields.
        private mutating func variableDecimal(_ fields: Range<Int>) throws(AvroProblem) -> Bool {
            guard fields.count == 2, case .int = schema.types[schema.fields[fields.lowerBound].type].shape,
                case .bytes = schema.types[schema.fields[fields.lowerBound + 1].type].shape
            else { return false }
            let scale = Int(try input.int()), whole = try input.sized()
            guard TypedText.append(decimal: whole, scale: scale, to: &output) else {
                throw input.problem("a decimal has \(whole.count) bytes and the scale \(scale), which is more than is read")
            }
            return true
        }

        /// Blocks of values until an empty one. A negative count has the block's bytes behind it, which nobody needs here.
        private mutating func blocks(
            _ open: Unicode.Scalar, _ close: Unicode.Scalar, depth: Int, _ type: Int,
            _ before: (inout Reading) throws(AvroProblem) -> Void
        ) throws(AvroProblem) {
            output.append(UInt8(ascii: open))
            var isFirst = true
            while true {
                var count = try input.long()
                guard count != 0 else { break }
                if count < 0 {
                    let size = try input.long()
                    guard count > .min, size >= 0, size <= Int64(input.left) else {
                        throw input.problem("a block has \(size) bytes, and \(input.left) are left")
                    }
                    count = -count
                }
                while count > 0 {
                    // Values of no bytes, such as nulls, end here at the latest.
                    guard output.count <= maxTextBytes else { throw tooLong }
                    if !isFirst { output.append(UInt8(ascii: ",")) }
                    isFirst = false
                    try before(&self)
                    try value(type, depth: depth)
                    count -= 1
                }
            }
            output.append(UInt8(ascii: close))
        }
    }
}
