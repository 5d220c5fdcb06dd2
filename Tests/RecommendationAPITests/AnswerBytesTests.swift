import Foundation
import Interactions
import RecommendationAPI
import Recommending
import Testing

@Suite("Answers and what is kept of them have bounds in bytes")
struct AnswerBytesTests {
    private static func key(_ name: String, path: String = "/v1/events") -> IdempotencyCache.Key {
        IdempotencyCache.Key(caller: 1, route: 0, path: path, key: name)
    }

    private static func answer(_ bytes: Int) -> IdempotencyCache.Answer {
        IdempotencyCache.Answer(body: [UInt8](repeating: 0x20, count: bytes))
    }

    @Test("kept answers hold so many bytes, the oldest go first")
    func kept() {
        let now = ContinuousClock.now
        let cache = IdempotencyCache(maxKeys: 10_000, maxBytes: 100_000, lifetimeSeconds: 3_600)
        for number in 0..<400 {
            guard case .proceed = cache.admit(Self.key("k\(number)"), fingerprint: 1, now: now + .milliseconds(number)) else {
                Issue.record("\(number)")
                continue
            }
            cache.finish(Self.key("k\(number)"), answer: Self.answer(9_000))
            #expect(cache.bytes <= 100_000)
        }
        guard case .replay(let newest) = cache.admit(Self.key("k399"), fingerprint: 1, now: now + .seconds(1)) else {
            Issue.record("the newest is gone")
            return
        }
        #expect(newest.body.count == 9_000)
        guard case .proceed = cache.admit(Self.key("k0"), fingerprint: 1, now: now + .seconds(1)) else {
            Issue.record("the oldest is still there")
            return
        }
    }

    @Test("what is kept is what is counted, without the room that its writer had to spare")
    func exact() {
        let cache = IdempotencyCache(maxKeys: 10, maxBytes: 1 << 20, lifetimeSeconds: 60), now = ContinuousClock.now
        var answer = Self.answer(300)
        answer.body.reserveCapacity(100_000)
        _ = cache.admit(Self.key("k"), fingerprint: 1, now: now)
        cache.finish(Self.key("k"), answer: answer)
        guard case .replay(let kept) = cache.admit(Self.key("k"), fingerprint: 1, now: now) else {
            Issue.record("nothing was kept")
            return
        }
        #expect(kept.body.count == 300 && kept.body.capacity < 1_000)
    }

    @Test("one that does not fit is not kept, and takes no other with it")
    func tooLarge() {
        let now = ContinuousClock.now
        let cache = IdempotencyCache(maxKeys: 10, maxBytes: 10_000, lifetimeSeconds: 60)
        _ = cache.admit(Self.key("small"), fingerprint: 1, now: now)
        cache.finish(Self.key("small"), answer: Self.answer(100))
        _ = cache.admit(Self.key("large"), fingerprint: 1, now: now)
        cache.finish(Self.key("large"), answer: Self.answer(20_000))
        guard case .replay = cache.admit(Self.key("small"), fingerprint: 1, now: now) else { Issue.record("gone"); return }
        guard case .proceed = cache.admit(Self.key("large"), fingerprint: 1, now: now) else { Issue.record("kept"); return }
    }

    @Test("keys and paths count, and what is forgotten holds nothing")
    func paths() {
        let now = ContinuousClock.now
        let cache = IdempotencyCache(maxKeys: 10_000, maxBytes: 50_000, lifetimeSeconds: 60)
        for number in 0..<1_000 {
            let key = Self.key("k\(number)", path: "/v1/items/" + String(repeating: "x", count: 1_000))
            _ = cache.admit(key, fingerprint: 1, now: now + .milliseconds(number))
            if number.isMultiple(of: 2) { cache.abandon(key) } else { cache.finish(key, answer: Self.answer(10)) }
        }
        #expect(cache.bytes <= 50_000 && cache.bytes > 40_000)
        _ = cache.admit(Self.key("later"), fingerprint: 1, now: now + .seconds(200))
        #expect(cache.bytes < 1_000)
    }

    @Test("a thousand items with titles of 64 KB make an answer of a few megabytes")
    func details() throws {
        let title = String(repeating: "ü", count: 32_768)
        let entry = RecommendedEntry(
            itemID: "i1", score: 1, reason: .personal, explanation: "Because you clicked \(title)",
            details: ItemSummary(itemID: "i1", title: title, categories: (0..<5_000).map { "category \($0)" }))
        let list = RecommendationList(requestID: "r", items: [RecommendedEntry](repeating: entry, count: 1_000))
        #expect(list.json(tookMilliseconds: 1).count < 3 << 20)
        let shown = try #require(entry.details?.title?.utf8.count)
        #expect(shown <= ShownText.maxTitleBytes && shown > ShownText.maxTitleBytes - 3)
        #expect(entry.details?.title?.hasSuffix("ü…") == true)
        #expect(entry.details?.categories.first == "category 0")
        #expect(ActivityEntry(time: EventTime(milliseconds: 0), kind: "item", text: title).text.utf8.count <= ShownText.maxReasonBytes)
    }

    @Test("texts are cut between characters", arguments: [
        ("short", 10, "short"), ("exactly te", 10, "exactly te"), ("more than ten", 10, "more th…"), ("ééééé", 9, "ééé…"),
        ("aaaa👩‍👩‍👧‍👦", 12, "aaaa…"), ("👩‍👩‍👧‍👦", 2, "…"), ("", 0, ""),
    ] as [(String, Int, String)])
    func cut(text: String, limit: Int, shown: String) {
        #expect(ShownText.cut(text, toBytes: limit) == shown)
    }

    @Test("one character without an end is cut all the same, quickly")
    func endless() {
        let text = "a" + String(repeating: "\u{301}", count: 2_000_000)
        let shown = ShownText.cut(text, toBytes: 1_024)
        #expect(shown.utf8.count <= 1_024 && shown.hasSuffix("…"))
        #expect(ShownText.first(["abcdef", "b"], withinBytes: 5) == ["ab…"])
        #expect(ShownText.first(["ab", "cd", "ef"], withinBytes: 5) == ["ab", "cd"])
    }

    @Test("a rate counts what something costs")
    func cost() {
        let start = ContinuousClock.now
        let rate = RateLimit(requestsPerSecond: 100, burstRequests: 100, callers: 1, now: start)
        #expect(rate.admit(cost: 100, now: start) == nil)
        #expect(rate.admit(cost: 1, now: start) == 1)
        #expect(rate.admit(cost: 50, now: start + .milliseconds(500)) == nil)
        #expect(rate.admit(cost: 1, now: start + .milliseconds(500)) == 1)
        #expect(rate.admit(cost: 100, now: start + .seconds(5)) == nil)
        #expect(rate.admit(caller: 9, cost: 1, now: start + .seconds(5)) == 1, "callers beyond share")
    }
}
