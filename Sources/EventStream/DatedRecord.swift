import CRDKafka
import Interactions

/// A record that carries a time of its own: librdkafka takes those by a list of parts.
enum DatedRecord {
    /// Queues it, as `rd_kafka_produce` does.
    static func produce(
        _ client: OpaquePointer, _ topic: OpaquePointer, _ key: UnsafeRawBufferPointer?, _ value: UnsafeRawBufferPointer?,
        _ partition: Int32, _ flags: Int32, _ waiter: UnsafeMutableRawPointer?, _ time: EventTime
    ) -> rd_kafka_resp_err_t {
        func part(_ kind: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) -> rd_kafka_vu_t {
            var part = rd_kafka_vu_t()
            part.vtype = kind
            fill(&part)
            return part
        }
        let parts = [
            part(RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topic },
            part(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = partition },
            part(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = flags },
            part(RD_KAFKA_VTYPE_VALUE) {
                $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: StreamProducer.address(value))
                $0.u.mem.size = value?.count ?? 0
            },
            part(RD_KAFKA_VTYPE_KEY) {
                $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: StreamProducer.address(key))
                $0.u.mem.size = key?.count ?? 0
            },
            part(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = time.milliseconds },
            part(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = waiter },
        ]
        guard let problem = rd_kafka_produceva(client, parts, parts.count) else { return RD_KAFKA_RESP_ERR_NO_ERROR }
        defer { rd_kafka_error_destroy(problem) }
        return rd_kafka_error_code(problem)
    }
}
