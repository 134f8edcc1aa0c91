public import Basics
public import Streams

/// A form with fields and one file (RFC 7578), sent with its exact length and in the given order.
public struct MultipartForm: Sendable {
    /// Fields before the file, in the order they are sent.
    public let fields: [(name: String, value: String)]
    public let fileField: String
    public let fileName: String
    private let boundary: String

    /// - Parameter boundary: letters and digits that occur in no part; a random one.
    public init(
        fields: [(name: String, value: String)], fileField: String, fileName: String,
        boundary: String
    ) throws(Failure) {
        for text in fields.flatMap({ [$0.name, $0.value] }) + [fileField, fileName] {
            guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x7f }) else {
                throw Failure(.invalidValue, "\"\(text)\" cannot be sent in a form")
            }
        }
        self.fields = fields
        self.fileField = fileField
        self.fileName = fileName
        self.boundary = boundary
    }

    private var before: [UInt8] {
        var text = ""
        for field in fields {
            text += "--\(boundary)\r\n"
            text += "Content-Disposition: form-data; name=\"\(field.name)\"\r\n\r\n"
            text += "\(field.value)\r\n"
        }
        // Some parsers want the disposition first and nothing between it and the type.
        text += "--\(boundary)\r\n"
        text +=
            "Content-Disposition: form-data; name=\"\(fileField)\"; filename=\"\(fileName)\"\r\n"
        text += "Content-Type: application/octet-stream\r\n\r\n"
        return Array(text.utf8)
    }

    private var after: [UInt8] { Array("\r\n--\(boundary)--\r\n".utf8) }

    /// The length of the whole body around a file of `size` bytes.
    public func length(ofFile size: Int64) -> Int64 {
        Int64(before.count) + size + Int64(after.count)
    }

    /// Sends the form by POST; `source` must have exactly `size` bytes.
    ///
    /// - Parameter sent: called now and then with the number of bytes of the file on their way.
    public func post(
        to target: String, headers: [HTTPHeader], of client: HTTPClient,
        file source: consuming some ByteSource & ~Copyable, size: Int64,
        sent: @escaping (Int64) -> Void = { _ in }
    ) throws(Failure) -> HTTPResponse {
        let type = HTTPHeader("Content-Type", "multipart/form-data; boundary=\(boundary)")
        var options = BodyFeedOptions(size: size)
        options.before = before
        options.after = after
        options.sent = sent
        return try client.send(
            HTTPRequest(.post, target, headers: headers + [type]), body: options, from: source)
    }
}
