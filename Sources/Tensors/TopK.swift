import CKernels

/// A place in a row and its value.
public struct RankedElement: Sendable, Equatable {
    /// Place in the row, from 0.
    public var index: Int32
    /// The value found there.
    public var value: Float

    /// A place and its value.
    public init(index: Int32, value: Float) {
        self.index = index
        self.value = value
    }

    /// Order of an answer: larger values first, equal values by lower index.
    @inlinable public static func isBefore(_ a: RankedElement, _ b: RankedElement) -> Bool {
        a.value > b.value || (a.value == b.value && a.index < b.index)
    }
}

extension Kernels {
    /// The `k` largest elements, best first; equal values by lower index. NaN never appears, so fewer may come back.
    ///
    /// - Complexity: one pass that skips blocks without a larger element, and O(log k) for each that enters.
    public static func topK(_ k: Int, of x: UnsafePointer<Float>, count: Int) -> [RankedElement] {
        guard k > 0, count > 0 else { return [] }
        var heap = WorstFirstHeap(capacity: Swift.min(k, count))
        var i = 0
        while i < count, heap.elements.count < k {
            if !x[i].isNaN { heap.push(RankedElement(index: Int32(i), value: x[i])) }
            i += 1
        }
        guard var worst = heap.elements.first?.value else { return [] }
        // An equal element that comes later loses the tie, so only strictly larger ones enter.
        while true {
            i = fk_next_above(x, i, count, worst)
            if i >= count { break }
            heap.replaceWorst(RankedElement(index: Int32(i), value: x[i]))
            worst = heap.elements[0].value
            i += 1
        }
        return heap.elements.sorted(by: RankedElement.isBefore)
    }
}

extension Matrix {
    /// The `k` largest elements of one row, best first; equal values by lower index; NaN left out.
    public func topK(_ k: Int, ofRow row: Int) -> [RankedElement] {
        withUnsafeRow(row) { buffer in
            guard let start = buffer.baseAddress else { return [] }
            return Kernels.topK(k, of: start, count: buffer.count)
        }
    }
}

/// A binary heap with the element that would leave first at the top.
private struct WorstFirstHeap {
    var elements: [RankedElement] = []

    init(capacity: Int) { elements.reserveCapacity(capacity) }

    mutating func push(_ element: RankedElement) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard RankedElement.isBefore(elements[parent], elements[child]) else { return }
            elements.swapAt(parent, child)
            child = parent
        }
    }

    mutating func replaceWorst(_ element: RankedElement) {
        elements[0] = element
        var parent = 0
        while true {
            var worst = parent
            for child in (2 * parent + 1)...(2 * parent + 2)
            where child < elements.count && RankedElement.isBefore(elements[worst], elements[child]) {
                worst = child
            }
            if worst == parent { return }
            elements.swapAt(parent, worst)
            parent = worst
        }
    }
}
