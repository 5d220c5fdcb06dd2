/// SQL: which items may be recommended.
enum Offers {
    /// Whether a row of items may be recommended at some time.
    static func offered(_ row: String) -> String { "(not \(row).hidden and not \(row).deleted and \(row).stock is distinct from 0)" }

    /// Whether what was done with a row of items counts for a list: it may be recommended, or it is of a group of which another may.
    ///
    /// - Parameter time: SQL for milliseconds since 1970, at which it is to be available; nil asks for no time.
    static func counted(_ row: String, at time: String? = nil) -> String {
        var condition = offered(row)
        if let time {
            let moment = "to_timestamp((\(time))::float8 / 1000)"
            condition += " and coalesce(\(row).available_from <= \(moment), true) and coalesce(\(row).available_until > \(moment), true)"
        }
        return "(\(row).item_group_id is not null or (\(condition)))"
    }
}
