import Hummingbird
import NIOCore

/// What a request brings along beside itself: the channel that it came in by.
public struct ServiceContext: RequestContext {
    /// The framework's own part.
    public var coreContext: CoreRequestContextStorage
    let channel: any Channel

    /// Made for each request.
    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
