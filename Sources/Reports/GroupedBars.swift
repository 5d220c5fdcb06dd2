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
        func y(_ value: Double) -> Double {
            Self.height - Self.bottom - value / ticks.range.upperBound * (Self.height - Self.top - Self.bottom)
        }
        var text = SVGElement.open(width: Self.width, height: Self.height, title: title)
        text += SVGElement.rows(ticks, from: Self.left, to: Self.width - Self.right, y: y)
        let groupWidth = (Self.width - Self.left - Self.right) / Double(groups.count)
        for (place, group) in groups.enumerated() {
            let start = Self.left + groupWidth * (Double(place) + 0.08), room = groupWidth * 0.84
            let barWidth = min(34, room / Double(max(1, group.bars.count)))
            let offset = start + (room - barWidth * Double(group.bars.count)) / 2
            for (index, bar) in group.bars.enumerated() where bar.value.isFinite {
                let frame = SVGElement.frame(
                    x: offset + barWidth * Double(index) + 1, y: y(bar.value), width: barWidth - 2, height: y(0) - y(bar.value), radius: 2)
                text += "<rect class=\"fill \(bar.style)\" \(frame)>"
                text += SVGElement.title("\(bar.name), \(group.name): \(HTMLText.number(bar.value))") + "</rect>"
            }
            let middle = start + room / 2
            text += SVGElement.text(group.name, style: "name other", x: middle, y: Self.height - Self.bottom + 19, anchor: "middle")
            text += SVGElement.text(group.note, style: "tick", x: middle, y: Self.height - Self.bottom + 36, anchor: "middle")
        }
        return text + "</svg>"
    }
}
