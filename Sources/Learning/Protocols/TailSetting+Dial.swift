import Recommending
import Reports

extension TailSetting {
    /// What a value asks of serving; nil for settings of which serving knows nothing.
    package func dial(_ value: Double) -> TailDial? {
        switch self {
        case .tailLift: TailDial(lift: Float(value))
        case .tailDial: TailDial(lambda: Float(value))
        default: nil
        }
    }
}
