/// Elements of inline drawings: coordinates are written with one decimal, texts are escaped where they enter.
enum SVGElement {
    /// The start of a drawing of a size, with a title for who cannot see it.
    static func open(width: Double, height: Double, title: String) -> String {
        "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"\(HTMLText.escaped(title))\">"
    }

    /// A text at a place; `anchor` is `start`, `middle` or `end`, nil leaves the attribute out.
    static func text(_ text: String, style: String, x: Double, y: Double, anchor: String? = nil) -> String {
        let anchor = anchor.map { " text-anchor=\"\($0)\"" } ?? ""
        return "<text class=\"\(style)\" x=\"\(at(x))\" y=\"\(at(y))\"\(anchor)>\(HTMLText.escaped(text))</text>"
    }

    /// A straight line.
    static func line(style: String, x: (Double, Double), y: (Double, Double)) -> String {
        "<line class=\"\(style)\" x1=\"\(at(x.0))\" x2=\"\(at(x.1))\" y1=\"\(at(y.0))\" y2=\"\(at(y.1))\"/>"
    }

    /// A line across at every tick, with its number before it.
    static func rows(_ ticks: AxisTicks, from left: Double, to right: Double, y: (Double) -> Double) -> String {
        ticks.values.map { tick in
            let number = HTMLText.number(tick, decimals: ticks.decimals)
            return line(style: "grid", x: (left, right), y: (y(tick), y(tick)))
                + text(number, style: "tick", x: left - 8, y: y(tick) + 4, anchor: "end")
        }.joined()
    }

    /// The attributes of a rectangle with round corners.
    static func frame(x: Double, y: Double, width: Double, height: Double, radius: Int) -> String {
        "x=\"\(at(x))\" y=\"\(at(y))\" width=\"\(at(width))\" height=\"\(at(height))\" rx=\"\(radius)\""
    }

    /// The attributes of a circle.
    static func circle(x: Double, y: Double, radius: Int) -> String { "cx=\"\(at(x))\" cy=\"\(at(y))\" r=\"\(radius)\"" }

    /// What is said where one points at something.
    static func title(_ text: String) -> String { "<title>\(HTMLText.escaped(text))</title>" }

    private static func at(_ value: Double) -> String { HTMLText.coordinate(value) }
}
