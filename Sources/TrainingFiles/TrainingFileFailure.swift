/// Why a training file could not be written or read, in a sentence for a person.
package struct TrainingFileFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
