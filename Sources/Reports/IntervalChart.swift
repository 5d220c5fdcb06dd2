/// Means with their intervals, one row each, on one scale, as inline SVG.
struct IntervalChart {
    /// One row.
    struct Row {
        var name: String
        var mean: Double
        var low, high: Double
        var isOwn: Bool
    }

    var title: String
    var rows: [Row]

    private static let width = 720.0, rowHeight = 30.0, left = 190.0, right = 80.0, top = 8.0, bottom = 26.0

    var svg: String {
        guard !rows.isEmpty else { return "" }
        let height = Self.top + Self.bottom + Self.rowHeight * Double(rows.count)
        let ticks = AxisTicks(covering: 0...max(rows.map(\.high).max() ?? 0, rows.map(\.mean).max() ?? 0, 1e-6))
        func x(_ value: Double) -> Double { Self.left + value / ticks.range.upperBound * (Self.width - Self.left - Self.right) }
        var text = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\" aria-label=\"\(HTMLText.escaped(title))\">"
        for tick in ticks.values {
            let at = HTMLText.coordinate(x(tick))
            text += "<line class=\"grid\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(Int(Self.top))\" y2=\"\(Int(height - Self.bottom))\"/>"
            text += "<text class=\"tick\" x=\"\(at)\" y=\"\(Int(height - Self.bottom + 18))\" text-anchor=\"middle\">\(HTMLText.number(tick, decimals: ticks.decimals))</text>"
        }
        for (place, row) in rows.enumerated() {
            let middle = Self.top + Self.rowHeight * (Double(place) + 0.5)
            let style = row.isOwn ? "own" : "other"
            text += "<text class=\"name \(style)\" x=\"\(Int(Self.left - 12))\" y=\"\(HTMLText.coordinate(middle + 5))\" text-anchor=\"end\">\(HTMLText.escaped(row.name))</text>"
            text += "<rect class=\"bar \(style)\" x=\"\(HTMLText.coordinate(x(0)))\" y=\"\(HTMLText.coordinate(middle - 8))\" width=\"\(HTMLText.coordinate(max(0, x(row.mean) - x(0))))\" height=\"16\" rx=\"3\"/>"
            text += "<line class=\"whisker\" x1=\"\(HTMLText.coordinate(x(row.low)))\" x2=\"\(HTMLText.coordinate(x(row.high)))\" y1=\"\(HTMLText.coordinate(middle))\" y2=\"\(HTMLText.coordinate(middle))\"/>"
            for end in [row.low, row.high] {
                text += "<line class=\"whisker\" x1=\"\(HTMLText.coordinate(x(end)))\" x2=\"\(HTMLText.coordinate(x(end)))\" y1=\"\(HTMLText.coordinate(middle - 5))\" y2=\"\(HTMLText.coordinate(middle + 5))\"/>"
            }
            text += "<text class=\"value\" x=\"\(HTMLText.coordinate(max(x(row.high), x(row.mean)) + 8))\" y=\"\(HTMLText.coordinate(middle + 5))\">\(HTMLText.number(row.mean))</text>"
        }
        return text + "</svg>"
    }
}
