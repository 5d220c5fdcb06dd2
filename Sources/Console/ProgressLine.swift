import Foundation

/// Progress of long work: one line that rewrites itself on a terminal, plain lines every few seconds elsewhere.
///
/// Not thread-safe: one piece of work owns it.
public final class ProgressLine {
    private let title: String
    private let total: Int?
    private let started = ContinuousClock.now
    private var shown: ContinuousClock.Instant?
    private let interval: Duration
    private let terminal = StandardError.isTerminal

    /// Starts a line for `title`; with a `total`, a bar and the time left are shown.
    public init(_ title: String, total: Int? = nil) {
        self.title = title
        self.total = total
        interval = terminal ? .milliseconds(100) : .seconds(5)
    }

    /// Shows `done` units of work, at most a few times a second.
    public func update(_ done: Int, note: String = "") {
        let now = ContinuousClock.now
        if let shown, shown.duration(to: now) < interval { return }
        shown = now
        write(done, note: note, end: terminal ? "" : "\n")
    }

    /// Shows that `share` of the work is done, 0 to 1.
    public func update(share: Double, note: String) {
        let now = ContinuousClock.now
        if let shown, shown.duration(to: now) < interval { return }
        shown = now
        put(title + Self.bar(share) + "  " + note, end: terminal ? "" : "\n")
    }

    /// Shows the end of the work.
    public func finish(_ done: Int, note: String = "") {
        write(done, note: note, end: "\n")
    }

    private func write(_ done: Int, note: String, end: String) {
        let elapsed = started.duration(to: .now)
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = seconds > 0 ? Double(done) / seconds : 0
        var text = title
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            text += Self.bar(share)
            if rate > 0, done < total { text += ", \(Self.clock(Double(total - done) / rate)) left" }
        }
        text += "  \(done.formatted()) (\(Int(rate).formatted())/s)"
        if !note.isEmpty { text += "  " + note }
        put(text, end: end)
    }

    private func put(_ text: String, end: String) {
        StandardError.write((terminal ? "\r\u{1B}[2K" : "") + text + end)
    }

    private static func bar(_ share: Double) -> String {
        let full = Int(min(1, max(0, share)) * 24)
        return " [" + String(repeating: "█", count: full) + String(repeating: "·", count: 24 - full) + "] \(Int(share * 100)) %"
    }

    /// Seconds as people read them: `42 s`, `3 min 5 s`.
    public static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }
}
