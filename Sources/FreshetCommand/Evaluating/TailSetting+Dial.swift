import Recommending
import Reports

extension TailSetting {
    /// A value of a dial; nothing for other settings.
    func dial(_ value: Double) -> TailDial {
        switch self {
        case .tailLift: TailDial(lift: Float(value))
        case .tailDial, .popularityDial: TailDial(lambda: Float(value))
        default: TailDial()
        }
    }
}
