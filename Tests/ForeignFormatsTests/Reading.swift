import ForeignFormats
import Interactions

/// What the tests of this target share: whole files in pieces of any size, and what came of their rows.
struct Reading {
    /// Records as JSON, in order.
    var records: [String] = []
    /// Refused rows: the line, counted from 1, and why.
    var refused: [(line: Int64, reason: Rejection)] = []
    /// The text of refused rows.
    var texts: [String] = []
    /// The users that refused rows name.
    var users: [String?] = []
    var layout: ForeignLayout?

    /// Reads bytes in pieces of `pieceBytes`.
    init(
        _ bytes: [UInt8], _ format: ForeignFormat = .csv, kind: RecordKind = .events, encoding: ForeignEncoding = .utf8,
        options: ForeignOptions = ForeignOptions(), pieceBytes: Int = .max
    ) throws(ForeignProblem) {
        let reader = ForeignReader(format, kind: kind, encoding: encoding, options: options)
        var start = 0
        while start < bytes.count {
            let end = start + min(pieceBytes, bytes.count - start)
            bytes[start..<end].withUnsafeBytes { reader.feed($0) }
            start = end
            try take(reader)
        }
        reader.finish()
        try take(reader)
        layout = reader.layout
    }

    init(
        _ text: String, _ format: ForeignFormat = .csv, kind: RecordKind = .events, options: ForeignOptions = ForeignOptions(),
        pieceBytes: Int = .max
    ) throws(ForeignProblem) {
        try self.init(Array(text.utf8), format, kind: kind, options: options, pieceBytes: pieceBytes)
    }

    private mutating func take(_ reader: ForeignReader) throws(ForeignProblem) {
        while let row = try reader.next() {
            switch row.outcome {
            case .record(let json): records.append(String(decoding: json, as: UTF8.self))
            case .refused(let reason):
                refused.append((row.line + 1, reason))
                texts.append(String(decoding: row.text, as: UTF8.self))
                users.append(row.userID)
            }
        }
    }

    /// Options with these maps.
    static func options(_ maps: String..., change: (inout ForeignOptions) -> Void = { _ in }) throws -> ForeignOptions {
        var options = ForeignOptions()
        options.maps = try maps.map { try FieldMap($0) }
        change(&options)
        return options
    }
}
