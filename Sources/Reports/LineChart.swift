/// A small line chart as inline SVG: one line a series, points marked, colours by the page's style.
struct LineChart {
    /// One line.
    struct Series {
        var name: String
        /// x, y.
        var points: [(x: Double, y: Double)]
        /// A class of the page's style: `a` to `f`.
        var style: String
    }

    var title: String
    var xLabel: String
    var series: [Series]
    /// A point to be named, such as the best epoch.
    var marked: (x: Double, y: Double, label: String)?

    private static let width = 520.0, height = 240.0
    private static let left = 56.0, right = 16.0, top = 16.0, bottom = 36.0

    /// The drawing; nothing where there is no point.
    var svg: String {
        let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard let lowX = points.map(\.x).min(), let highX = points.map(\.x).max(), let lowY = points.map(\.y).min(),
            let highY = points.map(\.y).max()
        else { return "" }
        let ticks = AxisTicks(covering: lowY...max(lowY, highY))
        let spanX = max(highX - lowX, 1)
        func x(_ value: Double) -> Double { Self.left + (value - lowX) / spanX * (Self.width - Self.left - Self.right) }
        func y(_ value: Double) -> Double {
            let span = ticks.range.upperBound - ticks.range.lowerBound
            return Self.height - Self.bottom - (value - ticks.range.lowerBound) / span * (Self.height - Self.top - Self.bottom)
        }
        var text = SVGElement.open(width: Self.width, height: Self.height, title: title)
        text += SVGElement.rows(ticks, from: Self.left, to: Self.width - Self.right, y: y)
        let step = max(1, (spanX / 10).rounded(.up))
        for value in stride(from: lowX.rounded(.up), through: highX, by: step) {
            text += SVGElement.text(
                HTMLText.count(value), style: "tick", x: x(value), y: Self.height - Self.bottom + 18, anchor: "middle")
        }
        text += SVGElement.text(xLabel, style: "tick", x: Self.width - Self.right, y: Self.height - 2, anchor: "end")
        for line in series {
            // What is no number has no place.
            let known = line.points.filter { $0.x.isFinite && $0.y.isFinite }
            let places = known.map { "\(HTMLText.coordinate(x($0.x))),\(HTMLText.coordinate(y($0.y)))" }
            text += "<polyline class=\"line \(line.style)\" points=\"\(places.joined(separator: " "))\"/>"
            // Of many points the line alone says enough.
            if places.count <= 60 {
                for point in known {
                    text += "<circle class=\"dot \(line.style)\" \(SVGElement.circle(x: x(point.x), y: y(point.y), radius: 3))>"
                    let value = "\(HTMLText.count(point.x)): \(HTMLText.number(point.y))"
                    text += SVGElement.title("\(line.name), \(xLabel) \(value)") + "</circle>"
                }
            }
        }
        if let marked {
            let onRight = x(marked.x) < Self.width - 160
            text += "<circle class=\"ring\" \(SVGElement.circle(x: x(marked.x), y: y(marked.y), radius: 7))/>"
            text += SVGElement.text(
                marked.label, style: "note", x: x(marked.x) + (onRight ? 10 : -10), y: y(marked.y) - 12, anchor: onRight ? "start" : "end")
        }
        return text + "</svg>"
    }
}
