import Basics
import CCurl
import Synchronization

/// Owns an easy handle of libcurl: one transfer with its options.
@safe struct EasyHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer

    init() throws(Failure) {
        guard let handle = unsafe curl_easy_init() else {
            throw Failure(.failed, "libcurl has no memory for a transfer")
        }
        unsafe raw = handle
    }

    deinit { unsafe curl_easy_cleanup(raw) }
}

/// Owns a multi handle of libcurl: what drives a transfer and keeps its connections for the next.
@safe struct MultiHandle: ~Copyable {
    let raw: UnsafeMutableRawPointer

    init() throws(Failure) {
        guard let handle = unsafe curl_multi_init() else {
            throw Failure(.failed, "libcurl has no memory for connections")
        }
        unsafe raw = handle
    }

    deinit { unsafe curl_multi_cleanup(raw) }
}

/// Owns a list of strings of libcurl: header lines, commands.
@safe struct CurlList: ~Copyable {
    private(set) var raw: UnsafeMutablePointer<curl_slist>?

    init(_ lines: [String]) {
        unsafe raw = nil
        for line in lines { unsafe raw = curl_slist_append(raw, line) ?? raw }
    }

    deinit { unsafe curl_slist_free_all(raw) }
}

/// A transfer that can be set up again and again, with the connections it has open.
///
/// Belongs to one lane at a time. What an option points to must live as long as the transfer; texts
/// are copied by libcurl.
@safe final class Handle: @unchecked Sendable {
    // Sendable: whoever takes it out of a pool is its only user until it is put back.
    private let easy: EasyHandle
    private let multi: MultiHandle
    private let errors: UnsafeMutablePointer<CChar>
    /// Header lines and commands of the transfer that is set up.
    private var lists: [ListBox] = []

    private final class ListBox {
        let list: CurlList
        init(_ lines: [String]) { list = CurlList(lines) }
    }

    init() throws(Failure) {
        guard Self.isReady else { throw Failure(.failed, "libcurl cannot be started") }
        easy = try EasyHandle()
        multi = try MultiHandle()
        unsafe errors = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errors.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit { unsafe errors.deallocate() }

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// What libcurl says in words of the last error.
    var errorText: String { unsafe String(cString: errors) }

    /// Forgets all options and keeps the connections.
    func reset() {
        unsafe curl_easy_reset(easy.raw)
        unsafe errors.pointee = 0
        unsafe exeat_curl_pointer(easy.raw, CURLOPT_ERRORBUFFER, errors)
        lists = []
    }

    // MARK: - Options

    func set(_ option: CURLoption, _ value: Int) throws(Failure) {
        try check(unsafe exeat_curl_number(easy.raw, option, value), option)
    }

    func set(_ option: CURLoption, size: Int64) throws(Failure) {
        try check(unsafe exeat_curl_size(easy.raw, option, Int(size)), option)
    }

    func set(_ option: CURLoption, _ text: String?) throws(Failure) {
        try check(unsafe exeat_curl_text(easy.raw, option, text), option)
    }

    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) throws(Failure) {
        try check(unsafe exeat_curl_pointer(easy.raw, option, pointer), option)
    }

    func set(_ option: CURLoption, list lines: [String]) throws(Failure) {
        let box = ListBox(lines)
        lists.append(box)
        try check(unsafe exeat_curl_list(easy.raw, option, box.list.raw), option)
    }

    /// Lets `body` set what needs a function pointer.
    func configure(_ body: (UnsafeMutableRawPointer) -> CURLcode) throws(Failure) {
        try check(unsafe body(easy.raw), nil)
    }

    private func check(_ code: CURLcode, _ option: CURLoption?) throws(Failure) {
        guard code != CURLE_OK else { return }
        let name = option.map { "option \($0.rawValue)" } ?? "a callback"
        throw Failure(
            .unsupported, "libcurl does not take \(name): \(Self.describe(code))",
            hint: "Install libcurl4 (the OpenSSL flavour) 7.85 or later.")
    }

    static func describe(_ code: CURLcode) -> String {
        unsafe String(cString: curl_easy_strerror(code))
    }

    // MARK: - Facts

    func number(_ info: CURLINFO) -> Int { unsafe exeat_curl_get_number(easy.raw, info) }

    /// -1 where it is not known.
    func size(_ info: CURLINFO) -> Int64 { Int64(unsafe exeat_curl_get_size(easy.raw, info)) }

    // MARK: - Running

    func begin() throws(Failure) {
        guard unsafe curl_multi_add_handle(multi.raw, easy.raw) == CURLM_OK else {
            throw Failure(.failed, "libcurl cannot start a transfer")
        }
    }

    /// Ends the transfer; one that is not complete loses its connection.
    func end() { unsafe curl_multi_remove_handle(multi.raw, easy.raw) }

    /// Goes on as far as it can without waiting; how the transfer ended, once it has.
    func advance() throws(Failure) -> CURLcode? {
        var running: Int32 = 0
        guard unsafe curl_multi_perform(multi.raw, &running) == CURLM_OK else {
            throw Failure(.failed, "libcurl cannot go on with a transfer")
        }
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi.raw, &left) {
            if unsafe message.pointee.msg == CURLMSG_DONE {
                return unsafe message.pointee.data.result
            }
        }
        return nil
    }

    /// Waits until something can go on, for a while at most.
    func wait(milliseconds: Int32) {
        var ready: Int32 = 0
        unsafe curl_multi_poll(multi.raw, nil, 0, milliseconds, &ready)
    }

    /// Lets a transfer go on whose writer had asked for a pause.
    func resume() { unsafe curl_easy_pause(easy.raw, CURLPAUSE_CONT) }
}

/// Handles that are not in use, for whichever lane comes next.
final class HandlePool: Sendable {
    private let idle = Mutex<[Handle]>([])
    private let limit = 8

    func take() throws(Failure) -> Handle {
        if let handle = idle.withLock({ $0.popLast() }) { return handle }
        let handle = try Handle()
        handle.reset()
        return handle
    }

    func put(_ handle: Handle) {
        handle.reset()
        idle.withLock { if $0.count < limit { $0.append(handle) } }
    }
}
