import EventStream
import Interactions

/// Files of ids: one a line, as they are or as JSON.
public enum IDFile {
    /// Ids in the order of the file, each once.
    ///
    /// - Parameters:
    ///   - path: plain or .gz, a pipe, or `-` for standard input.
    ///   - field: where an id stands in a line that is a JSON object: `user_id` or `item_id`.
    /// - Throws: ``IntakeError`` with the line's number and what was wrong, and `StreamError`.
    public static func read(_ path: String, field: String, rules: DecodingRules = DecodingRules(idForm: .nfc)) throws -> [String] {
        let reader = try LineReader(path: path, maxLineBytes: rules.maxRecordBytes)
        let decoder = RecordDecoder(rules: rules)
        var ids: [String] = []
        var seen = Set<String>()
        while let line = try reader.next() {
            let place = "line \(line.number + 1) of \(path == "-" ? "standard input" : path)"
            guard !line.isOverlong else { throw IntakeError(.file, "\(place) has \(line.byteCount) bytes; that is no id") }
            switch decoder.identifierLine(line.bytes, field: field) {
            case .success(nil): continue
            case .success(let id?): if seen.insert(id).inserted { ids.append(id) }
            case .failure(let rejection):
                let reason = (rejection.field.map { "\($0) " } ?? "") + rejection.detail
                throw IntakeError(.file, "\(place) holds no id: \(reason). A line is an id, or a JSON object with \(field)")
            }
        }
        return ids
    }
}
