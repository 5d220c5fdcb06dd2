import Tensors
import TowerModel

/// One forward and backward pass of the mean-pooled towers over a batch.
///
/// Each thread takes the same share of users and of items in every run and adds to its own sums, which are then added in the
/// order of the threads: the same thread count gives the same result, bit for bit. Nothing is allocated between batches of one size.
///
/// A tile of users meets all candidates while its scores stay in the second-level cache. The scores never exist: their
/// exponentials are stored as the product yields them, and dividing by their sum is left to the `[users, d]` sides of the two
/// products that follow.
final class MeanStep {
    /// Users of a tile: with 1,024 candidates their exponentials are 256 KiB.
    static let tileUsers = 66
    /// Items of a tile; candidates are kept turned round in blocks of this many columns.
    static let block = 64

    let parameters: MeanParameters
    let content: ContentTable
    private let threads: Int
    private let slope: Float
    private let d, h: Int

    /// Gradient of the dense block, one part a thread; their sum is the gradient.
    let parts: [FloatBuffer]
    /// Gradient of the history's mean, over its length, of each example; behind them that of each candidate's input. `[count + candidates, d]`
    private(set) var rowGradient = FloatBuffer(0)
    /// Gradient of each example's user row `[count, d]`.
    private(set) var userGradient = FloatBuffer(0)
    /// Which rows of the item table and the user table the batch used, by owning thread; after ``group(_:)``.
    let itemGroups, userGroups: [RowGroups]
    private let itemParts, userParts: [RowParts]

    private var itemInputs = FloatBuffer(0), itemHidden = FloatBuffer(0), vectors = FloatBuffer(0), blocks = FloatBuffer(0)
    private var itemInverse = FloatBuffer(0), itemScratch = FloatBuffer(0)
    private var vectorParts: [FloatBuffer]
    private var workspaces: [MeanWorkspace]

    init(_ parameters: MeanParameters, content: ContentTable, threads: Int, temperature: Float) {
        self.parameters = parameters
        self.content = content
        self.threads = threads
        slope = 1 / temperature
        d = parameters.shape.dimension
        h = parameters.shape.hidden
        let shape = parameters.shape
        parts = (0..<threads).map { _ in FloatBuffer(parameters.dense.count) }
        vectorParts = (0..<threads).map { _ in FloatBuffer(0) }
        itemGroups = (0..<threads).map { _ in RowGroups(tableRows: shape.itemCount) }
        userGroups = (0..<threads).map { _ in RowGroups(tableRows: shape.userCount) }
        itemParts = (0..<threads).map { _ in RowParts(owners: threads) }
        userParts = (0..<threads).map { _ in RowParts(owners: threads) }
        workspaces = (0..<threads).map { _ in MeanWorkspace(shape, tile: Self.tileUsers) }
    }

    /// Runs a batch; the gradients are in ``parts``, ``rowGradient`` and ``userGradient`` then.
    ///
    /// - Returns: the weighted mean loss.
    func run(_ batch: MeanBatch, sequence: UnsafePointer<Int32>) -> Double {
        guard batch.count > 0 else { return 0 }
        prepare(batch)
        let blockCount = (batch.candidateCount + Self.block - 1) / Self.block
        eachThread { slot in
            self.list(batch, sequence, slot)
            self.parts[slot].zero()
            self.eachBlock(slot, blockCount, batch.candidateCount) { self.encodeItems($0, batch) }
        }
        var losses = [Double](repeating: 0, count: threads)
        losses.withUnsafeMutableBufferPointer { losses in
            eachThread { slot in losses[slot] = self.users(batch, sequence, slot) }
        }
        eachThread { slot in
            self.eachBlock(slot, blockCount, batch.candidateCount) { self.itemsBackward($0, batch, slot) }
        }
        return losses.reduce(0, +)
    }

    /// Gradient of the content inputs of the candidates `[candidates, d]`: the same as that of their rows.
    func candidateGradient(_ batch: MeanBatch) -> UnsafeMutablePointer<Float> { rowGradient.start + batch.count * d }

    private func eachThread(_ body: (Int) -> Void) {
        parallelFor(count: threads, threads: threads) { range, _ in for slot in range { body(slot) } }
    }

    private func eachBlock(_ slot: Int, _ blocks: Int, _ items: Int, _ body: (Range<Int>) -> Void) {
        for block in blocks * slot / threads..<blocks * (slot + 1) / threads {
            body(block * Self.block..<min(items, (block + 1) * Self.block))
        }
    }

    private func prepare(_ batch: MeanBatch) {
        let items = batch.candidateCount, padded = (items + Self.block - 1) / Self.block * Self.block
        grow(&rowGradient, to: (batch.count + items) * d)
        grow(&userGradient, to: parameters.shape.userCount > 0 ? batch.count * d : 0)
        grow(&itemInputs, to: items * d)
        grow(&itemHidden, to: items * h)
        grow(&itemScratch, to: items * h)
        grow(&vectors, to: padded * d)
        grow(&blocks, to: padded * d)
        grow(&itemInverse, to: items)
        for slot in 0..<threads {
            grow(&vectorParts[slot], to: padded * d)
            grow(&workspaces[slot].exponentials, to: padded * Self.tileUsers)
        }
    }

