import Foundation
import Synchronization

/// A place where bytes come in from outside, and the inputs that are tried on it.
///
/// The environment says how many: `FRESHET_SOAK=1` takes the long count, `FRESHET_FUZZ_INPUTS` sets one for every door,
/// `FRESHET_FUZZ_SEED` another seed than 1, `FRESHET_FUZZ_FIRST` the number of the first input. While a door is tried the file
/// `NAME.progress` in `FRESHET_FUZZ_FOLDER` holds the seed and the number of the input, so that it outlives a crash; it goes when
/// the door is done.
public struct FuzzDoor: Sendable {
    /// What a door did with an input.
    public enum Outcome: Sendable {
        /// The input was taken.
        case accepted
        /// The input was refused, as it may be.
        case refused
        /// Something that must hold does not: a sentence.
        case broken(String)
    }

    /// What came of a run.
    public struct Report: Sendable {
        /// Inputs that were tried.
        public var inputs = 0
        /// Inputs that the door took.
        public var accepted = 0
        /// What did not hold, with the seed and the number of the input; at most ``FuzzDoor/findingsLimit``.
        public var findings: [String] = []

        /// A report of nothing.
        public init() {}
    }

    /// A run ends after so many findings.
    public static let findingsLimit = 8

    /// For people and for the table of `ops/soak fuzz`: words with dots.
    public let name: String
    /// The seed of the run.
    public let seed: UInt64
    /// The numbers of the inputs.
    public let indices: Range<Int>

    /// A door that is tried with `short` inputs in `ops/test` and with `long` ones in `ops/soak`.
    public init(_ name: String, short: Int, long: Int) {
        func number(_ variable: String) -> Int? { ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } }
        self.name = name
        seed = UInt64(bitPattern: Int64(number("FRESHET_FUZZ_SEED") ?? 1))
        let first = max(0, number("FRESHET_FUZZ_FIRST") ?? 0)
        let count = number("FRESHET_FUZZ_INPUTS") ?? (ProcessInfo.processInfo.environment["FRESHET_SOAK"] == "1" ? long : short)
        indices = first..<first + max(1, count)
    }

    /// Tries every input; a line with the counts goes to standard output. An input that takes over five seconds is named, one that
    /// takes two minutes ends the process.
    ///
    /// Between inputs other tests get their turn, so that those that wait for something are not kept waiting for the whole run.
    public func run(_ body: (inout FuzzSource, Int) throws -> Outcome) async -> Report {
        let watch = FuzzWatch(door: name, seed: seed, namesSlowInputs: true)
        defer { watch.end() }
        var report = Report()
        var turn = ContinuousClock.now
        for index in indices {
            watch.began(index)
            var source = FuzzSource(seed: seed, index: index)
            let outcome: Outcome
            do { outcome = try body(&source, index) } catch { outcome = .broken("threw \(error)") }
            guard note(outcome, index, in: &report) else { break }
            if index & 15 == 0, turn.duration(to: .now) > Self.turn {
                watch.rests()
                await Task.yield()
                turn = .now
            }
        }
        say(report)
        return report
    }

    private static let turn = Duration.milliseconds(10)

    /// As ``run(_:)``, for doors that wait: how long an input takes says nothing there, since other tests may hold the processors.
    public func runWaiting(_ body: (inout FuzzSource, Int) async throws -> Outcome) async -> Report {
        let watch = FuzzWatch(door: name, seed: seed, namesSlowInputs: false)
        defer { watch.end() }
        var report = Report()
        for index in indices {
            watch.began(index)
            var source = FuzzSource(seed: seed, index: index)
            let outcome: Outcome
            do { outcome = try await body(&source, index) } catch { outcome = .broken("threw \(error)") }
            guard note(outcome, index, in: &report) else { break }
        }
        say(report)
        return report
    }

    private func note(_ outcome: Outcome, _ index: Int, in report: inout Report) -> Bool {
        report.inputs += 1
        switch outcome {
        case .accepted: report.accepted += 1
        case .refused: break
        case .broken(let sentence): report.findings.append("door \(name), seed \(seed), input \(index): \(sentence)")
        }
        return report.findings.count < Self.findingsLimit
    }

    private func say(_ report: Report) {
        var text = "door \(name): \(report.inputs) inputs, \(report.accepted) accepted, \(report.findings.count) findings\n"
        for finding in report.findings { text += finding + "\n" }
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

/// Where a run is, for the time after a crash and for the case that an input takes too long.
private final class FuzzWatch: Sendable {
    /// An input that takes longer is named.
    static let slowSeconds = 5
    /// An input that takes longer ends the process: it hangs.
    static let hangSeconds = 120
    private static let digits = 19

    private let door: String
    private let seed: UInt64
    private let current = Atomic<Int>(0)
    private let isDone = Atomic<Bool>(false)
    private let path: String
    private let descriptor: Int32
    private let start: UInt
    private static let bytes = 128

    init(door: String, seed: UInt64, namesSlowInputs: Bool) {
        self.door = door
        self.seed = seed
        let folder = ProcessInfo.processInfo.environment["FRESHET_FUZZ_FOLDER"] ?? FileManager.default.temporaryDirectory.path
        path = "\(folder)/\(door).progress"
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        var mapped = UnsafeMutableRawPointer(bitPattern: 0)
        if descriptor >= 0, ftruncate(descriptor, off_t(Self.bytes)) == 0 {
            let found = mmap(nil, Self.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
            if found != MAP_FAILED { mapped = found }
        }
        start = UInt(bitPattern: mapped)
        if let mapped {
            mapped.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " "), count: Self.bytes)
            let tail = Array("\nseed \(seed)\n".utf8)
            tail.withUnsafeBytes {
                (mapped + Self.digits).copyMemory(from: $0.baseAddress!, byteCount: min($0.count, Self.bytes - Self.digits))
            }
        }
        if namesSlowInputs { Thread { [self] in watch() }.start() }
    }

    deinit {
        if start != 0 { munmap(UnsafeMutableRawPointer(bitPattern: start), Self.bytes) }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Notes the input that comes next. What is written to a shared mapping outlives the process.
    func began(_ index: Int) {
        current.store(index, ordering: .relaxed)
        guard let base = UnsafeMutableRawPointer(bitPattern: start) else { return }
        var rest = index
        var place = Self.digits - 1
        repeat {
            base.storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: place, as: UInt8.self)
            rest /= 10
            place -= 1
        } while rest > 0 && place >= 0
    }

    /// Notes that no input is under way.
    func rests() { current.store(-1, ordering: .relaxed) }

    func end() {
        isDone.store(true, ordering: .relaxed)
        unlink(path)
    }

    private func watch() {
        var seen = -1
        var seconds = 0
        while !isDone.load(ordering: .relaxed) {
            Thread.sleep(forTimeInterval: 1)
            let index = current.load(ordering: .relaxed)
            seconds = index == seen && index >= 0 ? seconds + 1 : 0
            seen = index
            if seconds == Self.slowSeconds { say("takes over \(Self.slowSeconds) s") }
            if seconds == Self.hangSeconds {
                say("hangs: it takes over \(Self.hangSeconds) s")
                abort()
            }
        }
    }

    private func say(_ words: String) {
        let text = "door \(door), seed \(seed), input \(current.load(ordering: .relaxed)) \(words)\n"
        FileHandle.standardError.write(Data(text.utf8))
    }
}
