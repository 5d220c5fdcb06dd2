import Console
import Logging
import RecommendationAPI
import Serving
import Testing

/// Keys that change while the service runs.
@Suite struct KeyTests {
    @Test func aFileIsReadWhenItChangesAndOnceMoreWhereItWasRefused() throws {
        var looks = KeyFileLooks(known: [[1]])
        #expect(looks.look([[1]], isAsked: false) == nil)
        let half = try #require(looks.look([[2]], isAsked: false))
        #expect(!half.isRepeat)
        looks.ended(half, isGood: false)
        // It may have been seen before all of it was written.
        let again = try #require(looks.look([[2]], isAsked: false))
        #expect(again.isRepeat)
        looks.ended(again, isGood: false)
        #expect(looks.look([[2]], isAsked: false) == nil, "twice is enough")
        let whole = try #require(looks.look([[3]], isAsked: false))
        looks.ended(whole, isGood: true)
        #expect(looks.look([[3]], isAsked: false) == nil)
        let asked = try #require(looks.look([[3]], isAsked: true))
        #expect(!asked.isRepeat, "who asks hears what is wrong")
    }

    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func key(_ secret: String) -> APIKey { APIKey(name: secret, secret: secret, scopes: [.read]) }

    @Test func keysAreExchangedButNeverForNone() throws {
        let ring = KeyRing([key("old")])
        let reload = KeyReload(nil, keys: ring, logger: quiet)
        func source(_ keys: [APIKey]) -> KeyReload.Source {
            KeyReload.Source(signature: { [] }, read: { KeyReload.Found(keys: keys, hasOtherChanges: false) })
        }
        #expect(reload.reload(source([key("new"), key("newer")]), isRepeat: false))
        #expect(ring.keys.map(\.name) == ["new", "newer"])
        #expect(!reload.reload(source([]), isRepeat: false), "that would open the service to everybody")
        #expect(ring.keys.count == 2)
        let wrong = KeyReload.Source(signature: { [] }, read: { throw CommandFailure("line 3: no list") })
        #expect(!reload.reload(wrong, isRepeat: true) && ring.keys.count == 2)
        let open = KeyRing()
        #expect(KeyReload(nil, keys: open, logger: quiet).reload(source([]), isRepeat: false), "who had none needs none")
    }
}
