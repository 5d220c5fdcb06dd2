/// Builds the text format that Prometheus reads (exposition format 0.0.4).
struct PrometheusText {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""
    private var name = ""

    /// Starts a metric; its samples follow.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Writes one value of the metric begun last.
    mutating func sample(_ labels: [(String, String)], _ value: Double, suffix: String = "") {
        text += name
        text += suffix
        if !labels.isEmpty {
            text += "{"
            for (index, label) in labels.enumerated() {
                if index > 0 { text += "," }
                text += "\(label.0)=\"\(Self.escaped(label.1, quotes: true))\""
            }
            text += "}"
        }
        text += " \(Self.number(value))\n"
    }

    /// Writes metrics that came from elsewhere, those of one name together as the format asks.
    mutating func write(_ gauges: [Gauge]) {
        var names: [String] = []
        var grouped: [String: [Gauge]] = [:]
        for gauge in gauges {
            if grouped[gauge.name] == nil { names.append(gauge.name) }
            grouped[gauge.name, default: []].append(gauge)
        }
        for name in names {
            guard let group = grouped[name], let first = group.first else { continue }
            begin(name, first.kind == .counter ? .counter : .gauge, first.help)
            for gauge in group {
                sample(gauge.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, gauge.value)
            }
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
        return value.description
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
