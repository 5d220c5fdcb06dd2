import Interactions

/// Reads another system's file into records of ours: bytes in, in pieces of any size, rows out. It holds one piece and one row at a time.
public final class ForeignReader {
    private var transcoder: TextTranscoder
    private var rows: any ForeignRows

    /// Starts before the first byte.
    ///
    /// - Parameters:
    ///   - format: what wrote the file.
    ///   - kind: what its rows become.
    ///   - encoding: how its characters are written.
    public init(_ format: ForeignFormat, kind: RecordKind, encoding: ForeignEncoding, options: ForeignOptions) {
        transcoder = TextTranscoder(encoding)
        switch format {
        case .csv, .recbole: rows = TableReader(format, kind: kind, options: options)
        case .merchant: rows = MerchantReader(options: options)
        case .gorse, .metarank: rows = LinesReader(format, kind: kind, options: options)
        }
    }

    /// Takes the next bytes of the file.
    public func feed(_ bytes: UnsafeRawBufferPointer) {
        var text: [UInt8] = []
        transcoder.append(bytes, to: &text)
        rows.feed(text)
    }

    /// Says that the file ends here.
    public func finish() {
        var text: [UInt8] = []
        transcoder.finish(&text)
        rows.feed(text)
        rows.finish()
    }

    /// The next row; nil where more must come first, or nothing does.
    ///
    /// - Throws: ``ForeignProblem`` where the file cannot be read at all.
    public func next() throws(ForeignProblem) -> ForeignRecord? { try rows.next() }

    /// What was understood of the file; nil before its first row.
    public var layout: ForeignLayout? { rows.layout }

    /// What the dates that were read so far tell of the order of days and months.
    public var dates: DateEvidence { rows.dates }
}
