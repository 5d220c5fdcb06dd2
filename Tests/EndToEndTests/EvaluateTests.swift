import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// `freshet evaluate`, and the page that a training leaves.
    @Suite struct EvaluateTests {
        private static func object(_ text: String) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
        }

        private static func number(_ object: [String: Any], _ path: String...) -> Double? {
            var value: Any? = object
            for name in path { value = (value as? [String: Any])?[name] }
            return (value as? NSNumber)?.doubleValue
        }

        /// A shop whose past is learned from, judged on a tenth of it.
        private static func trained() throws -> (bench: Workbench, program: Program) {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            try SmallShop.check(program.run("train"))
            return (bench, program)
        }

        /// What is wrong with the markup, nil where every element is closed and every sign is one of its own.
        static func flaw(in html: String) -> String? {
            var open: [Substring] = []
            var rest = html[...]
            while let start = rest.firstIndex(where: { $0 == "<" || $0 == "&" || $0 == ">" }) {
                rest = rest[start...]
                if rest.first == ">" {
                    // A style sheet may hold one.
                    guard open.last == "style" else { return "a stray > before \(rest.prefix(40))" }
                    rest = rest.dropFirst()
                } else if rest.first == "&" {
                    guard let entity = rest.prefixMatch(of: /&(?:amp|lt|gt|quot|#39);/) else { return "a bare & in \(rest.prefix(40))" }
                    rest = rest[entity.range.upperBound...]
                } else if let type = rest.prefixMatch(of: /<!DOCTYPE html>/) {
                    rest = rest[type.range.upperBound...]
                } else if let tag = rest.prefixMatch(of: /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<]*")*)\s*(\/?)>/) {
                    if tag.1 == "/" {
                        guard open.popLast() == tag.2 else { return "</\(tag.2)> closes another element" }
                    } else if tag.4.isEmpty {
                        open.append(tag.2)
                    }
                    rest = rest[tag.range.upperBound...]
                } else {
                    return "no tag: \(rest.prefix(60))"
                }
            }
            return open.isEmpty ? nil : "not closed: \(open)"
        }

        /// Expects a page that is well-formed and needs nothing from outside.
        private static func expectPage(_ html: String, at location: SourceLocation = #_sourceLocation) {
            #expect(flaw(in: html) == nil, sourceLocation: location)
            for word in ["<script", "http://", "https://", "url(", "@import", "src="] {
                #expect(!html.contains(word), "the page contains \(word)", sourceLocation: location)
            }
        }

        @Test("the check of the markup finds what is wrong")
        func plantedFlaws() {
            for wrong in ["<p><b></p>", "<p>", "a < b", "a > b", "a & b", "<p onclick=1></p>", "<meta charset=\"utf-8\"><p></p>", "<P></P>"]
            {
                #expect(Self.flaw(in: wrong) != nil, "\(wrong)")
            }
            #expect(Self.flaw(in: "<!DOCTYPE html><p a=\"1\">x &lt; y<br/></p>") == nil)
        }

        @Test("splits with every rival, and a training's page that is whole, safe and can be made again")
        func splitsAndReport() throws {
            let (bench, program) = try Self.trained()
            let split = try program.run("evaluate", "--json", "--report", bench.path("evaluation.html"))
            #expect(split.status == 0, "\(split.errors)")
            let found = try Self.object(split.output)
            for contestant in ["model", "popularity", "recent_popularity", "windowed_markov", "ease", "buy_again"] {
                let mean = Self.number(found, contestant, "NDCG@10") ?? -1
                #expect(mean >= 0 && Self.number(found, contestant, "users") == Self.number(found, "users"), "\(contestant)")
                #expect(
                    Self.number(found, contestant, "NDCG@10_low") ?? 1 <= mean
                        && Self.number(found, contestant, "NDCG@10_high") ?? 0 >= mean, "\(contestant)")
                #expect(
                    Self.number(found, contestant, "head", "NDCG@10") != nil && Self.number(found, contestant, "mid", "NDCG@10") != nil,
                    "\(contestant)")
            }
            Self.expectPage(try String(contentsOfFile: bench.path("evaluation.html"), encoding: .utf8))
            let last = try program.run("evaluate", "leave-one-out")
            #expect(
                last.status == 0 && last.output.contains("each user's last interaction") && last.output.contains("windowed Markov"),
                "\(last.errors)")

            let printed = try program.run("models", "report", "1")
            let path = printed.output.trimmingCharacters(in: .newlines)
            #expect(printed.status == 0 && path.hasSuffix("/report.html"), "\(printed.errors)")
            let page = try String(contentsOfFile: path, encoding: .utf8)
            Self.expectPage(page)
            for word in ["Model version 1", "EASE", "windowed Markov", "Loss", "training on everything", "Settings", "train.holdout"] {
                #expect(page.contains(word), "\(word) is missing")
            }
            // Text from outside stays text, and the registry is enough to make the page.
            _ = try bench.database.sql(
                """
                update models set reason = '</p><script>alert(1)</script>',
                    metrics = jsonb_set(metrics::jsonb, '{split}', '"<img src=x onerror=alert(2)>"')
                """)
            try FileManager.default.removeItem(atPath: path)
            let again = try program.run("models", "report", "1", "--output", bench.path("again.html"))
            #expect(again.status == 0, "\(again.errors)")
            let hostile = try String(contentsOfFile: bench.path("again.html"), encoding: .utf8)
            #expect(hostile.contains("&lt;img src=x onerror=alert(2)&gt;") && !hostile.contains("<img"))
            #expect(Self.flaw(in: hostile) == nil && !hostile.contains("<script"))
            EndToEnd.expectFailure(try program.run("models", "report", "9"), status: 1, saying: "no model version 9")
        }

        @Test func newItemsAreAskedAboutWithoutHavingBeenLearned() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            // Whatever it costs: what a fair share is, not what one is ready to pay for it.
            let run = try program.run("evaluate", "item-cold", "--seeds", "2", "--json", "--set", "content.share_cost_percent=100")
            #expect(run.status == 0, "\(run.errors)")
            let found = try Self.object(run.output)
            #expect(Self.number(found, "seeds") == 2 && Self.number(found, "users") ?? 0 > 50)
            for contestant in ["freshet", "towers", "cosine", "cosine_popularity", "fitted_cosine", "category", "popularity", "length"] {
                let mean = try #require(Self.number(found, contestant, "Recall@20"), "\(contestant)")
                #expect((0...1).contains(mean) && Self.number(found, contestant, "Recall@20_ci95") != nil)
            }
            // Sixty items are new: by chance a third of what is relevant is among twenty of them.
            #expect(Self.number(found, "freshet", "Recall@20") ?? 0 > 0.34)
            let ratio = try #require(Self.number(found, "new_share_ratio"))
            #expect(ratio > 0.4 && ratio < 2, "new items have \(ratio) times the places that they should have")
            EndToEnd.expectFailure(try program.run("evaluate", "item-cold", "--new-items", "0"), status: 64, saying: "--new-items")
        }

        @Test("settings for rare items stand on one curve, the dial evens out what is shown, and wrong values train nothing")
        func tailCurve() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            let arguments = [
                "evaluate", "--protocol", "tail-curve", "--seeds", "2", "--epochs", "1", "--json", "--values", "ranking.tail_dial=0.5,0.1",
            ]
            let run = try program.run(arguments + ["--values", "train.propensity_power=0.5", "--report", bench.path("tail.html")])
            #expect(run.status == 0, "\(run.errors)")
            let found = try Self.object(run.output)
            #expect(Self.number(found, "seeds") == 2 && Self.number(found, "users") ?? 0 > 50 && found["train.tail_beta"] == nil)
            let plain = try #require(found["plain"] as? [String: Any])
            let dials = try #require(found["ranking.tail_dial"] as? [[String: Any]]),
                weighed = try #require(found["train.propensity_power"] as? [[String: Any]])
            #expect(dials.compactMap { Self.number($0, "value") } == [0.1, 0.5] && weighed.count == 1)
            #expect(Self.number(plain, "change") == 0 && Self.number(plain, "beyond_head_change") == 0)
            for point in [plain] + dials + weighed {
                let mean = try #require(Self.number(point, "beyond_head_NDCG@10"))
                #expect(
                    mean > 0 && Self.number(point, "beyond_head_NDCG@10_low") ?? 1 <= mean
                        && Self.number(point, "beyond_head_NDCG@10_high") ?? 0 >= mean)
            }
            let ginis = try ([plain] + dials).map { try #require(Self.number($0, "Gini@10")) }
            #expect(ginis[0] > ginis[1] && ginis[1] > ginis[2], "\(ginis)")
            let page = try String(contentsOfFile: bench.path("tail.html"), encoding: .utf8)
            Self.expectPage(page)
            for word in ["Rare items", "train.propensity_power", "polyline", "ranking.tail_dial"] {
                #expect(page.contains(word), "\(word) is missing")
            }
            // The same seeds give the same curve.
            let again = try program.run(arguments)
            #expect(try Self.object(again.output)["ranking.tail_dial"] as? [NSDictionary] == dials as [NSDictionary])

            EndToEnd.expectFailure(
                try program.run("evaluate", "--protocol", "tail-curve", "--values", "train.hidden=4"), status: 64,
                saying: "train.logit_adjustment")
            EndToEnd.expectFailure(try program.run("evaluate", "--epochs", "1"), status: 64, saying: "--protocol tail-curve")
            let off = ["evaluate", "--protocol", "tail-curve", "--set", "ranking.blend=off", "--values", "ranking.tail_dial=0.1"]
            EndToEnd.expectFailure(try program.run(off), status: 1, saying: "train.popularity_dial")
        }

        @Test("a replay predicts before it learns, takes ties as one question, and keeps warm and new users apart")
        func replay() throws {
            let (bench, program) = try Self.trained()
            let popular = try bench.database.sql(
                """
                select item_id from interactions join items using (item_id) where type > 0 and not hidden
                group by item_id order by count(*) desc, item_id collate "C" limit 1
                """)
            let warm = try bench.database.sql("select min(user_id) from interactions where type > 0")
            let unseen = try bench.database.sql(
                """
                select item_id from items where not hidden and item_id <> '\(popular)'
                    and item_id not in (select item_id from interactions where user_id = '\(warm)') order by item_id limit 5
                """
            ).split(separator: "\n").map(String.init)
            try #require(unseen.count == 5)
            let times = try #require(
                Int(try bench.database.sql("select (extract(epoch from max(event_time)) * 1000)::bigint from interactions")))
            func event(_ user: String, _ item: String, after seconds: Int) -> String {
                #"{"event_id":"\#(user)-\#(item)-\#(seconds)","type":"click","user_id":"\#(user)","item_id":"\#(item)","#
                    + #""timestamp":\#(times + seconds * 1_000)}"#
            }
            // One new user takes the most popular item; another takes two things at once; one who was there comes back; a repetition,
            // which the rule keeps out, is asked and missed.
            let stream = [
                event("new1", popular, after: 10), event("new2", unseen[0], after: 20), event("new2", unseen[1], after: 20), "no event",
                event(warm, unseen[2], after: 30), event(warm, unseen[3], after: 40), event("new1", unseen[4], after: 50),
                event("new1", popular, after: 60),
            ]
            let file = try bench.write(stream, to: "stream.jsonl")
            let result = try program.run("evaluate", "--protocol", "replay", "--events", file, "--json", "--set", "rules.exclude=seen")
            #expect(result.status == 0, "\(result.errors)")
            let found = try Self.object(result.output)
            #expect(Self.number(found, "events") == 7 && Self.number(found, "rejected_lines") == 1, "\(result.output)")
            #expect(Self.number(found, "questions") == 6 && Self.number(found, "questions_kept_out") == 1, "\(result.output)")
            for contestant in ["freshet", "popularity", "recent_popularity", "windowed_markov"] {
                #expect(
                    Self.number(found, contestant, "all", "users") == 3 && Self.number(found, contestant, "warm", "users") == 1,
                    "\(contestant)")
                #expect(Self.number(found, contestant, "new", "users") == 2, "\(contestant)")
            }
            #expect(Self.number(found, "against_best_rival", "all", "difference") != nil)
            let limited = try program.run("evaluate", "--protocol", "replay", "--events", file, "--max-events", "1", "--json")
            #expect(Self.number(try Self.object(limited.output), "events") == 1)
            #expect(Self.number(try Self.object(limited.output), "popularity", "new", "NDCG@10") == 1, "\(limited.output)")
            let page = try program.run("evaluate", "--protocol", "replay", "--events", file, "--report", bench.path("replay.html"))
            // The flags of before work, and say the new form.
            #expect(page.errors.contains("freshet evaluate replay"))
            #expect(page.status == 0 && page.output.contains("warm users: 1"), "\(page.output)\(page.errors)")
            Self.expectPage(try String(contentsOfFile: bench.path("replay.html"), encoding: .utf8))

            // Stored events serve as well, from a time on that is named.
            let stored = try program.run(
                "evaluate", "--protocol", "replay", "--from", "\(times - 3_600_000)", "--max-events", "200", "--json")
            let walked = Self.number(try Self.object(stored.output), "events") ?? 0
            #expect(stored.status == 0 && walked >= 1, "\(stored.errors)")
            #expect(stored.output.contains(#""overlaps_training":true"#))
            EndToEnd.expectFailure(try program.run("evaluate", "--protocol", "replay"), status: 1, saying: "--events", "--from")
            EndToEnd.expectFailure(try program.run("evaluate", "--from", "0"), status: 64, saying: "--protocol replay")
            EndToEnd.expectFailure(
                try program.run("evaluate", "--protocol", "replay", "--events", "nowhere.jsonl"), status: 1, saying: "nowhere.jsonl")
        }
    }
}
