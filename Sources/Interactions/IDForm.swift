/// Brings ids, labels and texts that look the same to one spelling.
///
/// Swift compares text by canonical equivalence, PostgreSQL and Kafka by bytes: without one spelling, "é" as one scalar and "e" with
/// an accent would be one user here and two there, and a word of one feed another word in the next. Unicode's tables are not part of this
/// target, so the form is given from outside, usually Unicode Normalization Form C.
public struct IDForm: Sendable, Equatable {
    /// What two forms are compared by: `NFC`.
    public let name: String
    private let transform: @Sendable (String) -> String

    /// Makes a form. `transform` must give equal texts for texts that are canonically equivalent.
    public init(name: String, _ transform: @escaping @Sendable (String) -> String) {
        self.name = name
        self.transform = transform
    }

    /// The text in this form. Plain ASCII is in every form already.
    public func of(_ id: String) -> String {
        id.utf8.allSatisfy { $0 < 0x80 } ? id : transform(id)
    }

    public static func == (left: IDForm, right: IDForm) -> Bool { left.name == right.name }
}
