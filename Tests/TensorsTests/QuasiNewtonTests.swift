import Tensors
import Testing

@Suite("The minimum of a smooth function")
struct QuasiNewtonTests {
    /// Rosenbrock's valley: steep walls, a flat floor that bends.
    private static func valley(_ point: [Double]) -> (value: Double, gradient: [Double]) {
        let a = 1 - point[0], b = point[1] - point[0] * point[0]
        return (a * a + 100 * b * b, [-2 * a - 400 * point[0] * b, 200 * b])
    }

    @Test("a bent valley is walked to its end")
    func rosenbrock() {
        let found = QuasiNewton(maxSteps: 200).minimum(of: Self.valley, from: [-1.2, 1])
        #expect(abs(found[0] - 1) < 1e-3 && abs(found[1] - 1) < 2e-3, "\(found)")
    }

    @Test("a step to where the function is no number is halved, and no steps give the start")
    func halved() {
        let found = QuasiNewton().minimum(of: { ($0[0] > 0 ? $0[0] - log($0[0]) : .nan, [1 - 1 / $0[0]]) }, from: [0.01])
        #expect(abs(found[0] - 1) < 1e-3, "\(found)")
        let start = QuasiNewton(maxSteps: 0).minimum(of: Self.valley, from: [3, 4])
        let none = QuasiNewton().minimum(of: { _ in (1, []) }, from: [])
        #expect(start == [3, 4] && none == [])
    }

    private func log(_ x: Double) -> Double { Double(Kernels.log(Float(x))) }
}
