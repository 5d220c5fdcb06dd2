/// What a schema says of a value beyond its type: a number that is a day, bytes that are a decimal.
package enum ValueMeaning: Sendable, Equatable {
    /// Nothing.
    case plain
    /// Bytes that are a whole number, with so many digits behind the point.
    case decimal(scale: Int)
    /// An object of bytes, `value`, and their digits behind the point, `scale`.
    case variableDecimal
    /// Days since 1970-01-01.
    case date
    /// Since midnight.
    case timeOfDay(TypedText.Step)
    /// Since 1970; local where it is what some place's clocks showed.
    case timestamp(TypedText.Step, isLocal: Bool)
    /// A text that is JSON.
    case json

    /// What a name of Kafka Connect's or Debezium's types says; nil of a name that says nothing more than the type.
    ///
    /// Debezium's timestamps are of columns without a zone, so that they are local. Connect's own is used for such columns, too
    /// (`time.precision.mode: connect`).
    ///
    /// - Parameter scale: of a decimal, the digits behind the point; nil where the schema names none.
    package init?(connectName name: String, scale: Int?) {
        switch name {
        case "org.apache.kafka.connect.data.Decimal": self = .decimal(scale: scale ?? 0)
        case "io.debezium.data.VariableScaleDecimal": self = .variableDecimal
        case "org.apache.kafka.connect.data.Date", "io.debezium.time.Date": self = .date
        case "org.apache.kafka.connect.data.Time", "io.debezium.time.Time": self = .timeOfDay(.milliseconds)
        case "io.debezium.time.MicroTime": self = .timeOfDay(.microseconds)
        case "io.debezium.time.NanoTime": self = .timeOfDay(.nanoseconds)
        case "org.apache.kafka.connect.data.Timestamp", "io.debezium.time.Timestamp": self = .timestamp(.milliseconds, isLocal: true)
        case "io.debezium.time.MicroTimestamp": self = .timestamp(.microseconds, isLocal: true)
        case "io.debezium.time.NanoTimestamp": self = .timestamp(.nanoseconds, isLocal: true)
        case "io.debezium.data.Json": self = .json
        default: return nil
        }
    }

    /// Appends a whole number by what it means.
    package func append(number: Int64, to output: inout [UInt8]) {
        switch self {
        case .date: TypedText.append(days: number, to: &output)
        case .timeOfDay(let step): TypedText.append(timeOfDay: number, step, to: &output)
        case .timestamp(let step, let isLocal): TypedText.append(timestamp: number, step, isLocal: isLocal, to: &output)
        case .plain, .decimal, .variableDecimal, .json: TypedText.append(number: number, to: &output)
        }
    }
}
