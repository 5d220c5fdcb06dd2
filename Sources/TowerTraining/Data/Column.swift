import Tensors

/// A column of a training set: values that never change, either its own or in memory that an owner keeps, such as a mapped file.
///
/// An index costs one load whatever is behind it.
public struct Column<Element: BitwiseCopyable & Sendable>: RandomAccessCollection, @unchecked Sendable {
    // Unchecked because of the pointer: what it points to is immutable for as long as the owner lives, and the column holds the owner.
    @usableFromInline let base: UnsafePointer<Element>
    /// 1, or 0 where every index reads the same value.
    @usableFromInline let step: Int
    /// Number of values.
    public let count: Int
    private let owner: AnyObject

    /// A column in memory of its own.
    public init(_ values: [Element]) {
        let own = OwnValues(values)
        self.init(base: UnsafePointer(own.start), step: 1, count: values.count, owner: own)
    }

    /// The same value `count` times, in the memory of one.
    public init(repeating value: Element, count: Int) {
        precondition(count >= 0, "a column of \(count) values")
        let own = OwnValues([value])
        self.init(base: UnsafePointer(own.start), step: 0, count: count, owner: own)
    }

    /// A column over memory that `owner` keeps as it is for as long as it lives.
    public init(_ values: UnsafeBufferPointer<Element>, keptBy owner: some AnyObject & Sendable) {
        // An empty region may have no address; nothing is ever read from it.
        guard let base = values.baseAddress else {
            self.init([])
            return
        }
        self.init(base: base, step: 1, count: values.count, owner: owner)
    }

    private init(base: UnsafePointer<Element>, step: Int, count: Int, owner: AnyObject) {
        self.base = base
        self.step = step
        self.count = count
        self.owner = owner
    }

    /// The first index.
    public var startIndex: Int { 0 }
    /// One past the last index.
    public var endIndex: Int { count }

    /// The value at an index.
    @inlinable public subscript(_ index: Int) -> Element {
        precondition(index >= 0 && index < count, "an index outside of the column")
        return base[index &* step]
    }

    /// Asks the memory for values that will be read soon; places outside of the column are left out.
    func prefetch(_ range: Range<Int>) {
        guard step == 1, !isEmpty else { return }
        let kept = range.clamped(to: indices)
        Kernels.prefetch(base + kept.lowerBound, bytes: kept.count * MemoryLayout<Element>.stride)
    }

    /// Lends the values for a hot loop. A repeated value is written out for it.
    public func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Element>) throws -> Result) rethrows -> Result {
        guard step == 1 else { return try [Element](repeating: base.pointee, count: count).withUnsafeBufferPointer(body) }
        return try withExtendedLifetime(owner) { try body(UnsafeBufferPointer(start: base, count: count)) }
    }
}

/// Values in memory of their own, freed with the last column over them.
private final class OwnValues<Element: BitwiseCopyable> {
    let start: UnsafeMutablePointer<Element>

    init(_ values: [Element]) {
        start = UnsafeMutablePointer<Element>.allocate(capacity: Swift.max(1, values.count))
        values.withUnsafeBufferPointer { if let source = $0.baseAddress { start.update(from: source, count: $0.count) } }
    }

    deinit { start.deallocate() }
}
