import CRDKafka

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Asks the broker for the identities of topics, where the librdkafka at hand can: the functions came with 2.3, and the program is built
/// against older ones. So they are looked up by name when it runs.
struct TopicIdentity: @unchecked Sendable {
    // Unchecked: the functions of a library that stays loaded; librdkafka's may be called from any thread.
    private typealias Pointer = OpaquePointer
    private typealias Names = UnsafePointer<UnsafePointer<CChar>?>

    private let collect: @convention(c) (Names, Int) -> Pointer?
    private let destroyCollection: @convention(c) (Pointer?) -> Void
    private let describe: @convention(c) (Pointer?, Pointer?, Pointer?, Pointer?) -> Void
    private let result: @convention(c) (Pointer?) -> Pointer?
    private let topics: @convention(c) (Pointer?, UnsafeMutablePointer<Int>) -> UnsafePointer<Pointer?>?
    private let error: @convention(c) (Pointer?) -> Pointer?
    private let name: @convention(c) (Pointer?) -> UnsafePointer<CChar>?
    private let identity: @convention(c) (Pointer?) -> Pointer?
    private let text: @convention(c) (Pointer?) -> UnsafePointer<CChar>?

    /// What a broker gives that knows no identities: sixteen zero bytes.
    private static let none = "AAAAAAAAAAAAAAAAAAAAAA"

    /// The functions; nil where the library does not have them.
    static let ofClient: TopicIdentity? = TopicIdentity()

    private init?() {
        guard let handle = dlopen(nil, RTLD_NOW) else { return nil }
        func found<Function>(_ name: String, _ type: Function.Type) -> Function? {
            dlsym(handle, "rd_kafka_" + name).map { unsafeBitCast($0, to: type) }
        }
        guard let collect = found("TopicCollection_of_topic_names", (@convention(c) (Names, Int) -> Pointer?).self),
            let destroyCollection = found("TopicCollection_destroy", (@convention(c) (Pointer?) -> Void).self),
            let describe = found("DescribeTopics", (@convention(c) (Pointer?, Pointer?, Pointer?, Pointer?) -> Void).self),
            let result = found("event_DescribeTopics_result", (@convention(c) (Pointer?) -> Pointer?).self),
            let topics = found(
                "DescribeTopics_result_topics",
                (@convention(c) (Pointer?, UnsafeMutablePointer<Int>) -> UnsafePointer<Pointer?>?).self),
            let error = found("TopicDescription_error", (@convention(c) (Pointer?) -> Pointer?).self),
            let name = found("TopicDescription_name", (@convention(c) (Pointer?) -> UnsafePointer<CChar>?).self),
            let identity = found("TopicDescription_topic_id", (@convention(c) (Pointer?) -> Pointer?).self),
            let text = found("Uuid_base64str", (@convention(c) (Pointer?) -> UnsafePointer<CChar>?).self)
        else { return nil }
        (self.collect, self.destroyCollection, self.describe, self.result) = (collect, destroyCollection, describe, result)
        (self.topics, self.error, self.name, self.identity, self.text) = (topics, error, name, identity, text)
    }

    /// The identities by topic; those that are not known are left out, all of them where no broker answers in time.
    func ask(_ client: ClientHandle, _ asked: [String], timeoutMilliseconds: Int) -> [String: String] {
        guard !asked.isEmpty, let queue = rd_kafka_queue_new(client.pointer) else { return [:] }
        defer { rd_kafka_queue_destroy(queue) }
        let names = asked.map { strdup($0) }
        defer { for name in names { free(name) } }
        let pointers = names.map { UnsafePointer<CChar>($0) }
        let collected = pointers.withUnsafeBufferPointer { $0.baseAddress.map { collect($0, asked.count) } ?? nil }
        guard let collection = collected else { return [:] }
        defer { destroyCollection(collection) }
        describe(client.pointer, collection, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, Int32(clamping: timeoutMilliseconds)) else { return [:] }
        defer { rd_kafka_event_destroy(event) }
        guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR, let answer = result(event) else { return [:] }
        var count = 0
        guard let described = topics(answer, &count) else { return [:] }
        var found: [String: String] = [:]
        for index in 0..<count {
            guard let topic = described[index] else { continue }
            if let problem = error(topic), rd_kafka_error_code(problem) != RD_KAFKA_RESP_ERR_NO_ERROR { continue }
            guard let name = name(topic), let id = identity(topic), let text = text(id) else { continue }
            let words = String(cString: text)
            if words != Self.none { found[String(cString: name)] = words }
        }
        return found
    }
}
