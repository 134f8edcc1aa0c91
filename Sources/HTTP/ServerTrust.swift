public import Basics
import CCurl
public import Primitives
import Synchronization

/// How a server proves to be the one that is meant.
public enum ServerTrust: Sendable {
    /// Its certificate has one of these SHA-256 fingerprints, whatever its names, dates and issuer are.
    case pinned([Digest256])
    /// Its certificate bears its name and was issued by an authority of this PEM file.
    case authority(file: String)
    /// Its certificate bears its name and was issued by an authority that the system trusts.
    case system

    /// Reads a fingerprint as `openssl x509 -fingerprint -sha256` or Proxmox VE print it.
    ///
    /// 64 hexadecimal digits of either case, with colons between all bytes or with none.
    public static func fingerprint(_ text: some StringProtocol) throws(Failure) -> Digest256 {
        let invalid = Failure(
            .invalidValue, "\"\(text)\" is not a SHA-256 fingerprint of a certificate",
            hint: "It has 32 bytes in hexadecimal, with colons or without: \"AB:CD:…\".")
        let lower = text.lowercased()
        var digits = lower
        if lower.contains(":") {
            let parts = lower.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 32, parts.allSatisfy({ $0.utf8.count == 2 }) else { throw invalid }
            digits = parts.joined()
        }
        guard let digest = Digest256(hex: digits) else { throw invalid }
        return digest
    }
}

extension Digest256 {
    /// As tools for certificates print it: `AB:CD:…`.
    public var fingerprintText: String {
        bytes.map { Hex.encode([$0]).uppercased() }.joined(separator: ":")
    }
}

/// Compares the certificate of a server with pins, inside the handshake.
///
/// It replaces the verification of OpenSSL (`SSL_CTX_set_cert_verify_callback`), so a certificate that
/// does not match ends the handshake before any byte of a request is sent. The context of a connection
/// points here, so the check lives as long as the client.
final class PinCheck: Sendable {
    private let pins: [Digest256]
    private let refused = Mutex<Digest256?>(nil)

    init(_ pins: [Digest256]) { self.pins = pins }

    /// The certificate that was refused last.
    var lastRefused: Digest256? { refused.withLock { $0 } }

    func attach(to handle: Handle) throws(Failure) {
        try unsafe handle.configure { raw in
            unsafe exeat_curl_on_tls(raw) { _, context, user in
                guard let context = unsafe context else { return CURLE_SSL_CONNECT_ERROR }
                unsafe SSL_CTX_set_cert_verify_callback(
                    OpaquePointer(context), { unsafe PinCheck.verify($0, $1) }, user)
                return CURLE_OK
            }
        }
        try unsafe handle.set(
            CURLOPT_SSL_CTX_DATA, pointer: Unmanaged.passUnretained(self).toOpaque())
        // The pin says who the server is; names and authorities say nothing more.
        try handle.set(CURLOPT_SSL_VERIFYPEER, 1)
        try handle.set(CURLOPT_SSL_VERIFYHOST, 0)
        try handle.set(CURLOPT_CAINFO, nil)
        try handle.set(CURLOPT_CAPATH, nil)
        // A resumed session has no certificate to look at.
        try handle.set(CURLOPT_SSL_SESSIONID_CACHE, 0)
    }

    private static func verify(_ store: OpaquePointer?, _ user: UnsafeMutableRawPointer?) -> Int32 {
        guard let user = unsafe user else { return 0 }
        let check = unsafe Unmanaged<PinCheck>.fromOpaque(user).takeUnretainedValue()
        let accepted = unsafe check.accepts(X509_STORE_CTX_get0_cert(store))
        unsafe X509_STORE_CTX_set_error(
            store, accepted ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION)
        return accepted ? 1 : 0
    }

    private func accepts(_ certificate: OpaquePointer?) -> Bool {
        guard let certificate = unsafe certificate else { return false }
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard unsafe X509_digest(certificate, EVP_sha256(), &bytes, &count) == 1,
            let digest = Digest256(bytes: bytes[..<Int(count)])
        else { return false }
        if pins.contains(digest) { return true }
        refused.withLock { $0 = digest }
        return false
    }
}
