import CFaiss

#if canImport(Glibc)
    import Glibc
#endif

/// The layout of an index file: a header of 72 bytes, the levels, the links. All numbers are little-endian.
///
/// The vectors are not in it: they belong to the model, and the header holds their fingerprint instead.
struct IndexHeader {
    static let magic: UInt64 = 0x0049_5848_5352_4624  // "$FRSHXI\0"
    static let version: UInt32 = 1
    static let byteCount = 72

    var isGraph: Bool
    var count: Int64
    var dimension: Int32
    var settings: HNSWSettings
    var entryPoint: Int32 = -1
    var maxLevel: Int32 = -1
    var linksCount: Int64 = 0
    var vectors: UInt64
    /// Over the header's other fields and the body.
    var checksum: UInt64 = 0

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(Self.magic)
        append(Self.version)
        append(UInt32(isGraph ? 1 : 0))
        append(count)
        append(dimension)
        append(Int32(settings.neighbours))
        append(Int32(settings.efConstruction))
        append(Int32(settings.efSearch))
        append(entryPoint)
        append(maxLevel)
        append(linksCount)
        append(vectors)
        append(checksum)
        return bytes
    }
}

extension ItemIndex {
    /// Writes the index, without its vectors, so that the file is there whole or not at all.
    public func save(to path: String) throws(VectorIndexError) {
        var header = IndexHeader(
            isGraph: false, count: Int64(count), dimension: Int32(dimension), settings: HNSWSettings(),
            vectors: table.fingerprint)
        var levels = UnsafeRawBufferPointer(start: nil, count: 0)
        var links = UnsafeRawBufferPointer(start: nil, count: 0)
        if case .graph(let index) = form {
            var parts = vector_graph_parts()
            vector_graph_view(index.graph, &parts)
            header.isGraph = true
            header.settings = index.settings
            header.entryPoint = parts.entry_point
            header.maxLevel = parts.max_level
            header.linksCount = parts.links_count
            levels = UnsafeRawBufferPointer(start: parts.levels, count: Int(parts.count) * 4)
            links = UnsafeRawBufferPointer(start: parts.links, count: Int(parts.links_count) * 4)
        }
        header.checksum = header.bytes.withUnsafeBytes { Self.checksum($0, levels, links) }
        try withExtendedLifetime(form) { () throws(VectorIndexError) in
            try WholeFile.write(header.bytes, levels, links, to: path)
        }
    }

    /// Reads an index that ``save(to:)`` wrote for exactly these vectors.
    ///
    /// A file that is cut short, changed, of another version or of other vectors is refused.
    public static func load(
        path: String, vectors: [Float], dimension: Int
    ) throws(VectorIndexError) -> ItemIndex {
        let table = try VectorTable(vectors, dimension: dimension)
        let file = try WholeFile(reading: path)
        return try withExtendedLifetime(file) { () throws(VectorIndexError) in try parse(file.bytes, path, table) }
    }

    private static func parse(
        _ bytes: UnsafeRawBufferPointer, _ path: String, _ table: VectorTable
    ) throws(VectorIndexError) -> ItemIndex {
        func damaged(_ what: String) -> VectorIndexError {
            VectorIndexError(.damaged, "\(path): \(what). Delete the file; the index is built again from the model.")
        }
        guard bytes.count >= 12, load(bytes, 0, UInt64.self) == IndexHeader.magic else {
            throw VectorIndexError(.notAnIndex, "\(path) is not an index file.")
        }
        let version = load(bytes, 8, UInt32.self)
        guard version == IndexHeader.version else {
            throw VectorIndexError(
                .otherVersion,
                "\(path) has format version \(version); this program reads \(IndexHeader.version). Build the index again.")
        }
        guard bytes.count >= IndexHeader.byteCount else { throw damaged("the header is cut short") }
        let header = IndexHeader(
            isGraph: load(bytes, 12, UInt32.self) == 1, count: load(bytes, 16, Int64.self),
            dimension: load(bytes, 24, Int32.self),
            settings: HNSWSettings(
                neighbours: Int(load(bytes, 28, Int32.self)), efConstruction: Int(load(bytes, 32, Int32.self)),
                efSearch: Int(load(bytes, 36, Int32.self))),
            entryPoint: load(bytes, 40, Int32.self), maxLevel: load(bytes, 44, Int32.self),
            linksCount: load(bytes, 48, Int64.self), vectors: load(bytes, 56, UInt64.self),
            checksum: load(bytes, 64, UInt64.self))
        // Bounded by the file's own size before anything is multiplied.
        let sizes = 0...Int64(bytes.count)
        guard !header.isGraph || (sizes ~= header.count && sizes ~= header.linksCount) else {
            throw damaged("its sizes are larger than the file")
        }
        let levelBytes = header.isGraph ? Int(header.count) * 4 : 0
        let linkBytes = header.isGraph ? Int(header.linksCount) * 4 : 0
        guard bytes.count == IndexHeader.byteCount + levelBytes + linkBytes else {
            throw damaged("it has \(bytes.count) bytes and should have \(IndexHeader.byteCount + levelBytes + linkBytes)")
        }
        let levels = UnsafeRawBufferPointer(rebasing: bytes[IndexHeader.byteCount..<IndexHeader.byteCount + levelBytes])
        let links = UnsafeRawBufferPointer(rebasing: bytes[(IndexHeader.byteCount + levelBytes)...])
        guard checksum(bytes, levels, links) == header.checksum else { throw damaged("its checksum is wrong") }
        guard header.count == table.count, header.dimension == table.dimension, header.vectors == table.fingerprint else {
            throw VectorIndexError(
                .otherVectors,
                "\(path) is the index of other vectors than the model's \(table.count) × \(table.dimension). Build it again.")
        }
        guard header.isGraph else { return ItemIndex(.flat(FlatIndex(table: table))) }
        guard let levelStart = levels.bindMemory(to: Int32.self).baseAddress else { throw damaged("it has no levels") }
        return ItemIndex(
            .graph(
                try HNSWIndex(
                    table: table, settings: header.settings, levels: levelStart, links: links.bindMemory(to: Int32.self),
                    entryPoint: header.entryPoint, maxLevel: header.maxLevel)))
    }

    private static func load<Number: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int, _: Number.Type
    ) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// Over the header up to its checksum, and the body.
    private static func checksum(
        _ header: UnsafeRawBufferPointer, _ levels: UnsafeRawBufferPointer, _ links: UnsafeRawBufferPointer
    ) -> UInt64 {
        var hash = WordHash()
        hash.combine(UnsafeRawBufferPointer(rebasing: header[..<(IndexHeader.byteCount - 8)]))
        hash.combine(levels)
        hash.combine(links)
        return hash.value
    }
}
