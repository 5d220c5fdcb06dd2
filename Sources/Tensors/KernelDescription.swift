import COpenBLAS
import CKernels

extension Kernels {
    /// The instruction set that this library's own loops use here: `x86-64-v4` (AVX-512), `x86-64-v3` (AVX2 with fused
    /// multiply-add), `x86-64`, `arm64` or `generic`.
    public static var instructionSet: String { String(cString: fk_instruction_set()) }

    /// The processor type that OpenBLAS chose its loops for, such as `Haswell` or `Cooperlake`.
    public static var openBLASCore: String {
        guard let name = openblas_get_corename() else { return "unknown" }
        return String(cString: name)
    }

    /// One line on what numeric code runs on here, for benchmarks and diagnosis.
    public static var description: String {
        "OpenBLAS core \(openBLASCore), \(Threads.blas) BLAS thread(s) a call, \(Threads.current) of \(Threads.processors) "
            + "processors in use, own loops \(instructionSet)"
    }

    /// A sentence that names an environment setting which makes this machine compute slower than it could, or nil.
    ///
    /// OpenBLAS reads its settings while it is loaded: the process must be started again without the setting.
    public static var slowedBySetting: String? {
        slowingSetting(
            forcedCore: fk_environment("OPENBLAS_CORETYPE").map { String(cString: $0) }, chosenCore: openBLASCore,
            instructionSet: instructionSet)
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

    /// Lets the whole process keep up to `bytes` of freed memory for the next matrices, for roles that train: otherwise every
    /// step asks the system for its large matrices anew and pays for each page. Call it once at start. Only glibc listens.
    public static func keepFreedMemory(bytes: Int) {
        precondition(bytes >= 0, "\(bytes) bytes of freed memory cannot be kept")
        fk_keep_freed_memory(bytes)
    }
}
