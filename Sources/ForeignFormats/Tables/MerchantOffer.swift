/// What an offer of a Google Merchant feed says: values by name, in the order in which they came.
struct MerchantOffer: Sendable {
    private(set) var values: [String: [String]] = [:]

    /// Takes a value in; an empty one says nothing. Names are written in small letters with underscores: `Image Link` is `image_link`.
    mutating func add(_ name: String, _ value: String) {
        guard let text = CellReader.present(value) else { return }
        values[Self.plain(name), default: []].append(text)
    }

    /// The first value under a name.
    func first(_ name: String) -> String? { values[name]?.first }

    /// A name in small letters with underscores, without Google's prefix.
    static func plain(_ name: String) -> String {
        let small = CellReader.trimmed(name).lowercased()
        return String((small.hasPrefix("g:") ? small.dropFirst(2) : small[...]).map { $0 == " " ? "_" : $0 })
    }
}
