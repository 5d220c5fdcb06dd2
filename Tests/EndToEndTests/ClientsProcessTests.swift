import Foundation
import Testing
import TestSupport

/// A Python that has PyGorse, as its users have it.
enum PyGorse {
    /// Interpreters, parted by colons, from `FRESHET_PYGORSE_PYTHON`; else the system's, where it has the package.
    static let pythons: [String] = {
        let named = ProcessInfo.processInfo.environment["FRESHET_PYGORSE_PYTHON"]?.split(separator: ":").map(String.init)
        return (named ?? ["python3"]).filter { (try? run($0, "import gorse"))?.status == 0 }
    }()

    static let reason: Comment = "needs a Python with PyGorse (pip install PyGorse); FRESHET_PYGORSE_PYTHON may name several, 0.4 and 0.5"

    static func run(_ python: String, _ script: String, _ arguments: String...) throws -> (status: Int32, output: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", script] + arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    /// What PyGorse's users do: users, items, feedback, lists and recommendations, in the form of either version.
    static let script = """
        import sys, datetime
        from gorse import Gorse, GorseException
        client = Gorse(sys.argv[1], 'zhenghaoz')
        run = sys.argv[2]

        def missing(call):
            try:
                call()
            except GorseException as error:
                assert error.status_code == 404, error.status_code
                return
            assert False, 'found'

        # A catalogue like that of MovieLens, made up.
        genres = ['drama', 'comedy', 'crime', 'horror']
        names = ['Toy Story', 'Golden River', 'Four Rooms', 'Copycat', 'Night Train', 'Silver Lake']
        for i in range(1, 25):
            assert client.insert_item({
                'ItemId': str(i), 'IsHidden': False, 'Categories': [genres[i % 4], genres[(i + 1) % 4]],
                'Timestamp': '1995-01-01T00:00:%02dZ' % i, 'Labels': {'embedding': [0.1, 0.2, i / 10], 'genres': [genres[i % 4]]},
                'Comment': names[i % 6] + ' %d' % i})['RowAffected'] == 1
        people = [{'UserId': str(i), 'Labels': {'age': 20 + i, 'gender': 'M', 'zip': '0%d' % i}, 'Comment': ''} for i in range(1, 13)]
        assert client.insert_users(people)['RowAffected'] == 12
        listed, cursor = client.get_users(3)
        assert [user['UserId'] for user in listed] == ['1', '10', '11'], listed
        assert listed[0] == people[0] and cursor, listed
        rest, cursor = client.get_users(100, cursor)
        assert len(rest) >= 9 and not cursor, (rest, cursor)

        # Users: what was sent comes back, and goes.
        user = {'UserId': 'x' + run, 'Labels': {'gender': 'M', 'occupation': 'engineer', 'deep': {'a': [1, 2.5]}}, 'Comment': 'zhenghaoz'}
        assert client.insert_user(user)['RowAffected'] == 1
        assert client.get_user(user['UserId']) == user
        assert client.delete_user(user['UserId'])['RowAffected'] == 1
        missing(lambda: client.get_user(user['UserId']))

        # Items likewise; a patch changes what it names.
        timestamp = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
        item = {'ItemId': 'y' + run, 'IsHidden': True, 'Labels': {'embedding': [0.1, 0.2, 0.3]}, 'Categories': ['d', 'e'],
            'Timestamp': timestamp, 'Comment': 'comment'}
        assert client.insert_item(item)['RowAffected'] == 1
        assert client.get_item(item['ItemId']) == item, client.get_item(item['ItemId'])
        assert client.update_item(item['ItemId'], comment='update')['RowAffected'] == 1
        item['Comment'] = 'update'
        assert client.get_item(item['ItemId']) == item, client.get_item(item['ItemId'])
        assert client.update_item(item['ItemId'], labels=['x', 'y', 'z'], is_hidden=False)['RowAffected'] == 1
        item['Labels'], item['IsHidden'] = ['x', 'y', 'z'], False
        assert client.get_item(item['ItemId']) == item, client.get_item(item['ItemId'])
        assert client.delete_item(item['ItemId'])['RowAffected'] == 1
        missing(lambda: client.get_item(item['ItemId']))
        listed, cursor = client.get_items(3)
        assert [one['ItemId'] for one in listed] == ['1', '10', '11'] and cursor
        if hasattr(client, 'search_items'):
            assert client.search_items('Toy Story', 2)[0]['Comment'].startswith('Toy Story')

        # Feedback of a user who has just been erased, dated to the second.
        def feedback(type, user, item, value):
            return {'FeedbackType': type, 'UserId': user, 'ItemId': item, 'Value': value, 'Timestamp': timestamp}
        me = 'x' + run
        timestamp = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
        sent = [feedback('read', me, '10', 3), feedback('read', me, '11', 2), feedback('read', me, '12', 1)]
        assert client.insert_feedbacks(sent)['RowAffected'] == 3
        def listed():
            return sorted((one['ItemId'], one['Value']) for one in client.list_feedbacks('read', me))
        assert listed() == [('10', 3.0), ('11', 2.0), ('12', 1.0)], client.list_feedbacks('read', me)
        assert len(client.list_feedbacks('read>=2', me)) == 2
        if hasattr(client, 'delete_feedback'):
            assert client.delete_feedback(me, '10')['RowAffected'] == 1
            assert client.delete_feedback(me, '10')['RowAffected'] == 0
            assert listed() == [('11', 2.0), ('12', 1.0)]
        other = 'z' + run
        for _ in range(3):
            assert client.insert_feedback('star', other, '14', '2026-01-01T00:00:00Z', value=4)['RowAffected'] == 1
        assert [(one['ItemId'], one['Value'], one['Timestamp']) for one in client.list_feedbacks('star', other)] == [
            ('14', 4.0, '2026-01-01T00:00:00Z')], client.list_feedbacks('star', other)
        page, cursor = client.get_feedbacks(2)
        assert len(page) == 2 and cursor
        page, cursor = client.get_feedbacks(1000, cursor)
        assert cursor == ''

        # Recommendations of either form: none that the user has feedback on.
        def ids(answer):
            return [one if isinstance(one, str) else one.id for one in answer]
        found = ids(client.get_recommend(me, n=5))
        assert len(found) == 5 and not set(found) & {'11', '12'}, found
        assert ids(client.get_recommend(me, n=3, offset=2)) == found[2:5], (found, ids(client.get_recommend(me, n=3, offset=2)))
        assert ids(client.get_recommend(me, n=5, offset=1000)) == []
        drama = ids(client.get_recommend(me, 'drama', n=3))
        assert len(drama) == 3 and all('drama' in client.get_item(one)['Categories'] for one in drama), drama
        back = ids(client.get_recommend(other, n=2, write_back_type='shown', write_back_delay='10m'))
        assert len(back) == 2 and not set(back) & set(ids(client.get_recommend(other, n=20)))
        assert client.list_feedbacks('shown', other) == []
        neighbours = client.get_neighbors('1', 3)
        assert len(neighbours) == 3 and '1' not in [one['Id'] for one in neighbours], neighbours
        session = client.session_recommend([feedback('like', '0', '1', 0), feedback('like', '0', '2', 0)], 3)
        assert len(session) == 3 and not {one['Id'] for one in session} & {'1', '2'}, session
        client.update_item(found[0], is_hidden=True)
        assert found[0] not in ids(client.get_recommend(me, n=20))
        client.update_item(found[0], is_hidden=False)
        print('all done')
        """
}

extension EndToEnd {
    /// Clients of other systems, unchanged, with a consumer, a broker and a database.
    @Suite struct ClientsProcessTests {
        /// What runs.
        private final class Running {
            let bench: Workbench, broker: Program.Role, ingest: Program.Role, service: Service

