import Interactions

/// Where a column lies in a file, and the hash of its bytes.
package struct FileSection: Equatable {
    /// Where the section begins in the file.
    package var offset = 0
    /// How long it is.
    package var bytes = 0
    /// The `FileChecksum` of it.
    package var checksum: UInt64 = 0

    /// The next offset at which a column may begin.
    package var next: Int { Self.aligned(offset + bytes) }

    /// Columns begin at multiples of 64 bytes, so that values of any type may be read in place.
    package static func aligned(_ offset: Int) -> Int { (offset + 63) / 64 * 64 }

    /// The values of a column.
    package func column<Element: BitwiseCopyable & Sendable>(
        _ type: Element.Type = Element.self, of file: UnsafeRawBufferPointer
    ) -> UnsafeBufferPointer<Element> {
        bytes(of: file).bindMemory(to: Element.self)
    }

    /// The bytes of a column.
    package func bytes(of file: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file[offset..<offset + bytes])
    }
}

/// Writes one column of a file, a mebibyte at a time.
package struct SectionWriter<Element: BitwiseCopyable> {
    private static var blockValues: Int { FileChecksum.blockBytes / MemoryLayout<Element>.stride }

    private let file: ColumnFile
    private var section: FileSection
    private var checksum = FileChecksum()
    private var block: [Element] = []

    /// Begins a column at an offset.
    package init(_ file: ColumnFile, at offset: Int) {
        self.file = file
        section = FileSection(offset: offset)
        block.reserveCapacity(Self.blockValues)
    }

    /// Adds a value.
    package mutating func append(_ value: Element) throws {
        block.append(value)
        if block.count == Self.blockValues { try writeBlock() }
    }

    /// Adds values.
    package mutating func append(contentsOf values: some Sequence<Element>) throws {
        for value in values { try append(value) }
    }

    /// Writes the rest.
    package mutating func finish() throws -> FileSection {
        try writeBlock()
        section.checksum = checksum.value
        block = []
        return section
    }

    private mutating func writeBlock() throws {
        try block.withUnsafeBytes { bytes in
            checksum.combine(bytes)
            try file.write(bytes, at: section.offset + section.bytes)
            section.bytes += bytes.count
        }
        block.removeAll(keepingCapacity: true)
    }
}

/// Writes the three columns of interactions side by side, in the order in which they come.
package struct EventColumnsWriter {
    private var items: SectionWriter<Int32>
    private var types: SectionWriter<UInt8>
    private var times: SectionWriter<Int64>

    /// Begins columns for `count` interactions at an offset.
    package init(_ file: ColumnFile, at offset: Int, count: Int) {
        items = SectionWriter(file, at: offset)
        let typesOffset = FileSection.aligned(offset + 4 * count)
        types = SectionWriter(file, at: typesOffset)
        times = SectionWriter(file, at: FileSection.aligned(typesOffset + count))
    }

    /// Where the next column may begin after those of `count` interactions at an offset.
    package static func end(at offset: Int, count: Int) -> Int {
        FileSection.aligned(FileSection.aligned(FileSection.aligned(offset + 4 * count) + count) + 8 * count)
    }

    /// Adds an interaction.
    package mutating func append(item: Int32, type: UInt8, time: Int64) throws {
        try items.append(item)
        try types.append(type)
        try times.append(time)
    }

    /// Writes the rest.
    package mutating func finish() throws -> (items: FileSection, types: FileSection, times: FileSection) {
        (try items.finish(), try types.finish(), try times.finish())
    }
}
