import FuzzInputs
import Tensors
import Testing

struct PartTensorsTests {
    private func part() -> PartTensors {
        var inner = PartTensors(version: 4)
        inner.add("table", rounding: [1, 2, 3, 4.000_001, 5, 6], columns: 3)
        var part = PartTensors(version: 7)
        part.add("floats", [0.5, -1])
        part.add("integers", integers: [3, -9])
        part.add("places", .int32([0, 2, 1]))
        part.add("hashes", .uint64([.max, 0]))
        part.add("flags", .uint8([1, 0, 1]))
        part.add("words", list: ["", "ü", "a\nb"])
        part.add(inner, under: "inner")
        return part
    }

    /// What the part has, or the error of the first that is not there as it should be.
    private func read(_ part: PartTensors) throws(PartFormatError) -> [String] {
        var outer = try PartReader(part.without(["inner"]), of: "the thing", version: 7)
        var found: [String] = []
        found.append("\(try outer.floats("floats", count: 2)) \(try outer.integers("integers", count: 2, in: -9...3))")
        found.append("\(try outer.int32("places", count: 3, in: 0...2)) \(try outer.hashes("hashes", count: 2))")
        found.append("\(try outer.flags("flags", count: 3)) \(try outer.list("words"))")
        try outer.end()
        var inner = try PartReader(part.under("inner"), of: "the inner thing", version: 4)
        found.append("\(try inner.halves("table", columns: 3, rows: 2))")
        try inner.end()
        return found
    }

    @Test func whatWasAddedIsRead() throws {
        let found = try read(part())
        #expect(
            found == [
                "[0.5, -1.0] [3, -9]", "[0, 2, 1] [18446744073709551615, 0]", "[true, false, true] [\"\", \"ü\", \"a\\nb\"]",
                "[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]",
            ])
        #expect(PartTensors(tensors: part().tensors, texts: part().texts) == part())
    }

    @Test func everyDamageIsAnErrorThatNamesThePart() {
        for damage in PartDamage.all(of: part()) {
            let error = #expect(throws: PartFormatError.self, "\(damage.what)") { try self.read(damage.part) }
            guard let error else { continue }
            #expect(error.description.hasPrefix("the ") && error.description.contains("rain again"), "\(error)")
            if let missing = damage.missing, !missing.hasPrefix("inner") {
                #expect(error.description.contains("lacks its \(missing)"), "\(missing): \(error)")
            }
        }
    }

    @Test func numbersOutOfRangeAndBrokenTextsAreRefused() throws {
        var part = PartTensors(version: 1)
        part.add("integers", integers: [4])
        part.add("places", .int32([-2]))
        part.add("words", .uint8([0xC3]))
        part.add("words.ends", integers: [1])
        part.add("more", .uint8([0x61, 0x62]))
        part.add("more.ends", integers: [2, 1])
        #expect(throws: PartFormatError.self) {
            var reader = try PartReader(part, of: "the thing", version: 1)
            _ = try reader.integer("integers", in: 0...3)
        }
        #expect(throws: PartFormatError.self) {
            var reader = try PartReader(part, of: "the thing", version: 1)
            _ = try reader.int32("places", in: -1...9)
        }
        for name in ["words", "more"] {
            #expect(throws: PartFormatError.self) {
                var reader = try PartReader(part, of: "the thing", version: 1)
                _ = try reader.list(name)
            }
        }
    }

    @Test func roundingKeepsTheUpperHalfTiesToEven() {
        let values: [Float] = [1, -2.5, 0, 1 + 0x1p-9, 1 + 0x1p-8, 1 + 3 * 0x1p-8, 3.141_592_7]
        let rounded = PartTensors.rounded(values)
        #expect(rounded.allSatisfy { $0.bitPattern & 0xFFFF == 0 })
        #expect(rounded[..<3].elementsEqual(values[..<3]))
        #expect(rounded[3] == 1 && rounded[4] == 1 && rounded[5] == 1 + 0x1p-6, "\(rounded)")
        #expect(PartTensors.rounded(rounded) == rounded)
    }
}
