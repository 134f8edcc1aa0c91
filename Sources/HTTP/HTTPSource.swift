public import Basics
import CCurl
public import Streams

/// The body of an answer as a stream, with a bounded amount of memory.
///
/// Belongs to one lane at a time. Throws where the body is shorter than the server said.
public struct HTTPSource: ByteSource, ~Copyable {
    private let transfer: Transfer
    private let client: HTTPClient
    private let request: HTTPRequest
    private var isAtEnd = false

    init(_ transfer: Transfer, _ client: HTTPClient, _ request: HTTPRequest) {
        self.transfer = transfer
        self.client = client
        self.request = request
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        while !isAtEnd, chunk.isEmpty {
            let ended: CURLcode?
            do throws(Failure) { ended = try transfer.fill(&chunk) } catch {
                throw client.interrupted(error, request, transfer)
            }
            let status = transfer.exchange.status
            if !chunk.isEmpty || ended != nil, status != 0, status != 200 {
                throw Failure(
                    .serverRefused,
                    "the server answered \(status) \(transfer.exchange.reason)")
            }
            guard let ended else { continue }
            guard ended == CURLE_OK else { throw client.failed(ended, request, transfer) }
            isAtEnd = true
        }
    }
}
