import Features
import Interactions

/// What a request needs of a user, as one snapshot of the database.
public struct UserState: Sendable, Equatable {
    /// The user's id.
    public var userID: String
    /// The histories of the user and of all its aliases, merged.
    public var history: UserHistory
    /// Items that the user, or an alias, met in one of the asked-for ways; at most
    /// ``UserStateReader/excludedItemsLimit``.
    public var excludedItemIDs: [String]
    /// Of each of ``excludedItemIDs`` the asked-for ways in which it was met, a bit for each: `1 << rawValue` of an `InteractionType`.
    public var excludedWays: [UInt8]
    /// The user record's attributes, a JSON object as text.
    public var attributes: String?
    /// Where the catalogue was at the same moment.
    public var catalogue: CatalogueMark
    /// The position of the last event folded into each of the merged rows.
    public var watermark: [Position]
    /// Whether a bound left something out: more ids of one person, or more items that exclude, than a read takes in. Items that
    /// should be excluded may be missing then.
    public var isCutShort: Bool
    /// Whether anything of the person may be read; where not, nothing was.
    public var isPersonalised = true

    /// Makes a state.
    public init(
        userID: String, history: UserHistory, excludedItemIDs: [String] = [], excludedWays: [UInt8] = [], attributes: String? = nil,
        catalogue: CatalogueMark = CatalogueMark(), watermark: [Position] = [], isCutShort: Bool = false
    ) {
        self.userID = userID
        self.history = history
        self.excludedItemIDs = excludedItemIDs
        self.excludedWays = excludedWays
        self.attributes = attributes
        self.catalogue = catalogue
        self.watermark = watermark
        self.isCutShort = isCutShort
    }

    /// The catalogue's version at the same moment.
    public var catalogueVersion: Int64 { catalogue.version }
}
