import Foundation

/// What this process holds of the machine's memory.
public enum ProcessMemory {
    /// Beside files, in bytes, as `RssAnon` in `/proc/PID/status`; nil where the system does not tell.
    public static var anonymousBytes: Int? {
        let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return text.flatMap { anonymousBytes(statm: $0, pageBytes: Int(getpagesize())) }
    }

    /// The same of the text of `/proc/PID/statm`, which counts pages: all, resident, shared with files, …
    package static func anonymousBytes(statm: String, pageBytes: Int) -> Int? {
        let pages = statm.split(separator: " ").compactMap { Int($0) }
        return pages.count > 2 ? max(0, pages[1] - pages[2]) * pageBytes : nil
    }
}
