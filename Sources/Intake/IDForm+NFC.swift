import Foundation
import Interactions

extension IDForm {
    /// Unicode Normalization Form C, which most text is in already.
    public static let nfc = IDForm(name: "NFC") { $0.precomposedStringWithCanonicalMapping }
}
