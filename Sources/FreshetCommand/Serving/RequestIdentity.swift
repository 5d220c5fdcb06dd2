/// Makes the ids of answers.
enum RequestIdentity {
    /// `r` and 13 characters (64 bits) from the system's random numbers: unique for all practical purposes.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        var bits = generator.next()
        var text = "r"
        text.reserveCapacity(14)
        for _ in 0..<13 {
            text.unicodeScalars.append(alphabet[Int(bits & 31)])
            bits >>= 5
        }
        return text
    }

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".unicodeScalars)
}