    /// Lists the rows of the tables that this thread's part of the batch uses.
    private func list(_ batch: MeanBatch, _ sequence: UnsafePointer<Int32>, _ slot: Int) {
        let items = itemParts[slot], own = part(slot, of: batch.count)
        items.begin(limit: batch.entries + batch.candidateCount)
        items.add(sequence, starts: batch.starts.start, ends: batch.ends.start, range: own)
        // Behind all histories, so that the order of places is the same for any number of threads.
        if slot == threads - 1 { items.add(batch.visibleRows.start, range: 0..<batch.candidateCount, first: batch.count) }
        guard parameters.shape.userCount > 0 else { return }
        userParts[slot].begin(limit: batch.count)
        userParts[slot].add(batch.users.start, range: own, first: 0)
    }

    /// Groups the rows of the tables that this thread owns; after ``run(_:sequence:)``.
    func group(_ slot: Int) {
        itemGroups[slot].group(itemParts, owner: slot)
        if parameters.shape.userCount > 0 { userGroups[slot].group(userParts, owner: slot) }
    }

    /// This thread's share of `count` examples.
    private func part(_ slot: Int, of count: Int) -> Range<Int> {
        let size = count / threads, rest = count % threads, first = slot * size + min(slot, rest)
        return first..<first + size + (slot < rest ? 1 : 0)
    }

    /// The vectors of a block of candidates, as rows and turned round.
    private func encodeItems(_ range: Range<Int>, _ batch: MeanBatch) {
        Kernels.gatherRows(
            parameters.table(.items).start, dimension: d, rows: batch.visibleRows.start + range.lowerBound, count: range.count,
            into: itemInputs.start + range.lowerBound * d, stride: d)
        if parameters.shape.tokenRows > 0 {
            for place in range {
                MeanContent(parameters).add(content, item: Int(batch.candidates.start[place]), into: itemInputs.start + place * d)
            }
        }
        let first = range.lowerBound, out = vectors.start + first * d
        MeanNetwork.item(parameters).forward(
            count: range.count, itemInputs.start + first * d, hidden: itemHidden.start + first * h, into: out)
        Kernels.normaliseRows(
            rows: range.count, dimension: d, out, inverse: itemInverse.start + first, scale: 1, scaled: out)
        let block = blocks.start + first * d
        if range.count < Self.block {
            block.update(repeating: 0, count: Self.block * d)
            (out + range.count * d).update(repeating: 0, count: (Self.block - range.count) * d)
        }
        Kernels.transpose(rows: range.count, columns: d, out, stride: d, into: block, stride: Self.block)
    }

    /// This thread's users, forth and back.
    private func users(_ batch: MeanBatch, _ sequence: UnsafePointer<Int32>, _ slot: Int) -> Double {
        let own = part(slot, of: batch.count), first = own.lowerBound, end = own.upperBound
        var loss = 0.0
        vectorParts[slot].start.update(repeating: 0, count: batch.candidateCount * d)
        // Tiles of equal size: a small last one would leave the micro-kernels half empty.
        let tiles = (end - first + Self.tileUsers - 1) / Self.tileUsers
        for tile in 0..<tiles {
            loss += users(
                first + (end - first) * tile / tiles..<first + (end - first) * (tile + 1) / tiles, batch, sequence, workspaces[slot],
                itemGradient: vectorParts[slot].start, gradient: parts[slot].start)
        }
        return loss
    }

