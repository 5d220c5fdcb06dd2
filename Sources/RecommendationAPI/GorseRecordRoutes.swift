import Bytes
import ForeignClients
import HummingbirdCore
import Interactions

/// Users and items as clients of Gorse write and read them.
enum GorseRecordRoutes {
    static let routes: [Route] = userRoutes + itemRoutes + categoryRoutes

    private static let userRoutes: [Route] = [
        GorseDoor.route(.post, "/api/user", .write, takesBody: true) { exchange in
            try await DoorWrites(exchange: exchange).put([GorseObjects.user(try GorseObjects.tree(exchange.body))], users: true)
            return GorseDoor.affected(1)
        },
        GorseDoor.route(.post, "/api/users", .write, takesBody: true) { exchange in
            let users = try GorseObjects.list(exchange.body).map { tree in try GorseObjects.user(tree) }
            try await DoorWrites(exchange: exchange).put(last(users), users: true)
            return GorseDoor.affected(users.count)
        },
        GorseDoor.route(.patch, "/api/user/{user}", .write, takesBody: true) { exchange in
            let id = exchange.parameters[0]
            let known = try await exchange.service.operations.user(exchange.service.configuration.userID(id, "user_id"))
            let patch = try GorseObjects.userPatch(id, GorseObjects.tree(exchange.body), now: known?.attributes)
            try await DoorWrites(exchange: exchange).put([patch], isPatch: true, users: true)
            return GorseDoor.affected(1)
        },
        GorseDoor.route(.get, "/api/user/{user}", .read) { exchange in
            let id = try exchange.service.configuration.userID(exchange.parameters[0], "user_id")
            guard let view = try await exchange.service.operations.user(id) else {
                throw Problem(.notFound, "unknown-user", "user not found")
            }
            return GorseDoor.json { GorseObjects.write(UserRecord(userID: view.userID, attributes: view.attributes), to: &$0) }
        },
        GorseDoor.route(.get, "/api/users", .read) { exchange in
            let window = try GorseDoor.Window(exchange)
            let found = try await DoorWrites(exchange: exchange).doors.users(GorseDoor.cursor(exchange), window.count + 1)
            let page = Array(found.prefix(window.count))
            return GorseDoor.page("Users", page, cursor: found.count > page.count ? page.last?.userID ?? "" : "") { user, writer in
                GorseObjects.write(user, to: &writer)
            }
        },
        GorseDoor.route(.delete, "/api/user/{user}", .write, audit: { _ in "erasure of a user" }) { exchange in
            try await DoorWrites(exchange: exchange).deleteUser(exchange.parameters[0])
            return GorseDoor.affected(1)
        },
    ]

    private static let itemRoutes: [Route] = [
        GorseDoor.route(.post, "/api/item", .write, takesBody: true) { exchange in
            try await DoorWrites(exchange: exchange).put([GorseObjects.item(try GorseObjects.tree(exchange.body))], users: false)
            return GorseDoor.affected(1)
        },
        GorseDoor.route(.post, "/api/items", .write, takesBody: true) { exchange in
            let items = try GorseObjects.list(exchange.body).map { tree in try GorseObjects.item(tree) }
            try await DoorWrites(exchange: exchange).put(last(items), users: false)
            return GorseDoor.affected(items.count)
        },
        GorseDoor.route(.patch, "/api/item/{item}", .write, takesBody: true) { exchange in
            let known = try await item(exchange) ?? ItemRecord(itemID: exchange.parameters[0])
            let patch = try GorseObjects.itemPatch(GorseObjects.tree(exchange.body), of: known)
            try await DoorWrites(exchange: exchange).put([patch], isPatch: true, users: false)
            return GorseDoor.affected(1)
        },
        GorseDoor.route(.get, "/api/item/{item}", .read) { exchange in
            guard let item = try await item(exchange) else { throw unknownItem }
            return GorseDoor.json { GorseObjects.write(item, to: &$0) }
        },
        GorseDoor.route(.get, "/api/items", .read) { exchange in
            let window = try GorseDoor.Window(exchange)
            let doors = try DoorWrites(exchange: exchange).doors
            if let query = exchange.query.values("q").last {
                let words = query.split(separator: " ").prefix(16).map(String.init)
                let found = words.isEmpty ? [] : try await doors.search(words, window.count)
                return GorseDoor.page("Items", found, cursor: "") { item, writer in GorseObjects.write(item, to: &writer) }
            }
            let found = try await doors.items(GorseDoor.cursor(exchange), window.count + 1)
            let page = Array(found.prefix(window.count))
            return GorseDoor.page("Items", page, cursor: found.count > page.count ? page.last?.itemID ?? "" : "") { item, writer in
                GorseObjects.write(item, to: &writer)
            }
        },
        GorseDoor.route(.delete, "/api/item/{item}", .write) { exchange in
            try await DoorWrites(exchange: exchange).deleteItem(exchange.parameters[0])
            return GorseDoor.affected(1)
        },
    ]

    private static let categoryRoutes: [Route] = [
        GorseDoor.route(.put, "/api/item/{item}/category/{category}", .write) { exchange in
            let category = exchange.parameters[1]
            return try await change(exchange) { $0.contains(category) ? $0 : $0 + [category] }
        },
        GorseDoor.route(.delete, "/api/item/{item}/category/{category}", .write) { exchange in
            let category = exchange.parameters[1]
            return try await change(exchange) { $0.filter { $0 != category } }
        },
    ]

    private static let unknownItem = Problem(.notFound, "unknown-item", "item not found")

    private static func item(_ exchange: Exchange) async throws -> ItemRecord? {
        let id = try exchange.service.configuration.id(exchange.parameters[0], "item_id")
        return try await exchange.service.operations.item(id)?.record
    }

    /// Changes the categories of an item; of two changes at once to the same item, one may be lost, as there is no compare-and-set.
    private static func change(_ exchange: Exchange, _ next: ([String]) -> [String]) async throws -> Response {
        guard let known = try await item(exchange) else { throw unknownItem }
        let categories = next(known.categories)
        if categories != known.categories {
            try await DoorWrites(exchange: exchange).put(
                [GorseObjects.categories(categories, of: known.itemID)], isPatch: true, users: false)
        }
        return GorseDoor.affected(1)
    }

    /// Of records of one id the last: they are sent at once, and the order between them would be lost.
    private static func last(_ records: [DoorRecord]) -> [DoorRecord] {
        var places: [String: Int] = [:]
        for (index, record) in records.enumerated() { places[record.id] = index }
        return records.enumerated().filter { places[$0.element.id] == $0.offset }.map(\.element)
    }
}
