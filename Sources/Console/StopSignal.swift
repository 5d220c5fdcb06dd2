import Dispatch
import Foundation
import Synchronization

/// Whether somebody asked the process to stop: SIGTERM and SIGINT for batch commands, graceful shutdown for roles.
public final class StopSignal: Sendable {
    private let raised = Mutex(false)

    /// A signal that nobody has raised yet.
    public init() {}

    /// Asked for?
    public var isRaised: Bool { raised.withLock { $0 } }

    /// Asks.
    public func raise() { raised.withLock { $0 = true } }

    /// A stop that SIGINT and SIGTERM ask for. A second signal ends the process at once.
    public static func onSignals() -> StopSignal {
        let stop = StopSignal()
        // A queue of its own has a thread of its own: on one processor, as a rank of mpirun has it, a training takes all others.
        let queue = DispatchQueue(label: "freshet-signals")
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if stop.isRaised { exit(130) }
                stop.raise()
            }
            source.resume()
            // Held for the life of the process: a source that is let go no longer fires.
            _ = Unmanaged.passRetained(source as AnyObject)
        }
        return stop
    }
}
