/// When a server gives back what it has freed: once it has grown by a part of what it had after the last time.
struct GrowthWatch {
    /// Growth that is left alone, in percent of what the process had.
    static let leastGrowthPercent = 5
    /// Growth that is left alone in any case, in bytes.
    static let leastGrowthBytes = 2 << 20

    private var base: Int?

    /// Told now and then what the process has; true where it is time to give back.
    mutating func isDue(bytes: Int?) -> Bool {
        guard let bytes else { return false }
        guard let base else {
            base = bytes
            return false
        }
        return bytes - base >= max(Self.leastGrowthBytes, base / 100 * Self.leastGrowthPercent)
    }

    /// Told what was left.
    mutating func gaveBack(bytes: Int?) { base = bytes }
}
