/// What an offer of a Google Merchant feed says: values by name, in the order in which they came.
///
/// RSS and Atom have a title, a link and an id of their own beside Google's: where an offer has both, `g:id` wins over `id`.
struct MerchantOffer: Sendable {
    private var plain: [String: [String]] = [:]
    private var googles: [String: [String]] = [:]

    /// Takes a value in; an empty one says nothing. Names are written in small letters with underscores: `Image Link` is `image_link`.
    ///
    /// - Parameter isGoogles: whether the name has Google's prefix in a feed that has others beside.
    mutating func add(_ name: String, _ value: String, isGoogles: Bool = false) {
        guard let text = CellReader.present(value) else { return }
        let name = Self.plain(name)
        if isGoogles { googles[name, default: []].append(text) } else { plain[name, default: []].append(text) }
    }

    /// The names that have values.
    var names: Set<String> { Set(plain.keys).union(googles.keys) }

    /// The values under a name.
    func values(_ name: String) -> [String] { googles[name] ?? plain[name] ?? [] }

    /// The first value under a name.
    func first(_ name: String) -> String? { values(name).first }

    /// A name in small letters with underscores, without Google's prefix.
    static func plain(_ name: String) -> String {
        let small = CellReader.trimmed(name).lowercased()
        return String((small.hasPrefix("g:") ? small.dropFirst(2) : small[...]).map { $0 == " " ? "_" : $0 })
    }
}
