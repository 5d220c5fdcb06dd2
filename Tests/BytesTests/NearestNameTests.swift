import Bytes
import Testing

@Suite("A mistyped name finds the one that was meant")
struct NearestNameTests {
    @Test("the distance of Levenshtein")
    func distance() {
        for (one, other, distance) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0), ("ab", "ba", 2)] {
            #expect(NearestName.editDistance(Array(one.utf8), Array(other.utf8)) == distance, "\(one) \(other)")
        }
    }

    @Test("the nearest is named, and none that is too far")
    func nearest() {
        let names = ["click", "purchase", "impression"]
        #expect(NearestName.of("clik", among: names) == "click")
        #expect(NearestName.of("zzzzzzzz", among: names) == nil)
        #expect(NearestName.of("abck", among: ["click"]) == "click")
        #expect(NearestName.of("abck", among: ["click"], leastReach: 2) == nil)
        #expect(NearestName.of(String(repeating: "click", count: 30), among: names) == nil)
        #expect(NearestName.close(to: "clik", among: names) == "click")
        #expect(NearestName.close(to: "click", among: names) == nil)
    }
}
