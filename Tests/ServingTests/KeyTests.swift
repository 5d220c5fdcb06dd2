import Console
import Logging
import RecommendationAPI
import Serving
import Testing

/// Keys that change while the service runs.
@Suite struct KeyTests {
    /// Looks once; whether to read, and whether it is a second look at what was refused.
    private func look(_ looks: inout KeyFileLooks, _ file: Int, isAsked: Bool = false, isGood: Bool) -> Bool? {
        guard let look = looks.look([[file]], isAsked: isAsked) else { return nil }
        looks.ended(look, isGood: isGood)
        return look.isRepeat
    }

    @Test func aFileIsReadWhenItChangesAndOnceMoreWhereItWasRefused() {
        var looks = KeyFileLooks(known: [[1]])
        let still = look(&looks, 1, isGood: true)
        #expect(still == nil)
        let half = look(&looks, 2, isGood: false), again = look(&looks, 2, isGood: false), third = look(&looks, 2, isGood: false)
        #expect(half == false)
        #expect(again == true, "it may have been seen before all of it was written")
        #expect(third == nil, "twice is enough")
        let whole = look(&looks, 3, isGood: true), after = look(&looks, 3, isGood: true)
        #expect(whole == false && after == nil)
        let asked = look(&looks, 3, isAsked: true, isGood: true)
        #expect(asked == false, "who asks hears what is wrong")
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
