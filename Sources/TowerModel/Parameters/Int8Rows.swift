import Tensors

/// Rows as whole numbers from −127 to 127 with a scale each: value = number · scale, symmetric, so that zero stays zero.
///
/// A scale is the nearest bfloat16 to the row's largest size over 127. So a number has 7 bits and a scale 8, their product is exact in a
/// Float, and rounding what was rounded changes nothing.
public struct Int8Rows: Sendable, Equatable {
    /// Row-major `[scales.count, columns]`.
    public var codes: [Int8]
    /// One a row.
    public var scales: [Float]

    /// Makes rows from their parts, as read from a file.
    public init(codes: [Int8], scales: [Float]) {
        (self.codes, self.scales) = (codes, scales)
    }

    /// Rounds `[rows, columns]` values; what is not finite becomes 0.
    public init(_ values: [Float], rows: Int) {
        precondition(rows > 0 ? values.count % rows == 0 : values.isEmpty, "\(values.count) values in \(rows) rows")
        let columns = rows > 0 ? values.count / rows : 0
        codes = [Int8](repeating: 0, count: values.count)
        scales = []
        values.withUnsafeBufferPointer { values in
            for row in 0..<rows {
                guard let start = values.baseAddress.map({ $0 + row * columns }) else {
                    scales.append(0)
                    continue
                }
                let scale = Self.scale(of: start, count: columns)
                scales.append(scale)
                guard scale > 0 else { continue }
                for index in 0..<columns { codes[row * columns + index] = Int8(Self.code(start[index], scale: scale)) }
            }
        }
    }

    /// The values, `[scales.count, columns]`.
    public var values: [Float] {
        let columns = scales.isEmpty ? 0 : codes.count / scales.count
        return codes.indices.map { Float(codes[$0]) * scales[$0 / max(1, columns)] }
    }

    /// The scale of a row; 0 for a row of zeros.
    package static func scale(of row: UnsafePointer<Float>, count: Int) -> Float {
        var largest: Float = 0
        for index in 0..<count where abs(row[index]).isFinite { largest = max(largest, abs(row[index])) }
        // So small a row is nothing, and its scale would lose bits.
        guard largest > 1e-30 else { return 0 }
        let bits = (largest / 127).bitPattern
        return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
    }

    static func code(_ value: Float, scale: Float) -> Float {
        guard value.isFinite else { return 0 }
        return max(-127, min(127, (value / scale).rounded(.toNearestOrAwayFromZero)))
    }

    /// Rounds one row where it lies, or into `target`.
    package static func round(_ row: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int) {
        let scale = scale(of: row, count: count)
        guard scale > 0 else {
            target.update(repeating: 0, count: count)
            return
        }
        for index in 0..<count { target[index] = code(row[index], scale: scale) * scale }
    }
}

extension DenseParameter {
    /// Whether a quantised model keeps it in 8 bits: the weights of layers. Biases, norms and attention's small tables stay Float32.
    var isQuantised: Bool { decays }
}

extension TowerParameters {
    /// These parameters as a quantised model has them.
    package func rounded() -> TowerParameters {
        let result = TowerParameters(shape)
        result.round(self)
        return result
    }

    /// Takes over all of `source`, rounded.
    package func round(_ source: TowerParameters) {
        roundDense(source)
        for table in TableParameter.allCases { roundRows(of: table, (0..<table.rows(in: shape)).map { Int32($0) }, of: source) }
    }

    /// Takes over the dense block of `source`, rounded.
    package func roundDense(_ source: TowerParameters) {
        dense.copy(from: source.dense)
        for parameter in DenseParameter.allCases where parameter.isQuantised {
            let size = parameter.size(in: shape), offset = layout.offset(parameter)
            for row in 0..<size.rows {
                let place = offset + row * size.columns
                Int8Rows.round(source.dense.start + place, into: dense.start + place, count: size.columns)
            }
        }
    }

    /// Takes over some rows of a table of `source`, rounded.
    package func roundRows(of table: TableParameter, _ rows: [Int32], of source: TowerParameters) {
        let d = shape.dimension, from = source.table(table).start, to = self.table(table).start
        rows.withUnsafeBufferPointer { rows in
            parallelFor(count: rows.count, minimumChunk: 256) { range, _ in
                for index in range {
                    let place = Int(rows[index]) * d
                    Int8Rows.round(from + place, into: to + place, count: d)
                }
            }
        }
    }
}