            init() throws {
                bench = try Workbench()
                let (role, address) = try bench.startBroker()
                broker = role
                ingest = try bench.program(broker: address).start("ingest")
                service = try bench.startService(broker: address, ["FRESHET_EXPLORATION_EVERY_SLOTS": "0"])
                guard ingest.waitFor("partitions taken over", limit: 30) else { throw TestDatabase.Failure(ingest.log) }
            }

            deinit {
                _ = service.role.stop()
                _ = ingest.stop()
                _ = broker.stop()
            }
        }

        @Test("PyGorse, unmodified, in the forms of 0.4 and 0.5", .enabled(if: !PyGorse.pythons.isEmpty, PyGorse.reason))
        func pyGorse() throws {
            let running = try Running()
            for (place, python) in PyGorse.pythons.enumerated() {
                let result = try PyGorse.run(python, PyGorse.script, "http://127.0.0.1:\(running.service.http.port)", "r\(place)")
                #expect(result.status == 0 && result.output.contains("all done"), "\(python): \(result.output)")
            }
            #expect(try running.bench.database.sql("select count(*) from dead_letters") == "0")
        }

        @Test("the Go client's requests: bodies of GET and DELETE, slashes, lists of texts")
        func goClient() throws {
            let running = try Running()
            // What Go's net/http adds to each request.
            let headers = [
                "User-Agent": "Go-http-client/1.1", "X-Api-Key": "zhenghaoz", "Content-Type": "application/json", "Accept-Encoding": "gzip",
            ]
            func send(_ method: String, _ path: String, _ body: String = "null") throws -> String {
                let answer = try running.service.http.send(method, path, body: body, headers: headers)
                #expect(answer.status == 200, "\(method) \(path): \(answer.status) \(answer.body)")
                return answer.body
            }
            let one = #"{"RowAffected":1}"#
            let time = "2024-05-01T10:00:00Z"
            for id in ["g1", "g2", "g3"] {
                let item = #"{"ItemId":"\#(id)","IsHidden":false,"Labels":{"topic":["go"]},"Categories":["go"],"#
                    + #""Timestamp":"\#(time)","Comment":"c"}"#
                #expect(try send("POST", "/api/item", item) == one)
                #expect(
                    try send("GET", "/api/item/\(id)")
                        == #"{"ItemId":"\#(id)","IsHidden":false,"Categories":["go"],"Timestamp":"\#(time)","#
                            + #""Labels":{"topic":["go"]},"Comment":"c"}"#)
            }
            #expect(try send("PATCH", "/api/item/g1", #"{"IsHidden":null,"Categories":null,"Timestamp":null,"Labels":null,"#
                + #""Comment":"d"}"#) == one)
            #expect(try send("POST", "/api/user", #"{"UserId":"gopher","Labels":{"company":"gorse"},"Comment":"c"}"#) == one)
            #expect(try send("PATCH", "/api/user/gopher", #"{"Labels":{"city":"x"},"Comment":null}"#) == one)
            #expect(try send("GET", "/api/user/gopher") == #"{"UserId":"gopher","Labels":{"city":"x"},"Comment":"c"}"#)
            let feedback = #"[{"FeedbackType":"read","UserId":"gopher","ItemId":"g1","Value":1,"Timestamp":"\#(time)","#
                + #""Labels":null,"Comment":""}]"#
            // A retry after a lost answer: Gorse would add it up.
            for _ in 0..<3 { #expect(try send("POST", "/api/feedback", feedback) == one) }
            let listed = #"[{"FeedbackType":"read","UserId":"gopher","ItemId":"g1","Value":1,"Timestamp":"\#(time)","#
                + #""Updated":"\#(time)","Labels":null,"Comment":""}]"#
            #expect(try send("GET", "/api/user/gopher/feedback/read") == listed)
            #expect(try send("GET", "/api/feedback/gopher/g1") == listed)
            #expect(try send("PUT", "/api/feedback", feedback.replacing("\"Value\":1", with: "\"Value\":5")) == one)
            #expect(try send("GET", "/api/feedback/read/gopher/g1").contains(#""Value":5"#))
            #expect(try running.bench.database.sql("select clicks from user_features where user_id = 'gopher'") == "1")
            let slashed = try send("GET", "/api/recommend/gopher//?n=10&offset=0")
            #expect(try send("GET", "/api/recommend/gopher/?n=10") == slashed)
            let recommended = try send("GET", "/api/recommend/gopher/go?n=10&offset=0")
            #expect(recommended.contains("g2") && recommended.contains("g3") && !recommended.contains("g1"), "\(recommended)")
            #expect(try send("GET", "/api/latest/go?n=2&offset=0&user-id=gopher").contains(#"{"Id":"g2","Score":1714557600}"#))
            #expect(try send("GET", "/api/item/g1/neighbors/?n=2").hasPrefix("["))
            #expect(try send("POST", "/api/session/recommend?n=2", feedback).hasPrefix("["))
            #expect(try send("DELETE", "/api/feedback/read/gopher/g1") == one)
            #expect(try send("GET", "/api/feedback/gopher/g1") == "[]")
            #expect(try running.bench.database.sql("select clicks from user_features where user_id = 'gopher'") == "0")
            #expect(try running.bench.database.sql("select clicks from item_features where item_id = 'g1'") == "0")
            #expect(try send("PUT", "/api/item/g2/category/new") == one)
            #expect(try send("GET", "/api/item/g2").contains(#""Categories":["go","new"]"#))
            #expect(try send("DELETE", "/api/item/g2/category/go") == one)
            #expect(try send("DELETE", "/api/user/gopher") == one)
            let gone = try running.service.http.send("GET", "/api/user/gopher", body: "null", headers: headers)
            #expect(gone.status == 404 && !gone.body.hasPrefix("{"), "\(gone)")
            #expect(try running.bench.database.sql("select count(*) from feedback") == "0")
            #expect(try running.bench.database.sql("select count(*) from dead_letters") == "0")
        }

        @Test("Metarank's documented requests, as curl sends them")
        func metarank() throws {
            let running = try Running()
            let form = ["Content-Type": "application/x-www-form-urlencoded", "User-Agent": "curl/8.5.0", "Accept": "*/*"]
            func post(_ path: String, _ body: String) throws -> HTTPAnswer {
                let answer = try running.service.http.send("POST", path, body: body, headers: form)
                #expect(answer.status == 200, "\(path): \(answer.status) \(answer.body)")
                return answer
            }
            let ids = ["192389", "95510", "5349", "52722", "110553"]
            let items = ids.map { #"{"id": "\#($0)"}"# }.joined(separator: ", ")
            let movies = ids.map {
                #"{"event": "item", "id": "m\#($0)", "timestamp": 1661345220000, "item": "\#($0)","#
                    + #" "fields": [{"name": "title", "value": "Film \#($0)"}, {"name": "popularity", "value": 6.5}]}"#
            }
            #expect(try post("/feedback", movies.joined(separator: "\n")).object["accepted"] as? Int == 5)
            let shown = #"{ "event": "ranking", "fields": [], "id": "test-ranking", "items": [\#(items)], "user": "test2","#
                + #" "session": "test2", "timestamp": 1661345221008 }"#
            let click = #"{ "event": "interaction", "type": "click", "fields": [], "id": "test-interaction","#
                + #" "ranking": "test-ranking", "item": "110553", "user": "test", "session": "test", "timestamp": 1661345223008 }"#
            for _ in 0..<2 {
                #expect(try post("/feedback", shown).object["status"] as? String == "ok")
                #expect(try post("/feedback", click).object["status"] as? String == "ok")
            }
            #expect(try running.bench.database.sql("select count(*) from interactions where type = 0") == "5", "each impression once")
            #expect(try running.bench.database.sql("select clicks from user_features where user_id = 'test'") == "1")
            let asked = #"{ "event": "ranking", "fields": [], "id": "test-personalized","#
                + #" "items": [\#(items), {"id": "unknown"}], "user": "test", "session": "test", "timestamp": 1661345231008 }"#
            let ranked = try post("/rank/xgboost", asked).object
            let order = (ranked["items"] as? [[String: Any]] ?? []).compactMap { $0["item"] as? String }
            #expect(Set(order) == Set(ids + ["unknown"]) && order.last == "unknown", "\(order)")
            let scores = (ranked["items"] as? [[String: Any]] ?? []).compactMap { $0["score"] as? Double }
            #expect(scores.count == 6 && scores == scores.sorted(by: >), "\(scores)")
            let trending = try post("/recommend/trending", #"{"count": 10, "user": "alice1"}"#).object["items"] as? [[String: Any]]
            #expect(trending?.isEmpty == false)
            let similar = try post("/recommend/similar", #"{"count": 2, "user": "alice1","#
                + #" "items": ["5349"]}"#).object["items"] as? [[String: Any]]
            #expect(similar?.contains { $0["item"] as? String == "5349" } == false)
            #expect(try running.bench.database.sql("select count(*) from dead_letters") == "0")
        }
    }
}
