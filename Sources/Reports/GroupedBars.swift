/// Bars in groups, one group a slice, one bar a contestant, as inline SVG.
struct GroupedBars {
    /// One group.
    struct Group {
        var name: String
        /// Said below the name.
        var note: String
        var bars: [(name: String, value: Double, style: String)]
    }

    var title: String
    var groups: [Group]

    private static let width = 720.0, height = 260.0, left = 56.0, right = 8.0, top = 12.0, bottom = 46.0

    var svg: String {
        let largest = groups.flatMap(\.bars).map(\.value).filter(\.isFinite).max() ?? 0
        guard !groups.isEmpty, largest > 0 else { return "" }
        let ticks = AxisTicks(covering: 0...largest)
        func y(_ value: Double) -> Double { Self.height - Self.bottom - value / ticks.range.upperBound * (Self.height - Self.top - Self.bottom) }
        var text = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(HTMLText.escaped(title))\">"
        for tick in ticks.values {
            let at = HTMLText.coordinate(y(tick))
            text += "<line class=\"grid\" x1=\"\(Int(Self.left))\" x2=\"\(Int(Self.width - Self.right))\" y1=\"\(at)\" y2=\"\(at)\"/>"
            text += "<text class=\"tick\" x=\"\(Int(Self.left - 8))\" y=\"\(HTMLText.coordinate(y(tick) + 4))\" text-anchor=\"end\">\(HTMLText.number(tick, decimals: ticks.decimals))</text>"
        }
        let groupWidth = (Self.width - Self.left - Self.right) / Double(groups.count)
        for (place, group) in groups.enumerated() {
            let start = Self.left + groupWidth * (Double(place) + 0.08), room = groupWidth * 0.84
            let barWidth = min(34, room / Double(max(1, group.bars.count)))
            let offset = start + (room - barWidth * Double(group.bars.count)) / 2
            for (index, bar) in group.bars.enumerated() where bar.value.isFinite {
                text += "<rect class=\"fill \(bar.style)\" x=\"\(HTMLText.coordinate(offset + barWidth * Double(index) + 1))\" y=\"\(HTMLText.coordinate(y(bar.value)))\" width=\"\(HTMLText.coordinate(barWidth - 2))\" height=\"\(HTMLText.coordinate(y(0) - y(bar.value)))\" rx=\"2\">"
                text += "<title>\(HTMLText.escaped(bar.name)), \(HTMLText.escaped(group.name)): \(HTMLText.number(bar.value))</title></rect>"
            }
            let middle = HTMLText.coordinate(start + room / 2)
            text += "<text class=\"name other\" x=\"\(middle)\" y=\"\(Int(Self.height - Self.bottom + 19))\" text-anchor=\"middle\">\(HTMLText.escaped(group.name))</text>"
            text += "<text class=\"tick\" x=\"\(middle)\" y=\"\(Int(Self.height - Self.bottom + 36))\" text-anchor=\"middle\">\(HTMLText.escaped(group.note))</text>"
        }
        return text + "</svg>"
    }
}
