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

    private static let width = 720.0, rowHeight = 30.0, right = 80.0, top = 8.0, bottom = 26.0

    /// Room for names, in pixels: at least and at most, and a letter of them.
    private static let namesAtLeast = 190.0, namesAtMost = 360.0, letter = 6.8

    /// Where bars begin: behind the longest name.
    private var left: Double {
        let longest = rows.map(\.name.count).max() ?? 0
        return min(Self.namesAtMost, max(Self.namesAtLeast, 24 + Self.letter * Double(longest)))
    }

    var svg: String {
        guard !rows.isEmpty else { return "" }
        let height = Self.top + Self.bottom + Self.rowHeight * Double(rows.count)
        // What is no number has no place, and no say in the scale.
        let largest = rows.flatMap { [$0.high, $0.mean] }.filter(\.isFinite).max() ?? 0
        let ticks = AxisTicks(covering: 0...max(largest, 1e-6))
        let left = left
        func x(_ value: Double) -> Double { left + value / ticks.range.upperBound * (Self.width - left - Self.right) }
        var text = SVGElement.open(width: Self.width, height: height, title: title)
        for tick in ticks.values {
            text += SVGElement.line(style: "grid", x: (x(tick), x(tick)), y: (Self.top, height - Self.bottom))
            text += SVGElement.text(
                HTMLText.number(tick, decimals: ticks.decimals), style: "tick", x: x(tick), y: height - Self.bottom + 18, anchor: "middle")
        }
        for (place, row) in rows.enumerated() {
            let middle = Self.top + Self.rowHeight * (Double(place) + 0.5)
            let style = row.isOwn ? "own" : "other"
            text += SVGElement.text(row.name, style: "name \(style)", x: left - 12, y: middle + 5, anchor: "end")
            let frame = SVGElement.frame(x: x(0), y: middle - 8, width: max(0, x(row.mean) - x(0)), height: 16, radius: 3)
            text += "<rect class=\"bar \(style)\" \(frame)/>"
            text += SVGElement.line(style: "whisker", x: (x(row.low), x(row.high)), y: (middle, middle))
            for end in [row.low, row.high] {
                text += SVGElement.line(style: "whisker", x: (x(end), x(end)), y: (middle - 5, middle + 5))
            }
            text += SVGElement.text(
                HTMLText.number(row.mean), style: "value", x: max(x(row.high), x(row.mean)) + 8, y: middle + 5)
        }
        return text + "</svg>"
    }
}
