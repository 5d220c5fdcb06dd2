/// Kinds of files that hold no lines of UTF-8, known by their first bytes: reading their lines would only make nonsense of them.
struct FileSignature: Equatable {
    /// What the file looks like: `UTF-16 text`.
    let name: String
    /// A sentence that says what to do.
    let advice: String
    /// Whether it is text in another encoding.
    var isText = false

    /// The kind that the first bytes show, as far as they are there; nil of text.
    static func of(_ head: UnsafeRawBufferPointer) -> FileSignature? {
        if let width = wideText(head) {
            let advice = "Convert it first: iconv -f \(width) -t UTF-8."
            return FileSignature(name: "\(width) text", advice: advice, isText: width.hasPrefix("UTF-16"))
        }
        if head.starts(with: Array("BZh".utf8)), head.dropFirst(4).starts(with: Array("1AY&SY".utf8)) {
            return FileSignature(name: "bzip2", advice: "Decompress it into a pipe: bzip2 -dc FILE, read as -.")
        }
        for (magic, name, advice) in known where head.starts(with: magic) { return FileSignature(name: name, advice: advice) }
        return nil
    }

    private static let known: [(magic: [UInt8], name: String, advice: String)] = [
        ([0x28, 0xb5, 0x2f, 0xfd], "zstd", "Decompress it into a pipe: zstd -dc FILE, read as -."),
        ([0xfd] + Array("7zXZ".utf8) + [0], "xz", "Decompress it into a pipe: xz -dc FILE, read as -."),
        ([0x04, 0x22, 0x4d, 0x18], "lz4", "Decompress it into a pipe: lz4 -dc FILE, read as -."),
        (Array("PK".utf8) + [3, 4], "a zip archive", "Unpack it into a pipe: unzip -p FILE, read as -."),
        (Array("PAR1".utf8) + [0x15], "a Parquet file", "Export it as JSON, one object a line."),
        (Array("Obj".utf8) + [1], "an Avro file", "Export it as JSON, one object a line."),
        (Array("SQLite format 3".utf8) + [0], "an SQLite database", "Export it as JSON, one object a line."),
    ]

    /// UTF-16 and UTF-32, by their byte order mark or by the zero bytes beside the first two characters of plain text.
    private static func wideText(_ head: UnsafeRawBufferPointer) -> String? {
        if head.starts(with: [0xff, 0xfe, 0, 0]) || head.starts(with: [0, 0, 0xfe, 0xff]) { return "UTF-32" }
        if head.starts(with: [0xff, 0xfe]) || head.starts(with: [0xfe, 0xff]) { return "UTF-16" }
        guard head.count >= 4 else { return nil }
        switch (head[0] != 0, head[1] != 0, head[2] != 0, head[3] != 0) {
        case (true, false, true, false): return "UTF-16LE"
        case (false, true, false, true): return "UTF-16BE"
        default: return nil
        }
    }
}
