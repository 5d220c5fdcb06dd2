import Logging
import ModelArtifacts
import Tensors

extension ContentEncoder {
    /// The one that the configuration names; nil where it names none.
    ///
    /// - Throws: `ArtifactError` with the file at fault.
    static func load(_ configuration: Configuration, logger: Logger) throws -> ContentEncoder? {
        let folder = configuration.text(.contentEncoder)
        guard !folder.isEmpty else { return nil }
        let wanted = configuration.text(.contentEncoderPrecision)
        let precision: ProductPrecision = wanted == "float32" || (wanted == "auto" && !Kernels.isBFloat16Faster) ? .float32 : .bfloat16
        return try ContentEncoder(
            folder: folder, cachePath: configuration.text(.artifactsPath) + "/text-vectors.cache",
            cacheBytes: configuration.integer(.contentEncoderCacheMebibytes) << 20, precision: precision, logger: logger)
    }
}
