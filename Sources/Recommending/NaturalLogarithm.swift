#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// ln x for x above 0.
func naturalLogarithm(_ x: Float) -> Float {
    logf(x)
}

/// e to the power x.
func exponential(_ x: Float) -> Float {
    expf(x)
}
