import Console
import Tensors

/// Returns what a process has freed to the system, where the allocator would keep it for later.
///
/// A build of a large index, or a wave of items that came and went, frees many small pieces; glibc keeps their pages in the arenas of
/// the threads that asked for them, and a page can go back only when nothing on it is in use. So there are no more arenas than
/// processors (`Kernels.limitArenas`), and pages are returned when a build has ended or `GrowthWatch` says so.
package enum FreedMemory {
    /// Gives back at once, where `growth` says that it is time. Takes milliseconds.
    package static func giveBack(ifDue growth: inout GrowthWatch) {
        guard growth.isDue(at: .now, bytes: { ProcessMemory.anonymousBytes }) else { return }
        Kernels.returnFreedMemory()
        growth.gaveBack(bytes: ProcessMemory.anonymousBytes)
    }

    /// The same on a thread of its own, where requests want the caller's.
    static func gaveBack(ifDue growth: GrowthWatch) async -> GrowthWatch {
        let looked = try? await OwnThread.run(named: "freshet-memory") {
            var growth = growth
            giveBack(ifDue: &growth)
            return growth
        }
        return looked ?? growth
    }

    /// Gives back on a thread of its own; allocations elsewhere wait a moment at most.
    static func giveBack() async {
        _ = try? await OwnThread.run(named: "freshet-memory") { Kernels.returnFreedMemory() }
    }
}
