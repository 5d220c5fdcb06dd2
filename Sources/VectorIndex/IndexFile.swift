import CFaiss

extension ItemIndex {
    /// Writes the index, without the vectors that it was built from, so that the file is there whole or not at all.
    ///
    /// The parts of a graph are its levels and links, and its numbers neighbours, efConstruction, efSearch, entry point and
    /// highest level. Those of lists are sizes, rows, codes, ranges, centres and the centres' ranges, and the numbers code,
    /// lists, sample, rounds, seed, and depth and probes of each step of the plan.
    ///
    /// - Parameter modelVersion: of the model whose items these are; ``load(path:vectors:dimension:modelVersion:)`` asks for it.
    public func save(to path: String, modelVersion: Int64 = 0) throws(VectorIndexError) {
        var header = IndexHeader(
            kind: .flat, modelVersion: modelVersion, count: Int64(count), dimension: Int64(dimension), vectors: fingerprint,
            recall: (measuredRecall ?? .nan).bitPattern, numbers: [], parts: [])
        var parts: [UnsafeRawBufferPointer] = []
        switch form {
        case .flat: break
        case .graph(let index):
            let graph = index.graph.parts
            header.kind = .graph
            header.numbers = [
                Int64(index.settings.neighbours), Int64(index.settings.efConstruction), Int64(index.settings.efSearch),
                Int64(graph.entry_point), Int64(graph.max_level),
            ]
            parts = [
                UnsafeRawBufferPointer(start: graph.levels, count: Int(graph.count) * 4),
                UnsafeRawBufferPointer(start: graph.links, count: Int(graph.links_count) * 4),
            ]
        case .lists(let index):
            let lists = index.handle.parts
            let settings = index.settings
            header.kind = .lists
            header.numbers = [
                Int64(settings.code.rawValue), Int64(index.listCount), Int64(settings.sampleVectorsPerList),
                Int64(settings.rounds), Int64(bitPattern: settings.seed),
            ]
            for step in settings.plan.steps { header.numbers += [Int64(step.depth), Int64(step.probes)] }
            parts = [
                UnsafeRawBufferPointer(start: lists.list_counts, count: index.listCount * 4),
                UnsafeRawBufferPointer(start: lists.rows, count: Int(lists.blocks) * 64),
                UnsafeRawBufferPointer(start: lists.codes, count: Int(lists.code_bytes)),
                UnsafeRawBufferPointer(start: lists.ranges, count: settings.code == .int8 ? dimension * 8 : 0),
                UnsafeRawBufferPointer(start: lists.centres, count: Int(lists.centre_bytes)),
                UnsafeRawBufferPointer(start: lists.centre_ranges, count: index.listCount > 1 ? dimension * 8 : 0),
            ]
        }
        while header.numbers.count < IndexHeader.numberCount { header.numbers.append(0) }
        while parts.count < IndexHeader.partCount { parts.append(UnsafeRawBufferPointer(start: nil, count: 0)) }
        header.parts = parts.map { Int64($0.count) }
        header.checksum = header.checksum(of: parts)
        try withExtendedLifetime(form) { () throws(VectorIndexError) in
            try WholeFile.write(header.bytes, parts, to: path)
        }
    }

    /// Reads an index that ``save(to:modelVersion:)`` wrote for exactly these vectors of this version of the model.
    ///
    /// A file that is cut short, changed, of another format, of another model or of other vectors is refused.
    public static func load(
        path: String, vectors: [Float], dimension: Int, modelVersion: Int64 = 0
    ) throws(VectorIndexError) -> ItemIndex {
        let count = try VectorInput.checkedCount(vectors, dimension: dimension)
        return try WholeFile.read(path).read { (bytes) throws(VectorIndexError) in
            let (header, parts) = try IndexHeader.read(bytes, path)
            guard header.modelVersion == modelVersion else {
                throw VectorIndexError(
                    .otherModel,
                    "\(path) is the index of model version \(header.modelVersion), not of \(modelVersion). Build it again.")
            }
            let fingerprint = vectors.withUnsafeBytes { VectorInput.fingerprint($0, count: count, dimension: dimension) }
            guard header.count == count, header.dimension == dimension, header.vectors == fingerprint else {
                throw VectorIndexError(
                    .otherVectors, "\(path) is the index of other vectors than the model's \(count) × \(dimension). Build it again.")
            }
            let recall = Double(bitPattern: header.recall)
            do throws(VectorIndexError) {
                return ItemIndex(
                    try restored(header, parts, path, vectors), measuredRecall: recall.isNaN ? nil : recall)
            } catch where error.code == .invalidInput {
                // The vectors were checked before: what does not fit is in the file.
                throw VectorIndexError(.damaged, "\(path): \(error.message) Delete the file; the index is built again from the model.")
            }
        }
    }

