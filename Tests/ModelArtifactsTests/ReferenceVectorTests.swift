import Foundation
import ModelArtifacts
import TextEncoding
import Testing

/// Compares with vectors that sentence-transformers 5 computed with all-MiniLM-L6-v2 in float32. The model is not part of this
/// project: `ops/text-encoder DIR` fetches it, and `FRESHET_TEXT_ENCODER=DIR` names it to this test.
@Suite struct ReferenceVectorTests {
    private static let folder = ProcessInfo.processInfo.environment["FRESHET_TEXT_ENCODER"] ?? ""

    private struct Reference {
        var text: String
        /// The first components.
        var first: [Float]
        /// The sums of all components times sin(place + 1) and cos(place + 1): an error anywhere shows.
        var sine, cosine: Double
    }

    private static let references = [
        Reference(
            text: "Trail shoe",
            first: [
                -0.119026, 0.018643, 0.031425, 0.036615, 0.051656, -0.041671, 0.084129, 0.042011, -0.024924, 0.009425, 0.057578, 0.072202,
                -0.035265, -0.015155, -0.042897, 0.076538,
            ],
            sine: -0.035140, cosine: 0.688428),
        Reference(
            text:
                "Toy Story (1995). A cowboy doll is profoundly threatened and jealous when a new spaceman figure supplants him as top toy "
                    + "in a boy's room.",
            first: [
                -0.053659, 0.005149, 0.038758, -0.004417, 0.024312, -0.023939, -0.003739, 0.04701, -0.034126, 0.019918, 0.034621, 0.049777,
                0.083478, 0.011521, 0.041125, 0.038349,
            ],
            sine: -0.825351, cosine: -0.418415),
        Reference(
            text: "Crème brûlée — 100 % naïve; Ärger & Übermut",
            first: [
                -0.002753, -0.045853, -0.01379, -0.020705, -0.039084, -0.030265, 0.080875, 0.003873, -0.035456, -0.014976, -0.041368,
                -0.03689, -0.048092, -0.087187, -0.024096, 0.050041,
            ],
            sine: 0.002821, cosine: -0.355758),
        Reference(
            text: "数据 science 東京",
            first: [
                0.081261, 0.029745, 0.093558, 0.01091, -0.030237, -0.032185, 0.0546, -0.026229, -0.026857, 0.00737, 0.125399, -0.149084,
                -0.021392, 0.022618, -0.068565, -0.05034,
            ],
            sine: -0.255558, cosine: -0.136494),
        Reference(
            text: "unbelievably antidisestablishmentarianism zzxqj",
            first: [
                -0.02259, 0.083991, -0.017173, 0.018681, -0.078413, -0.054125, 0.038463, -0.05775, -0.002776, 0.060309, 0.027746, -0.058443,
                0.112443, -0.049232, -0.080304, 0.011401,
            ],
            sine: -1.606322, cosine: -0.744913),
        Reference(
            text: String(repeating: "word ", count: 400),
            first: [
                -0.008124, -0.095586, -0.038673, 0.049662, -0.043794, 0.02372, -0.018142, -0.020207, -0.073948, 0.013865, 0.033743,
                -0.008836, 0.048457, 0.031023, 0.029014, 0.077903,
            ],
            sine: 0.551721, cosine: -0.141848),
    ]

    @Test(
        "the vectors of all-MiniLM-L6-v2 agree with those of the Python package to 1e-4",
        .enabled(if: !folder.isEmpty, "FRESHET_TEXT_ENCODER names no folder with all-MiniLM-L6-v2: ops/text-encoder fetches it"))
    func agreesWithPython() throws {
        let encoder = try TextEncoderFolder.load(Self.folder)
        let found = encoder.encode(Self.references.map(\.text), threads: 2)
        for (place, reference) in Self.references.enumerated() {
            let vector = found.row(place)
            for (own, theirs) in zip(vector, reference.first) { #expect(abs(own - theirs) < 1e-4, "\(reference.text.prefix(40))") }
            let sine = vector.enumerated().reduce(0.0) { $0 + Double($1.element) * sin(Double($1.offset + 1)) }
            let cosine = vector.enumerated().reduce(0.0) { $0 + Double($1.element) * cos(Double($1.offset + 1)) }
            // 384 differences of up to 1e-4 with either sign.
            #expect(abs(sine - reference.sine) < 1e-3 && abs(cosine - reference.cosine) < 1e-3, "\(reference.text.prefix(40))")
        }
        let rounded = encoder.encode(Self.references.map(\.text), threads: 2, precision: .bfloat16)
        for place in Self.references.indices {
            let likeness = zip(found.row(place), rounded.row(place)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            #expect(likeness > 0.999, "bfloat16: \(likeness)")
        }
    }
}
