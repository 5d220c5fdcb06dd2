#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The natural logarithm, under a name that no method hides.
@inline(__always)
func naturalLog(_ value: Float) -> Float { log(value) }

/// 2 to a power.
@inline(__always)
func powerOfTwo(_ value: Float) -> Float { exp2(value) }