    private func users(
        _ tile: Range<Int>, _ batch: MeanBatch, _ sequence: UnsafePointer<Int32>, _ w: MeanWorkspace,
        itemGradient: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) -> Double {
        let first = tile.lowerBound, n = tile.count, width = parameters.shape.inputWidth
        gatherInputs(tile, batch, sequence, into: w.inputs.start)
        let network = MeanNetwork.user(parameters)
        network.forward(count: n, w.inputs.start, hidden: w.hidden.start, into: w.users.start)
        // Base 2: the logarithm of e joins the temperature.
        Kernels.normaliseRows(
            rows: n, dimension: d, w.users.start, inverse: w.inverse.start, scale: slope * 1.442_695_04, scaled: w.scaled.start)
        w.sums.start.update(repeating: 0, count: n * 16)
        for block in stride(from: 0, to: batch.candidateCount, by: Self.block) {
            let columns = min(Self.block, (batch.candidateCount - block + 15) / 16 * 16)
            Kernels.rowProduct(
                .exponentials, rows: n, columns: columns, inner: d, w.scaled.start, strides: (d, 1), blocks.start + block * d,
                stride: Self.block, into: w.exponentials.start + block * Self.tileUsers, stride: Self.block,
                extra: batch.corrections.start + block, sums: w.sums.start)
        }
        for block in stride(from: 0, to: batch.candidateCount, by: Self.block) {
            Kernels.rowProduct(
                block == 0 ? .plain : .add, rows: n, columns: d, inner: min(Self.block, batch.candidateCount - block),
                w.exponentials.start + block * Self.tileUsers, strides: (Self.block, 1), vectors.start + block * d, stride: d,
                into: w.outer.start, stride: d)
        }
        let loss = Kernels.softmaxRowsSlope(
            rows: n, dimension: d, users: w.users.start, items: vectors.start, targets: batch.targets.start + first,
            targetShares: batch.targetShares.start + first, shares: batch.shares.start + first, slope: slope, sums: w.sums.start,
            gradient: w.outer.start, weighted: w.scaled.start, itemGradient: itemGradient)
        for block in stride(from: 0, to: batch.candidateCount, by: Self.block) {
            Kernels.rowProduct(
                .add, rows: min(Self.block, batch.candidateCount - block), columns: d, inner: n,
                w.exponentials.start + block * Self.tileUsers, strides: (1, Self.block), w.scaled.start, stride: d,
                into: itemGradient + block * d, stride: d)
        }
        Kernels.normaliseRowsSlope(rows: n, dimension: d, w.users.start, inverse: w.inverse.start, gradient: w.outer.start)
        let history = rowGradient.start + first * d
        if parameters.shape.userCount > 0 {
            network.backward(
                count: n, w.inputs.start, hidden: w.hidden.start, outer: w.outer.start, scratch: w.scratch.start, gradient: gradient,
                inner: (0, d, userGradient.start + first * d), (d, d, history))
        } else {
            network.backward(
                count: n, w.inputs.start, hidden: w.hidden.start, outer: w.outer.start, scratch: w.scratch.start, gradient: gradient,
                inner: (0, width, history))
        }
        for index in 0..<n {
            let row = history + index * d, length = batch.ends.start[first + index] - batch.starts.start[first + index]
            Kernels.scale(1 / Float(max(1, length)), row, into: row, count: d)
        }
        return loss
    }

    /// The user tower's inputs `[tile.count, inputWidth]`.
    private func gatherInputs(
        _ tile: Range<Int>, _ batch: MeanBatch, _ sequence: UnsafePointer<Int32>, into inputs: UnsafeMutablePointer<Float>
    ) {
        let width = parameters.shape.inputWidth, first = tile.lowerBound
        if width > d {
            Kernels.gatherRows(
                parameters.table(.users).start, dimension: d, rows: batch.users.start + first, count: tile.count, into: inputs,
                stride: width)
        }
        Kernels.meansOfWindows(
            parameters.table(.items).start, dimension: d, sequence: sequence, starts: batch.starts.start + first,
            ends: batch.ends.start + first, count: tile.count, into: inputs + (width - d), stride: width)
    }

    /// From the gradient of a block's vectors, summed over the threads, to that of its inputs.
    private func itemsBackward(_ range: Range<Int>, _ batch: MeanBatch, _ slot: Int) {
        let first = range.lowerBound, count = range.count * d
        let outer = vectorParts[0].start + first * d
        for part in 1..<max(1, threads) { Kernels.apply(.add, outer, vectorParts[part].start + first * d, into: outer, count: count) }
        Kernels.normaliseRowsSlope(
            rows: range.count, dimension: d, vectors.start + first * d, inverse: itemInverse.start + first, gradient: outer)
        let inner = candidateGradient(batch) + first * d
        MeanNetwork.item(parameters).backward(
            count: range.count, itemInputs.start + first * d, hidden: itemHidden.start + first * h, outer: outer,
            scratch: itemScratch.start + first * h, gradient: parts[slot].start, inner: (0, d, inner))
        guard parameters.shape.tokenRows > 0 else { return }
        for place in range {
            MeanContent(parameters).addGradient(
                content, item: Int(batch.candidates.start[place]), outer: inner + (place - first) * d, into: parts[slot].start)
        }
    }
}

/// Working memory of one thread for a tile of users.
private final class MeanWorkspace {
    let inputs, hidden, users, scaled, inverse, sums, outer, scratch: FloatBuffer
    /// `[candidates / block, tile, block]`
    var exponentials = FloatBuffer(0)

    init(_ shape: MeanShape, tile: Int) {
        inputs = FloatBuffer(tile * shape.inputWidth)
        hidden = FloatBuffer(tile * shape.hidden)
        scratch = FloatBuffer(tile * shape.hidden)
        users = FloatBuffer(tile * shape.dimension)
        scaled = FloatBuffer(tile * shape.dimension)
        outer = FloatBuffer(tile * shape.dimension)
        inverse = FloatBuffer(tile)
        sums = FloatBuffer(tile * 16)
    }
}
