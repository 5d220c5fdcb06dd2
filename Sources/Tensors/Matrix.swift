/// A dense row-major matrix of `Float` with value semantics: copies share memory until one of them is changed.
///
/// Element (r, c) is at `r * columns + c`. The memory is aligned to 64 bytes. A vector is a matrix of one row or one column,
/// a scalar is `[1, 1]`; either side may be 0.
public struct Matrix: Sendable {
    /// Number of rows, 0 or more.
    public let rows: Int
    /// Number of columns, 0 or more: the distance between two rows in memory.
    public let columns: Int
    @usableFromInline var storage: MatrixStorage

    /// Number of elements.
    @inlinable public var count: Int { rows * columns }

    /// The shape as it reads in messages, for example `[128, 64]`.
    public var shape: String { "[\(rows), \(columns)]" }

    /// A matrix of zeros, `[rows, columns]`.
    public init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, repeating: 0)
    }

    /// A matrix with the same value everywhere, `[rows, columns]`.
    public init(rows: Int, columns: Int, repeating value: Float) {
        self.init(rows: rows, columns: columns) { $0.update(repeating: value) }
    }

    /// A matrix from values in row-major order; `values.count` must be `rows * columns`.
    public init(rows: Int, columns: Int, values: [Float]) {
        precondition(
            values.count == rows * columns, "\(values.count) values cannot fill a matrix of shape [\(rows), \(columns)]")
        self.init(rows: rows, columns: columns) { target in
            values.withUnsafeBufferPointer { source in
                if let from = source.baseAddress, let to = target.baseAddress { to.update(from: from, count: source.count) }
            }
        }
    }

    /// A matrix whose memory `body` fills: every element must be written, they start undefined.
    public init(rows: Int, columns: Int, filledBy body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        precondition(rows >= 0 && columns >= 0, "a matrix cannot have the shape [\(rows), \(columns)]")
        self.rows = rows
        self.columns = columns
        storage = MatrixStorage(count: rows * columns)
        body(UnsafeMutableBufferPointer(start: storage.start, count: rows * columns))
    }

    /// A scalar, `[1, 1]`.
    public init(scalar value: Float) {
        self.init(rows: 1, columns: 1, repeating: value)
    }

    /// One row, `[1, values.count]`.
    public init(row values: [Float]) {
        self.init(rows: 1, columns: values.count, values: values)
    }

    /// Independent normal values with mean 0 and the given standard deviation, drawn in row-major order.
    public static func normal(
        rows: Int, columns: Int, deviation: Float, using generator: inout SeededGenerator
    ) -> Matrix {
        Matrix(rows: rows, columns: columns) { target in
            for i in target.indices { target[i] = deviation * generator.normal() }
        }
    }

    /// Independent uniform values in `[low, high)`, drawn in row-major order.
    public static func uniform(
        rows: Int, columns: Int, in range: Range<Float>, using generator: inout SeededGenerator
    ) -> Matrix {
        Matrix(rows: rows, columns: columns) { target in
            for i in target.indices { target[i] = generator.uniform(in: range) }
        }
    }

    /// All elements in row-major order, copied.
    public var values: [Float] { withUnsafeBufferPointer { Array($0) } }

    /// One element. In loops over many, borrow the memory with `withUnsafe…` instead.
    @inlinable public subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns, "element (\(row), \(column)) of \(shape)")
            return storage.start[row * columns + column]
        }
        set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns, "element (\(row), \(column)) of \(shape)")
            makeUnique()
            storage.start[row * columns + column] = newValue
        }
    }

    /// The same elements in the same order under another shape of the same size. O(1): the memory is shared.
    public func reshaped(rows: Int, columns: Int) -> Matrix {
        precondition(rows * columns == count, "\(shape) cannot be seen as [\(rows), \(columns)]")
        return Matrix(rows: rows, columns: columns, sharing: storage)
    }

    private init(rows: Int, columns: Int, sharing storage: MatrixStorage) {
        self.rows = rows
        self.columns = columns
        self.storage = storage
    }

    /// Copies the memory if another matrix shares it. The `withUnsafeMutable…` calls do this themselves.
    @inlinable mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&storage) { storage = MatrixStorage(copying: storage, count: rows * columns) }
    }
}

extension Matrix {
    /// Borrows all elements for reading; the pointer is valid inside `body` only.
    @inlinable public func withUnsafeBufferPointer<R, E: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        defer { extendLifetime(storage) }
        return try body(UnsafeBufferPointer(start: storage.start, count: rows * columns))
    }

    /// Borrows all elements for writing, copying first if the memory is shared; valid inside `body` only.
    @inlinable public mutating func withUnsafeMutableBufferPointer<R, E: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        makeUnique()
        defer { extendLifetime(storage) }
        return try body(UnsafeMutableBufferPointer(start: storage.start, count: rows * columns))
    }

    /// The address of the first element, for hot loops; valid inside `body` only. Never nil, even when the matrix is empty.
    @inlinable public func withUnsafePointer<R, E: Error>(_ body: (UnsafePointer<Float>) throws(E) -> R) throws(E) -> R {
        defer { extendLifetime(storage) }
        return try body(UnsafePointer(storage.start))
    }

    /// The address of the first element for writing, copying first if the memory is shared; valid inside `body` only.
    @inlinable public mutating func withUnsafeMutablePointer<R, E: Error>(
        _ body: (UnsafeMutablePointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        makeUnique()
        defer { extendLifetime(storage) }
        return try body(storage.start)
    }

    /// Borrows one row for reading, `columns` elements.
    @inlinable public func withUnsafeRow<R, E: Error>(
        _ row: Int, _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        precondition(row >= 0 && row < rows, "row \(row) of \(shape)")
        defer { extendLifetime(storage) }
        return try body(UnsafeBufferPointer(start: storage.start + row * columns, count: columns))
    }

    /// One row, copied.
    public func row(_ row: Int) -> [Float] { withUnsafeRow(row) { Array($0) } }
}

extension Matrix: Equatable {
    /// Same shape and equal elements; as with `Float`, NaN equals nothing.
    public static func == (left: Matrix, right: Matrix) -> Bool {
        guard left.rows == right.rows, left.columns == right.columns else { return false }
        return left.withUnsafeBufferPointer { a in right.withUnsafeBufferPointer { b in a.elementsEqual(b) } }
    }
}

extension Matrix: CustomStringConvertible {
    /// The shape and, for up to 16 elements, the values.
    public var description: String { count <= 16 ? "\(shape) \(values)" : shape }
}

/// The memory of a `Matrix`. 64-byte alignment keeps every SIMD load of a row that is a multiple of 16 long in one cache line.
///
/// Unchecked because it holds a raw pointer: it is written only while `Matrix` holds the one reference to it.
@usableFromInline final class MatrixStorage: @unchecked Sendable {
    @usableFromInline let start: UnsafeMutablePointer<Float>

    init(count: Int) {
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        start = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    @usableFromInline init(copying other: MatrixStorage, count: Int) {
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        start = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
        start.update(from: other.start, count: count)
    }

    deinit { UnsafeMutableRawPointer(start).deallocate() }
}
