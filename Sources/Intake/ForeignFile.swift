import Bytes
import EventStream
import ForeignFormats
import Interactions

/// Another system's file, and how it is to be read.
public struct ForeignFile: Sendable {
    /// Where it is; `-` is standard input.
    public let path: String
    /// What wrote it.
    public let format: ForeignFormat
    /// What its rows become.
    public let kind: RecordKind
    /// How its characters are written; nil of a stream, whose first bytes decide.
    public private(set) var encoding: ForeignEncoding?
    /// What is said of it; days and months are told apart where its dates do.
    public private(set) var options: ForeignOptions
    /// What was understood of it; nil of a stream and of an empty file.
    public private(set) var layout: ForeignLayout?
    /// Differs where the same file would be read into other records, as far as options say it.
    let reading: String

    /// Rows after which a file that has shown no unclear date is taken to have none.
    private static let surveyedRows = 1_000

    /// Looks at a file: at all of it for its encoding, and for the order of days and months where that is unclear. A stream is not
    /// looked at.
    ///
    /// - Parameter encoding: how its characters are written; nil finds out.
    /// - Throws: `StreamError` where it cannot be read, ``IntakeError`` where it cannot be understood: a column that there is not.
    public init(
        path: String, format: ForeignFormat, kind: RecordKind, encoding: ForeignEncoding?, options: ForeignOptions,
        isStopping: @escaping @Sendable () -> Bool
    ) throws {
        self.path = path
        self.format = format
        self.kind = kind
        self.encoding = encoding
        self.options = options
        reading = Hexadecimal.text(FNV1a.hash("\(format.rawValue) \(encoding?.rawValue ?? "auto") \(options.reading)".utf8))
        let chunks = try FileChunks(path: path, isStopping: isStopping)
        guard path != "-", chunks.isRegularFile else { return }
        if encoding == nil {
            var survey = EncodingSurvey()
            while let piece = try Self.whole(chunks) { survey.look(at: piece) }
            self.encoding = survey.encoding
        }
        try surveyRows(isStopping)
    }

    /// The next piece; nil also where damage ends the file: whoever stores its rows says that.
    private static func whole(_ chunks: FileChunks) throws(StreamError) -> UnsafeRawBufferPointer? {
        do throws(StreamError) {
            return try chunks.next()
        } catch {
            if [.fileTruncated, .fileCorrupt].contains(error.code) { return nil }
            throw error
        }
    }

    /// Reads the first rows, and all of them where dates are unclear.
    private mutating func surveyRows(_ isStopping: @escaping @Sendable () -> Bool) throws {
        let source = try ForeignSource(self, isStopping: isStopping)
        var rows = 0
        while try Self.row(source) != nil {
            rows += 1
            let dates = source.dates
            if rows >= Self.surveyedRows, options.times.order != .auto || dates.unclear == 0 || dates.order != .auto { break }
        }
        layout = source.layout
        if options.times.order == .auto { options.times.order = source.dates.order }
    }

    private static func row(_ source: ForeignSource) throws -> SourceRecord? {
        do throws(StreamError) {
            return try source.nextRecord()
        } catch {
            if [.fileTruncated, .fileCorrupt].contains(error.code) { return nil }
            throw error
        }
    }
}

/// The rows of another system's file as records.
final class ForeignSource: RecordSource {
    private let chunks: FileChunks
    private let file: ForeignFile
    private var reader: ForeignReader?
    private var isAtEnd = false
    /// The record at hand, so that its bytes outlive the call.
    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 16)
    /// What ended the file early, told once all whole rows before it are.
    private var damage: StreamError?

    init(_ file: ForeignFile, isStopping: @escaping @Sendable () -> Bool) throws(StreamError) {
        self.file = file
        chunks = try FileChunks(path: file.path, isStopping: isStopping)
        if let encoding = file.encoding { reader = ForeignReader(file.format, kind: file.kind, encoding: encoding, options: file.options) }
    }

    deinit { storage.deallocate() }

    var isRegularFile: Bool { chunks.isRegularFile }
    var readFileBytes: Int64 { chunks.readFileBytes }
    var layout: ForeignLayout? { reader?.layout }
    var dates: DateEvidence { reader?.dates ?? DateEvidence() }

    func nextRecord() throws(StreamError) -> SourceRecord? {
        while true {
            if let row = try nextRow() { return record(row) }
            if isAtEnd {
                if let damage { throw damage }
                return nil
            }
            try fill()
        }
    }

    private func nextRow() throws(StreamError) -> ForeignRecord? {
        do throws(ForeignProblem) {
            return try reader?.next()
        } catch {
            throw StreamError(.fileForeign, "\(file.path): \(error.description).")
        }
    }

    private func fill() throws(StreamError) {
        var piece: UnsafeRawBufferPointer?
        do throws(StreamError) {
            piece = try chunks.next()
        } catch {
            // Half a row before the damage is no row, and neither is one that a stop cut off.
            (damage, isAtEnd) = (error, true)
            return
        }
        guard let piece else {
            isAtEnd = true
            if !chunks.wasStopped { reader?.finish() }
            return
        }
        let reader = self.reader ?? ForeignReader(file.format, kind: file.kind, encoding: Self.encoding(of: piece), options: file.options)
        self.reader = reader
        reader.feed(piece)
    }

    private static func encoding(of head: UnsafeRawBufferPointer) -> ForeignEncoding {
        var survey = EncodingSurvey()
        survey.look(at: head)
        return survey.encoding
    }

    private func record(_ row: ForeignRecord) -> SourceRecord {
        switch row.outcome {
        case .refused(let rejection):
            return SourceRecord(number: row.line, lines: row.lines, content: .refused(rejection, row), isBlank: false)
        case .record(let json):
            if json.count > storage.count {
                storage.deallocate()
                storage = .allocate(byteCount: json.count, alignment: 16)
            }
            storage.copyBytes(from: json)
            let bytes = UnsafeRawBufferPointer(rebasing: storage[..<json.count])
            return SourceRecord(number: row.line, lines: row.lines, content: .record(bytes, byteCount: json.count), isBlank: false)
        }
    }
}
