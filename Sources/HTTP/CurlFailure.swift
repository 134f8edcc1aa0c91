import Basics
import CCurl

/// What libcurl's errors mean here.
enum CurlFailure {
    /// - Parameters:
    ///   - mayRepeat: whether the request may reach the server twice without harm.
    static func make(
        _ code: CURLcode, _ handle: Handle, doing what: String, mayRepeat: Bool
    ) -> Failure {
        let text = lowered(
            handle.errorText.isEmpty ? Handle.describe(code) : handle.errorText)
        let connect = handle.number(CURLINFO_HTTP_CONNECTCODE)
        if connect != 0, !(200..<300).contains(connect) {
            return Failure(
                connect == 407 ? .serverRights : .serverUnreachable, what,
                hint: connect == 407
                    ? "Give user and password of the proxy."
                    : "Check that the proxy may connect to that host and port, or go without it.",
                cause: Failure(.serverUnreachable, "the proxy answered with status \(connect)"))
        }
        // Before a request has left, a repetition cannot double anything.
        let repeats = mayRepeat || handle.number(CURLINFO_REQUEST_SIZE) == 0
        let (kind, hint, transient) = meaning(code, text)
        return Failure(
            kind, what, hint: hint, mayRetry: transient && repeats, cause: Failure(kind, text))
    }

    private static func lowered(_ text: String) -> String {
        // "SSL certificate problem" keeps its capitals, "Could not resolve" does not.
        let second = text.dropFirst().first
        guard let first = text.first, second?.isLowercase == true else { return text }
        return first.lowercased() + text.dropFirst()
    }

    /// Whether libssh2 has lost the connection before there was a session: its numbers for a socket that
    /// cannot be sent to, was closed, timed out, or cannot be received from.
    private static func isLost(_ text: String) -> Bool {
        ["-7,", "-9,", "-13,", "-43,"].contains {
            text.contains("establishing ssh session: " + $0)
        }
    }

    private static func meaning(
        _ code: CURLcode, _ text: String
    ) -> (Failure.Code, hint: String?, transient: Bool) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return (.serverUnreachable, "Check the name and this machine's name service.", true)
        case CURLE_COULDNT_CONNECT:
            return (
                .serverUnreachable,
                "Check host, port, firewall, proxy (in the plan or https_proxy) and that the server runs.",
                true
            )
        case CURLE_PROXY:
            return (.serverUnreachable, "Check the address of the proxy.", true)
        case CURLE_OPERATION_TIMEDOUT, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING,
            CURLE_PARTIAL_FILE, CURLE_AGAIN:
            return (.serverUnreachable, nil, true)
        case CURLE_SSL_CONNECT_ERROR:
            let isCut = text.contains("SYSCALL") || text.contains("reset")
            return (
                .serverUnreachable,
                isCut
                    ? nil : "Check that the port speaks HTTPS, with TLS 1.2 or later.",
                isCut
            )
        // "Error in the SSH layer" is all that is known when a connection ends without a word.
        case CURLE_SSH where isLost(text) || text.contains("error in the SSH layer"):
            return (.serverUnreachable, nil, true)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
            return (
                .serverUntrusted,
                "Give the fingerprint of the certificate or the file of its authority, and write the host as the certificate does.",
                false
            )
        case CURLE_SSL_CACERT_BADFILE:
            return (.notFound, "Check the file with the certificate of the authority.", false)
        case CURLE_LOGIN_DENIED:
            return (.serverRights, "Check the user and the credentials.", false)
        case CURLE_REMOTE_ACCESS_DENIED:
            return (
                .denied, "Check owner and mode of the file, and what the account may do.", false
            )
        case CURLE_REMOTE_FILE_NOT_FOUND: return (.notFound, nil, false)
        case CURLE_REMOTE_FILE_EXISTS: return (.exists, nil, false)
        case CURLE_REMOTE_DISK_FULL: return (.noSpace, "Free space on the server.", false)
        case CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT: return (.invalidValue, nil, false)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_NOT_BUILT_IN, CURLE_UNKNOWN_OPTION:
            return (
                .unsupported, "Install libcurl4, the OpenSSL flavour with SFTP.", false
            )
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING:
            return (.serverAnswer, "Check that the address is that of the server.", false)
        default: return (.serverRefused, nil, false)
        }
    }
}
