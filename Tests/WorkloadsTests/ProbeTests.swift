import Console
import Testing
import Workloads

/// What the probes of a running service count and print.
@Suite struct ProbeTests {
    @Test func onlyAWaitThatEndsBreaksARowOfVainOnes() throws {
        var tally = ProbeTally()
        for _ in 0..<3 {
            for _ in 1..<ProbeTally.limit { try tally.note(nil, "waits") }
            try tally.note(.milliseconds(7), "waits")
        }
        #expect(tally.shown.count == 3 && tally.unseen == 3 * (ProbeTally.limit - 1))
        for _ in 1..<ProbeTally.limit { try tally.note(nil, "waits") }
        let failure = #expect(throws: CommandFailure.self) { try tally.note(nil, "clicks changed nothing") }
        #expect(failure?.description == "\(ProbeTally.limit) in a row clicks changed nothing")
        #expect(tally.unseen == 4 * (ProbeTally.limit - 1) + 1, "the last one counts, too")
    }

    @Test(arguments: [([], 0), ([7], 7), ([9, 1, 4], 4), ([4, 1, 3, 2], 3)] as [([Int], Int)])
    func theMiddlePlaceIsTheLaterOneOfTwo(places: [Int], median: Int) throws {
        var result = FreshItemsRun.Result()
        result.places = places
        #expect(result.medianPlace == median)
    }

    @Test func aResultHasItsFieldsInTheirOrder() throws {
        var result = FreshItemsRun.Result()
        for milliseconds in [30, 10, 20] { try result.items.note(.milliseconds(milliseconds), "") }
        try result.items.note(nil, "")
        result.places = [2, 5, 1]
        result.failed = 4
        result.afterDeletion = 6
        #expect(
            result.line(items: 8).json.hasPrefix(
                #"{"bench":"fresh-items","items":8,"appeared":3,"unseen":1,"failed":4,"p50_ms":20.0,"p99_ms":30.0,"max_ms":30.0,"#
                    + #""median_place":2,"after_deletion":6,"load_events":0,"load_requests":0,"load_errors":0,"load_p50_ms":null"#))
    }
}
