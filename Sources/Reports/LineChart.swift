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
        var text = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(HTMLText.escaped(title))\">"
        for tick in ticks.values {
            let at = HTMLText.coordinate(y(tick))
            text += "<line class=\"grid\" x1=\"\(Int(Self.left))\" x2=\"\(Int(Self.width - Self.right))\" y1=\"\(at)\" y2=\"\(at)\"/>"
            text += "<text class=\"tick\" x=\"\(Int(Self.left - 8))\" y=\"\(HTMLText.coordinate(y(tick) + 4))\" text-anchor=\"end\">\(HTMLText.number(tick, decimals: ticks.decimals))</text>"
        }
        let step = max(1, (spanX / 10).rounded(.up))
        for value in stride(from: lowX.rounded(.up), through: highX, by: step) {
            text += "<text class=\"tick\" x=\"\(HTMLText.coordinate(x(value)))\" y=\"\(Int(Self.height - Self.bottom + 18))\" text-anchor=\"middle\">\(HTMLText.count(value))</text>"
        }
        text += "<text class=\"tick\" x=\"\(Int(Self.width - Self.right))\" y=\"\(Int(Self.height - 2))\" text-anchor=\"end\">\(HTMLText.escaped(xLabel))</text>"
        for line in series {
            let places = line.points.filter { $0.x.isFinite && $0.y.isFinite }.map {
                "\(HTMLText.coordinate(x($0.x))),\(HTMLText.coordinate(y($0.y)))"
            }
            text += "<polyline class=\"line \(line.style)\" points=\"\(places.joined(separator: " "))\"/>"
            // Of many points the line alone says enough.
            if places.count <= 60 {
                for point in line.points {
                    text += "<circle class=\"dot \(line.style)\" cx=\"\(HTMLText.coordinate(x(point.x)))\" cy=\"\(HTMLText.coordinate(y(point.y)))\" r=\"3\">"
                    text += "<title>\(HTMLText.escaped(line.name)), \(HTMLText.escaped(xLabel)) \(HTMLText.count(point.x)): \(HTMLText.number(point.y))</title></circle>"
                }
            }
        }
        if let marked {
            let onRight = x(marked.x) < Self.width - 160
            text += "<circle class=\"ring\" cx=\"\(HTMLText.coordinate(x(marked.x)))\" cy=\"\(HTMLText.coordinate(y(marked.y)))\" r=\"7\"/>"
            text += "<text class=\"note\" x=\"\(HTMLText.coordinate(x(marked.x) + (onRight ? 10 : -10)))\" y=\"\(HTMLText.coordinate(y(marked.y) - 12))\" text-anchor=\"\(onRight ? "start" : "end")\">\(HTMLText.escaped(marked.label))</text>"
        }
        return text + "</svg>"
    }
}
