import Tensors

/// Small changes of the user's vector, one a domain, over a base that all domains share. A domain is a value of a field, as the token
/// `country=at`.
///
/// u' = u + s ∘ u + b + L (R u): a scale and a shift of each component and a map of low rank, the residual form of Hu et al. 2021 (arXiv
/// 2106.09685, equation 3) on the tower's output. Item vectors stay as they are, so one index serves all domains. An adapter of zeros
/// changes nothing.
public struct DomainAdapters: Sendable, Equatable {
    /// The domains, one an adapter, as tokens `field=value`.
    public let tokens: [String]
    /// d: the length of user vectors.
    public let dimension: Int
    /// r: the rank of the map.
    public let rank: Int
    /// `[tokens.count, width]`: s, b, L `[d, r]` and R `[r, d]` of each domain.
    public let values: [Float]
    private let places: [String: Int]
    /// What all tokens begin with: `field=`.
    private let field: String

    /// Floats of an adapter.
    public static func width(dimension: Int, rank: Int) -> Int { dimension * (2 + 2 * rank) }

    /// Adapters from their parts.
    ///
    /// - Throws: where a domain occurs twice or is of another field, numbers do not fit each other, or a value is not finite.
    public init(tokens: [String], dimension: Int, rank: Int, values: [Float]) throws(ModelError) {
        guard dimension > 0, rank >= 0, values.count == tokens.count * Self.width(dimension: dimension, rank: rank) else {
            throw ModelError("\(values.count) values are not \(tokens.count) domain adapters of dimension \(dimension) and rank \(rank)")
        }
        guard values.allSatisfy(\.isFinite) else { throw ModelError("the domain adapters hold values that are not finite") }
        let places = Dictionary(tokens.enumerated().map { ($1, $0) }) { first, _ in first }
        guard places.count == tokens.count else { throw ModelError("a domain occurs twice among the domain adapters") }
        let field = tokens.first.map { String($0.prefix { $0 != "=" }) + "=" } ?? ""
        guard tokens.allSatisfy({ $0.hasPrefix(field) }) else { throw ModelError("the domain adapters are of more fields than one") }
        (self.tokens, self.dimension, self.rank, self.values, self.places, self.field) = (tokens, dimension, rank, values, places, field)
    }

    /// The adapter that counts for somebody of whom these tokens are known: that of the last token of the field, nil where it has none.
    /// Tokens of the moment come after those of the user.
    public func place(for tokens: [String]) -> Int? {
        tokens.last { $0.hasPrefix(field) }.flatMap { places[$0] }
    }

    /// The adapters of some domains only.
    public func keeping(_ isKept: (String) -> Bool) -> DomainAdapters? {
        let kept = tokens.indices.filter { isKept(tokens[$0]) }, width = Self.width(dimension: dimension, rank: rank)
        // Parts of what was checked.
        return try? DomainAdapters(
            tokens: kept.map { tokens[$0] }, dimension: dimension, rank: rank,
            values: kept.flatMap { values[$0 * width..<($0 + 1) * width] })
    }

    /// Changes a user's vector, `[d]`, to that of a domain. O(d r).
    func adapt(_ vector: inout [Float], at place: Int) {
        precondition(vector.count == dimension, "a vector of length \(vector.count) for adapters of dimension \(dimension)")
        let d = dimension, width = Self.width(dimension: d, rank: rank)
        values.withUnsafeBufferPointer { values in
            vector.withUnsafeMutableBufferPointer { vector in
                guard let adapter = values.baseAddress.map({ $0 + place * width }), let u = vector.baseAddress else { return }
                withUnsafeTemporaryAllocation(of: Float.self, capacity: d + rank) { scratch in
                    guard let result = scratch.baseAddress else { return }
                    DomainMap(dimension: d, rank: rank).forward(count: 1, adapter: adapter, users: u, inner: result + d, into: result)
                    u.update(from: result, count: d)
                }
            }
        }
    }
}

/// The map of an adapter and its derivatives, for several users at once.
package struct DomainMap {
    /// d and r of ``DomainAdapters``.
    package let dimension, rank: Int

    /// A map of these sizes.
    package init(dimension: Int, rank: Int) { (self.dimension, self.rank) = (dimension, rank) }

    /// - Parameters:
    ///   - users: `[count, d]`; inner: R u `[count, r]`, overwritten; target: `[count, d]`, overwritten.
    package func forward(
        count: Int, adapter: UnsafePointer<Float>, users: UnsafePointer<Float>, inner: UnsafeMutablePointer<Float>,
        into target: UnsafeMutablePointer<Float>
    ) {
        let d = dimension, r = rank, scale = adapter, shift = adapter + d, left = shift + d, right = left + d * r
        for row in 0..<count {
            let u = users + row * d, v = target + row * d
            for index in 0..<d { v[index] = u[index] + scale[index] * u[index] + shift[index] }
        }
        guard r > 0 else { return }
        Kernels.multiply(
            rows: count, columns: r, inner: d, users, stride: d, transposed: false, right, stride: d, transposed: true, into: inner,
            stride: r,
            threads: 1)
        Kernels.multiply(
            rows: count, columns: d, inner: r, inner, stride: r, transposed: false, left, stride: r, transposed: true, beta: 1,
            into: target,
            stride: d, threads: 1)
    }

    /// - Parameters:
    ///   - inner: as ``forward(count:adapter:users:inner:into:)`` left it; outer: the gradient of its result.
    ///   - scratch: `[count, r]`, overwritten.
    ///   - gradient: of the adapter, overwritten.
    package func backward(
        count: Int, adapter: UnsafePointer<Float>, users: UnsafePointer<Float>, inner: UnsafePointer<Float>, outer: UnsafePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) {
        let d = dimension, r = rank, scale = gradient, shift = gradient + d, left = shift + d, right = left + d * r
        gradient.update(repeating: 0, count: DomainAdapters.width(dimension: d, rank: r))
        for row in 0..<count {
            let u = users + row * d, g = outer + row * d
            for index in 0..<d {
                scale[index] += g[index] * u[index]
                shift[index] += g[index]
            }
        }
        guard r > 0 else { return }
        Kernels.multiply(
            rows: d, columns: r, inner: count, outer, stride: d, transposed: true, inner, stride: r, into: left, stride: r, threads: 1)
        Kernels.multiply(
            rows: count, columns: r, inner: d, outer, stride: d, adapter + 2 * d, stride: r, into: scratch, stride: r, threads: 1)
        Kernels.multiply(
            rows: r, columns: d, inner: count, scratch, stride: r, transposed: true, users, stride: d, into: right, stride: d, threads: 1)
    }
}