    private static func restored(
        _ header: IndexHeader, _ parts: [UnsafeRawBufferPointer], _ path: String, _ vectors: [Float]
    ) throws(VectorIndexError) -> Form {
        let dimension = Int(header.dimension)
        switch header.kind {
        case .flat:
            return .flat(try FlatIndex(vectors: vectors, dimension: dimension))
        case .graph:
            let levels = parts[0].bindMemory(to: Int32.self)
            guard let start = levels.baseAddress, levels.count == header.count else {
                throw IndexHeader.damaged(path, "it has \(levels.count) levels for \(header.count) vectors")
            }
            return .graph(
                try HNSWIndex(
                    table: try VectorTable(vectors, dimension: dimension),
                    settings: HNSWSettings(
                        neighbours: Int(header.numbers[0]), efConstruction: Int(header.numbers[1]),
                        efSearch: Int(header.numbers[2])),
                    levels: start, links: parts[1].bindMemory(to: Int32.self),
                    entryPoint: Int32(truncatingIfNeeded: header.numbers[3]),
                    maxLevel: Int32(truncatingIfNeeded: header.numbers[4])))
        case .lists:
            return .lists(try restoredLists(header, parts, path))
        }
    }

    private static func restoredLists(
        _ header: IndexHeader, _ parts: [UnsafeRawBufferPointer], _ path: String
    ) throws(VectorIndexError) -> ListIndex {
        let numbers = header.numbers
        let rangeBytes = Int(header.dimension) * 8
        guard let code = VectorCode(rawValue: Int32(truncatingIfNeeded: numbers[0])), numbers[1] > 0, numbers[1] <= header.count,
            parts[0].count == Int(numbers[1]) * 4, parts[1].count % 64 == 0,
            parts[3].count == (code == .int8 ? rangeBytes : 0), parts[5].count == (numbers[1] > 1 ? rangeBytes : 0)
        else { throw IndexHeader.damaged(path, "the sizes of its parts do not fit") }
        // A row is a place in the catalogue, and takes memory up to the largest one.
        guard parts[1].bindMemory(to: Int32.self).allSatisfy({ $0 < header.count }) else {
            throw IndexHeader.damaged(path, "a list names a row that no vector has")
        }
        let steps = stride(from: 5, to: numbers.count, by: 2).filter { numbers[$0] > 0 }
        let settings = ListSettings(
            code: code, lists: Int(numbers[1]),
            plan: ProbePlan(steps.map { ProbePlan.Step(depth: Int(numbers[$0]), probes: Int(numbers[$0 + 1])) }),
            sampleVectorsPerList: Int(numbers[2]), rounds: Int(numbers[3]), seed: UInt64(bitPattern: numbers[4]))
        var restored: OpaquePointer?
        var stored = vector_lists_parts(
            count: header.count, dimension: Int32(header.dimension), code: code.rawValue, lists: Int32(clamping: numbers[1]),
            list_counts: parts[0].bindMemory(to: Int32.self).baseAddress, rows: parts[1].bindMemory(to: Int32.self).baseAddress,
            blocks: Int64(parts[1].count / 64), codes: parts[2].bindMemory(to: UInt8.self).baseAddress,
            code_bytes: Int64(parts[2].count), ranges: parts[3].bindMemory(to: Float.self).baseAddress,
            centres: parts[4].bindMemory(to: UInt8.self).baseAddress, centre_bytes: Int64(parts[4].count),
            centre_ranges: parts[5].bindMemory(to: Float.self).baseAddress)
        try ShimCall.run("restore the index of \(path)") { vector_lists_restore(&stored, &restored, $0, $1) }
        return try ListIndex(taking: restored, settings: settings, fingerprint: header.vectors)
    }
}
