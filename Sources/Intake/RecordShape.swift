import Interactions

/// What a refused line looks like, where it is of a file that holds no JSON Lines.
enum RecordShape {
    /// A sentence about the file that such a line comes from; nil where nothing is to be said.
    static func hint(of line: [UInt8], code: RejectionCode) -> String? {
        var text = line[...]
        while let first = text.first, [0x20, 0x09].contains(first) { text = text.dropFirst() }
        while let last = text.last, [0x20, 0x09].contains(last) { text = text.dropLast() }
        guard let first = text.first, let last = text.last else { return nil }
        if code == .invalidUTF8 {
            return "it looks like text in another encoding, such as Latin-1: iconv -f WINDOWS-1252 -t UTF-8 FILE"
        }
        guard code == .malformedJSON || code == .notAnObject else { return nil }
        let isObject = first == UInt8(ascii: "{")
        if first == UInt8(ascii: "[") || isObject && last == UInt8(ascii: ",") {
            return "it looks like a JSON array, but each line must be one object: jq -c '.[]' FILE"
        }
        if isObject, text.count == 1 || last != UInt8(ascii: "}") {
            return "it looks like JSON that is spread over several lines, but each object must be on one: jq -c . FILE"
        }
        if text.allSatisfy({ $0 == 0 }) { return "it holds zero bytes, as a file does whose writing was cut off" }
        let separators: [(byte: UInt8, name: String)] = [
            (UInt8(ascii: ","), "commas"), (UInt8(ascii: ";"), "semicolons"), (0x09, "tabs"),
        ]
        let separator = separators.first { separator in text.filter { $0 == separator.byte }.count >= 1 }
        if !isObject, let separator {
            return "it looks like a table whose columns are separated by \(separator.name), but each line must be a JSON object"
        }
        return nil
    }
}
