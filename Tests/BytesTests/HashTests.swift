import Bytes
import Testing

/// Models, databases and splits of experiments hold these values: none may change.
@Suite("Hashes and checksums are those that are published")
struct HashTests {
    @Test("FNV-1a")
    func fnv() {
        #expect(FNV1a.hash("".utf8) == 0xCBF2_9CE4_8422_2325)
        #expect(FNV1a.hash("a".utf8) == 0xAF63_DC4C_8601_EC8C)
        #expect(FNV1a.hash("foobar".utf8) == 0x8594_4171_F739_67E8)
        #expect(FNV1a.hash("żółw".utf8, salt: 7) == 0x569C_A1EC_71CC_DBA7)
        var hash = FNV1a()
        for byte in "foobar".utf8 { hash.combine(byte) }
        #expect(hash.value == FNV1a.hash("foobar".utf8))
    }

    @Test("the parts of a split")
    func parts() {
        #expect((0..<12).map { FNV1a.part(of: "u\($0)", of: 5) } == [2, 3, 0, 2, 0, 1, 3, 4, 1, 3, 2, 3])
        // Even and odd numbers of parts: the hash alone has weak low bits.
        for parts in [2, 3, 4, 5, 8] {
            let counts = (0..<3_000).reduce(into: [Int](repeating: 0, count: parts)) { $0[FNV1a.part(of: "u\($1)", of: parts)] += 1 }
            let expected = 3_000 / parts
            #expect(counts.allSatisfy { abs($0 - expected) < expected / 5 }, "\(counts)")
        }
    }

    @Test("SplitMix64")
    func splitMix() {
        #expect(SplitMix64Mixing.mixed(0) == 0xE220_A839_7B1D_CDAF)
        #expect(SplitMix64Mixing.mixed(1_234_567) == 6_457_827_717_110_365_317)
        #expect(SplitMix64Mixing.finalised(0) == 0)
        #expect(SplitMix64Mixing.finalised(SplitMix64Mixing.increment) == SplitMix64Mixing.mixed(0))
    }

    @Test("CRC-32, whole and in pieces")
    func crc() {
        let bytes = Array("123456789".utf8)
        #expect(bytes.withUnsafeBytes { CRC32.text(of: $0) } == "cbf43926")
        for cut in 0...bytes.count {
            var checksum = CRC32()
            bytes[..<cut].withUnsafeBytes { checksum.combine($0) }
            checksum.combine(UnsafeRawBufferPointer(start: nil, count: 0))
            bytes[cut...].withUnsafeBytes { checksum.combine($0) }
            #expect(checksum.value == 0xCBF4_3926, "cut at \(cut)")
        }
        #expect(CRC32().text == "00000000")
    }

    @Test("hexadecimal digits keep their zeros")
    func hexadecimal() {
        #expect(Hexadecimal.text(0 as UInt64) == "0000000000000000")
        #expect(Hexadecimal.text(0xAB as UInt32) == "000000ab")
        #expect(Hexadecimal.text(UInt64.max) == "ffffffffffffffff")
        #expect(Hexadecimal.text(of: [0, 15, 255] as [UInt8]) == "000fff")
    }
}
