import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Lines for people on a descriptor that may fail: a full disk, a reader that has gone or that no longer reads.
///
/// What cannot be written is dropped and counted; the first line that is taken afterwards comes behind one that says how many were lost and
/// why. Nobody waits for a reader for longer than ``waitMilliseconds``, and only once until it reads again. Lines of several threads do not
/// mix. All functions may be called from any thread.
public final class BoundedLineOutput: Sendable {
    /// How long the first line may wait for room; those after it do not wait until there is some again.
    public static let waitMilliseconds = 250
    /// Bytes that a pipe takes in one piece or not at all; POSIX knows no smaller bound that is in use.
    private static let pieceBytes = 4_096

    private struct State {
        /// The descriptor to write to, and whether a write to it may be one that waits; nil until the first line.
        var target: (descriptor: Int32, isSocket: Bool)?
        var droppedLines = 0
        /// Those of ``droppedLines`` that no line has told of yet.
        var untoldLines = 0
        var reason: Int32 = 0
        /// Whether the reader was waited for in vain.
        var isStuck = false
        /// Whether a line broke off in its middle.
        var owesLineEnd = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    /// Lines for `descriptor`, which stays the caller's.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Lines that were dropped so far.
    public var droppedLines: Int { state.withLock { $0.droppedLines } }

    /// Writes `text`, which ends with its line, or drops it.
    ///
    /// - Parameter note: makes the line that tells how many were dropped and why, with its end.
    /// - Returns: Whether it was written.
    @discardableResult
    public func write(_ text: String, note: (_ lines: Int, _ reason: String) -> String) -> Bool {
        state.withLock { state in
            var whole = state.owesLineEnd ? "\n" : ""
            if state.untoldLines > 0 { whole += note(state.untoldLines, Self.words(of: state.reason)) }
            whole += text
            guard let failure = put(Array(whole.utf8), &state) else {
                state.untoldLines = 0
                return true
            }
            state.reason = failure
            state.droppedLines += 1
            state.untoldLines += 1
            return false
        }
    }

    /// The error's number, or nil where all bytes were taken.
    private func put(_ bytes: [UInt8], _ state: inout State) -> Int32? {
        let target = state.target ?? Self.target(descriptor)
        state.target = target
        return bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let ready = Self.hasRoom(target.descriptor, waitMilliseconds: state.isStuck ? 0 : Self.waitMilliseconds)
                state.isStuck = !ready
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceBytes))
                let count = ready ? Self.writeOnce(piece, target) : -1
                let failure = ready ? errno : EAGAIN
                if count > 0 {
                    rest = rest.dropFirst(count)
                    state.owesLineEnd = !rest.isEmpty
                    continue
                }
                if count < 0, failure == EINTR { continue }
                // A pipe without room for the piece says so although it has some.
                if count < 0, failure == EAGAIN, ready { state.isStuck = true }
                return count == 0 ? ENOSPC : failure
            }
            return nil
        }
    }

    private static func hasRoom(_ descriptor: Int32, waitMilliseconds: Int) -> Bool {
        let clock = ContinuousClock.now
        while true {
            let waited = clock.duration(to: .now)
            let left = max(0, waitMilliseconds - Int(waited / .milliseconds(1)))
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = poll(&wanted, 1, Int32(left))
            // Of what cannot be waited for, the writing itself tells what is wrong.
            if ready != 0, !(ready < 0 && errno == EINTR) { return true }
            if ready == 0 { return false }
        }
    }

    /// A pipe is opened once more, so that no write to it waits: the flag would else be seen by all who share the descriptor.
    private static func target(_ descriptor: Int32) -> (descriptor: Int32, isSocket: Bool) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return (descriptor, false) }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFIFO else { return (descriptor, kind == S_IFSOCK) }
        let again = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        return (again >= 0 ? again : descriptor, false)
    }

    private static func writeOnce(_ bytes: UnsafeRawBufferPointer, _ target: (descriptor: Int32, isSocket: Bool)) -> Int {
        if target.isSocket { return send(target.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT)) }
        #if canImport(Glibc)
        return Glibc.write(target.descriptor, bytes.baseAddress, bytes.count)
        #else
        return Darwin.write(target.descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    private static func words(of code: Int32) -> String {
        switch code {
        case EAGAIN: "nobody read them in time"
        case EPIPE: "whoever read them has gone"
        default: String(cString: strerror(code))
        }
    }
}
