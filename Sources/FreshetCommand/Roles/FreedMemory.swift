import Console
import Foundation
import Tensors

/// Returns what a process has freed to the system, where the allocator would keep it for later.
///
/// A build of a large index, or a wave of items that came and went, frees many small pieces; glibc keeps their pages in the arenas of
/// the threads that asked for them, and a page can go back only when nothing on it is in use. So there are no more arenas than
/// processors (`Kernels.limitArenas`), and pages are returned when a build has ended or a wave is over.
struct FreedMemory {
    /// Changes of items between two returns at least.
    static let leastChangedItems = 5_000

    /// How long nothing may have changed before a wave is over.
    static let quiet = Duration.seconds(5)

    private var returnedAt = 0
    private var lastSeen = 0
    private var seenAt = ContinuousClock.now

    /// Told at every look how many changes of items there were so far; gives back once a wave of them has ended.
    mutating func noticed(changedItems: Int) async {
        if changedItems != lastSeen {
            lastSeen = changedItems
            seenAt = .now
        }
        guard changedItems - returnedAt >= Self.leastChangedItems, seenAt.duration(to: .now) >= Self.quiet else { return }
        returnedAt = changedItems
        await giveBack()
    }

    /// The process's memory beside files, in bytes; nil where the system does not tell.
    static var anonymousBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let pages = text.split(separator: " ").compactMap { Int($0) }
        return pages.count > 2 ? (pages[1] - pages[2]) * Int(getpagesize()) : nil
    }

    /// Gives back on a thread of its own; allocations elsewhere wait a moment at most.
    func giveBack() async {
        _ = try? await OwnThread.run(named: "freshet-memory") { Kernels.returnFreedMemory() }
    }
}
