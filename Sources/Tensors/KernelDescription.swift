import COpenBLAS
import CKernels

extension Kernels {
    /// The instruction set that this library's own loops use here: `x86-64-v4` (AVX-512), `x86-64-v3` (AVX2 with fused
    /// multiply-add), `x86-64`, `arm64` or `generic`.
    public static var instructionSet: String { String(cString: fk_instruction_set()) }

    /// The processor type whose loops OpenBLAS uses, such as `Haswell` or `Cooperlake`. Where it does not know the processor, one that
    /// fits is chosen before the program starts.
    public static var openBLASCore: String {
        guard let name = openblas_get_corename() else { return "unknown" }
        return String(cString: name)
    }

    /// Whether products asked for in bfloat16 run in it here: the processor has AVX-512 and its bfloat16 instructions.
    public static var hasBFloat16: Bool { ProductEngine.bfloat16.isAvailable }

    /// Whether products in bfloat16 take less time here than in float32: what a setting `auto` goes by.
    public static var isBFloat16Faster: Bool { fk_bfloat16_is_faster() != 0 }

    /// The value of `OPENBLAS_CORETYPE` in the environment, which OpenBLAS obeys; nil where it is not set or empty.
    public static var forcedOpenBLASCore: String? {
        fk_environment("OPENBLAS_CORETYPE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What numeric code runs on here, for benchmarks and diagnosis.
    public static var facts: KernelFacts {
        KernelFacts(
            instructionSet: instructionSet, ownProducts: ProductEngine.float32.isAvailable, bfloat16: hasBFloat16,
            openBLASCore: openBLASCore, forcedOpenBLASCore: forcedOpenBLASCore, slowedBySetting: slowedBySetting,
            processors: Threads.processors, threads: Threads.current, blasThreads: Threads.blas)
    }

    /// `facts` in one line.
    public static var description: String { facts.description }

    /// A sentence that names an environment setting which makes this machine compute slower than it could, or nil.
    ///
    /// OpenBLAS reads its settings while it is loaded: the process must be started again without the setting.
    public static var slowedBySetting: String? {
        slowingSetting(
            forcedCore: forcedOpenBLASCore, chosenCore: openBLASCore, instructionSet: instructionSet)
    }

    /// The reasoning of `slowedBySetting` on given facts.
    ///
    /// - Parameters:
    ///   - forcedCore: value of `OPENBLAS_CORETYPE`, nil where it is not set.
    ///   - chosenCore: what OpenBLAS reports.
    ///   - instructionSet: what the processor can do, as `instructionSet` names it.
    public static func slowingSetting(forcedCore: String?, chosenCore: String, instructionSet: String) -> String? {
        guard let forcedCore, !forcedCore.isEmpty else { return nil }
        let core = chosenCore.lowercased()
        let wide: Set = ["skylakex", "cooperlake", "sapphirerapids"]
        let medium: Set = ["haswell", "zen", "excavator"]
        let lost: String
        switch instructionSet {
        case "x86-64-v4" where !wide.contains(core): lost = "AVX-512"
        case "x86-64-v3" where !wide.contains(core) && !medium.contains(core): lost = "AVX2"
        default: return nil
        }
        return "OPENBLAS_CORETYPE=\(forcedCore) makes OpenBLAS use its \(chosenCore) loops although this processor has \(lost); "
            + "unset it and start again"
    }

    /// The core whose loops fit a processor better than what OpenBLAS chose for want of knowing it; nil where the choice fits.
    public static func fittingCore(chosen: String, instructionSet: String, hasBFloat16: Bool) -> String? {
        fk_fitting_core(chosen, instructionSet, hasBFloat16 ? 1 : 0).map { String(cString: $0) }
    }

    /// Lets the whole process keep up to `bytes` of freed memory for the next matrices, for roles that train: otherwise every
    /// step asks the system for its large matrices anew and pays for each page. Call it once at start. Only glibc listens.
    public static func keepFreedMemory(bytes: Int) {
        precondition(bytes >= 0, "\(bytes) bytes of freed memory cannot be kept")
        fk_keep_freed_memory(bytes)
    }

    /// Lets the allocator have at most as many arenas as there are processors, and two: an arena gives a page back only when nothing
    /// on it is in use, so few arenas return more. For roles that live long; call it once at start. Only glibc listens.
    public static func limitArenas() {
        fk_limit_arenas(Int32(clamping: Swift.max(2, Threads.processors)))
    }

    /// Has blocks of `bytes` and more come from the system and go back to it as soon as they are freed: glibc else keeps more and larger
    /// ones among the small pieces with each large one that is freed, and the pages between do not go back. For roles that live long;
    /// call it once at start. Only glibc listens.
    public static func returnLargeBlocks(ofBytes bytes: Int) {
        precondition(bytes > 0, "blocks of \(bytes) bytes cannot be told apart")
        fk_return_large_blocks(bytes)
    }

    /// Gives pages that hold nothing but freed memory back to the system. Takes milliseconds; other threads' allocations may wait for it.
    public static func returnFreedMemory() {
        fk_return_freed_memory()
    }
}

/// Which numeric code runs in this process. Figures mean little without it.
public struct KernelFacts: Sendable, Equatable, CustomStringConvertible {
    /// The instruction set of our own loops; see `Kernels.instructionSet`.
    public let instructionSet: String
    /// Whether large float32 products run in loops of our own rather than in OpenBLAS.
    public let ownProducts: Bool
    /// Whether products asked for in bfloat16 run in it.
    public let bfloat16: Bool
    /// The processor type that OpenBLAS chose its loops for.
    public let openBLASCore: String
    /// What the environment told OpenBLAS to choose, if anything.
    public let forcedOpenBLASCore: String?
    /// What is lost by that setting, as a sentence; nil where nothing is.
    public let slowedBySetting: String?
    /// Processors that the process may run on.
    public let processors: Int
    /// Slots of `parallelFor` where the caller does not say.
    public let threads: Int
    /// Threads of one OpenBLAS call.
    public let blasThreads: Int

    /// One line.
    public var description: String {
        let forced =
            forcedOpenBLASCore.map { " (OPENBLAS_CORETYPE=\($0)\(slowedBySetting == nil ? "" : ", slower than this processor"))" } ?? ""
        return "OpenBLAS core \(openBLASCore)\(forced), \(blasThreads) BLAS thread(s) a call, \(threads) of \(processors) "
            + "processors in use, own loops \(instructionSet)\(ownProducts ? " with products" : "")\(bfloat16 ? " and bf16" : "")"
    }
}
