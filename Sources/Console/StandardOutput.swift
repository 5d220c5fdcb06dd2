import Foundation

/// Standard output, where results go.
public enum StandardOutput {
    private static let news = BoundedLineOutput(descriptor: STDOUT_FILENO)

    /// Writes a line of a role that goes on whether or not somebody gets it. What cannot be written is dropped; the log tells so once, and
    /// the next line that is written how many there were.
    public static func news(_ text: String) {
        let wasWhole = news.droppedLines == 0
        guard !news.write(text + "\n", note: { _, _ in "" }), wasWhole else { return }
        StandardError.write("standard output takes no lines; what this command tells there is dropped until it does\n")
    }

    /// Writes `text` and a line end. Where that cannot be done, the process ends with a sentence and status 1: a result that nobody
    /// gets is no success.
    public static func line(_ text: String) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let taken = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            bytes = bytes.dropFirst(max(0, taken))
            guard taken <= 0 else { continue }
            let code = errno
            guard waits(for: code) else {
                StandardError.write("Error: cannot write to standard output: \(String(cString: strerror(code)))\n")
                exit(1)
            }
        }
    }

    /// Whether an error of a write passes: until there is room again, or at once.
    private static func waits(for code: Int32) -> Bool {
        var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        if code == EAGAIN { _ = poll(&output, 1, -1) }
        return code == EAGAIN || code == EINTR
    }
}
