extension RecordDecoder {
    /// Decodes one record of `freshet.items`.
    ///
    /// - Parameter now: The clock against which the future is measured.
    public func item(_ bytes: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime) -> Result<ItemRecord, Rejection> {
        Result { () throws(Rejection) -> ItemRecord in
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            var fields: [String: JSONToken] = [:]
            try members(&scanner, bytes) { name, token in
                if Self.itemFields.contains(name) { fields[name] = token }
            }
            func token(_ name: String) -> JSONToken { fields[name] ?? JSONToken() }
            var record = ItemRecord(itemID: try reader.requiredID(token("item_id"), "item_id"))
            record.title = try reader.text(token("title"), "title")
            record.description = try reader.text(token("description"), "description")
            record.categories = try reader.labels(token("categories"), "categories")
            record.tags = try reader.labels(token("tags"), "tags")
            record.currency = try reader.currency(token("currency"), "currency")
            if token("price").isPresent {
                record.priceMicros = try reader.micros(reader.money(token("price"), "price"), "price")
                record.currency = record.currency ?? rules.defaultCurrency
            }
            record.attributes = try reader.object(token("attributes"), "attributes")
            record.embedding = try reader.vector(token("embedding"), "embedding")
            record.publishedAt = try reader.time(token("published_at"), "published_at")
            record.updatedAt = try updateTime(token("updated_at"), reader, origin, now: now)
            record.hidden = try reader.boolean(token("hidden"), "hidden")
            record.groupID = try reader.id(token("item_group_id"), "item_group_id")
            record.availableFrom = try reader.time(token("available_from"), "available_from")
            record.availableUntil = try reader.time(token("available_until"), "available_until")
            if !rules.isStored, let from = record.availableFrom, let until = record.availableUntil, from > until {
                throw Rejection(
                    .outOfRange, field: "available_until",
                    "\(until.rfc3339()) is before available_from, \(from.rfc3339()): the item would never be offered")
            }
            // What was sold beyond the stock is none left.
            record.stock = try reader.integer(token("stock"), "stock", in: Int32.min...Int32.max).map { max(0, $0) }
            return record
        }
    }

    /// Decodes one record of `freshet.users`.
    ///
    /// - Parameter now: The clock against which the future is measured.
    public func user(_ bytes: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime) -> Result<UserRecord, Rejection> {
        Result { () throws(Rejection) -> UserRecord in
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            var userID = JSONToken()
            var attributes = JSONToken()
            var aliases = JSONToken()
            var updatedAt = JSONToken()
            var personalised = JSONToken()
            try members(&scanner, bytes) { name, token in
                switch name {
                case "user_id": userID = token
                case "attributes": attributes = token
                case "aliases": aliases = token
                case "updated_at": updatedAt = token
                case "personalised": personalised = token
                default: break
                }
            }
            var record = UserRecord(userID: try reader.requiredID(userID, of: .user, "user_id"))
            record.attributes = try reader.object(attributes, "attributes")
            record.aliases = try reader.ids(aliases, of: .user, "aliases").filter { $0 != record.userID }
            record.updatedAt = try updateTime(updatedAt, reader, origin, now: now)
            if personalised.isPresent { record.personalised = try reader.boolean(personalised, "personalised") }
            return record
        }
    }

    private static let itemFields: Set<String> = [
        "item_id", "title", "description", "categories", "tags", "price", "currency", "attributes", "embedding",
        "published_at", "updated_at", "hidden", "item_group_id", "available_from", "available_until", "stock",
    ]
}
