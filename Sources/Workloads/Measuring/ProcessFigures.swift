import Foundation
import Interactions
import Tensors

/// What this process has used of the machine so far.
package enum ProcessFigures {
    /// User and system time, in seconds, of all threads.
    package static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The most memory that this process ever held, in MiB; nil where the system does not tell.
    package static var peakMemoryMiB: Int? {
        (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)).flatMap(peakMemoryMiB(status:))
    }

    /// The same of the text of `/proc/PID/status`, which has it in KiB.
    package static func peakMemoryMiB(status: String) -> Int? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 / 1_024 }
    }

    /// The memory and the kernels in use, as the benches of training print them.
    static func add(to line: inout ResultLine) {
        line.add("peak_rss_mb", peakMemoryMiB.map { .integer($0) } ?? .null)
        line.add("kernels", .text(Kernels.description))
    }
}
