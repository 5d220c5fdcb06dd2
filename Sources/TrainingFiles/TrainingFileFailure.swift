/// Why a training file could not be written or read, in a sentence for a person.
package struct TrainingFileFailure: Error, CustomStringConvertible {
    /// What was wrong and what to do, as a sentence.
    package let description: String

    /// Makes a failure.
    package init(_ description: String) {
        self.description = description
    }
}
