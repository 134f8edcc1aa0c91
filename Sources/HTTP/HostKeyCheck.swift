public import Basics
import CCurl
public import Primitives
import Synchronization

/// How an SSH server proves to be the one that is meant.
public enum HostTrust: Sendable {
    /// Its key is in this file, in the format of OpenSSH; nothing is ever added to it.
    case knownHosts(file: String)
    /// Its key has one of these SHA-256 fingerprints.
    case pinned([Digest256])

    /// Reads a fingerprint as `ssh-keygen -l` prints it: `SHA256:` and 43 characters of base64.
    public static func fingerprint(_ text: some StringProtocol) throws(Failure) -> Digest256 {
        guard text.hasPrefix("SHA256:"),
            let bytes = Base64.decode(text.dropFirst("SHA256:".count), padded: false),
            let digest = Digest256(bytes: bytes)
        else {
            throw Failure(
                .invalidValue, "\"\(text)\" is not the fingerprint of a host key",
                hint: "Take it from `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`.")
        }
        return digest
    }
}

/// Judges host keys during the key exchange, before anybody logs in.
final class HostKeyCheck: Sendable {
    private let trust: HostTrust
    private let refused = Mutex<Refusal?>(nil)

    /// Why a host key was not taken.
    struct Refusal: Sendable {
        enum Reason: Sendable { case unknown, changed, revoked, otherThanPinned }
        let reason: Reason
        /// As `ssh-keygen -l` prints it.
        let fingerprint: String
        /// The kind of key: "ED25519".
        let kind: String
    }

    init(_ trust: HostTrust) { self.trust = trust }

    var lastRefusal: Refusal? { refused.withLock { $0 } }

    /// Forgets what was refused before.
    func begin() { refused.withLock { $0 = nil } }

    func attach(to handle: Handle) throws(Failure) {
        let user = unsafe Unmanaged.passUnretained(self).toOpaque()
        switch trust {
        case .knownHosts(let file):
            guard Files.exists(file) else {
                throw Failure(
                    .notFound, "the file of known hosts \"\(file)\" is not there",
                    hint: "Make it with `ssh-keyscan`, and compare the keys with the server's.")
            }
            try handle.set(CURLOPT_SSH_KNOWNHOSTS, file)
            try unsafe handle.configure { raw in
                unsafe exeat_curl_on_known_key(raw) { _, _, found, match, user in
                    guard let found = unsafe found, let user = unsafe user else {
                        return Int32(CURLKHSTAT_REJECT.rawValue)
                    }
                    let check = unsafe Unmanaged<HostKeyCheck>.fromOpaque(user)
                        .takeUnretainedValue()
                    let key = unsafe HostKeyCheck.bytes(found.pointee.key, found.pointee.len)
                    let kind = unsafe found.pointee.keytype
                    let good = check.accepts(key, kind, known: match)
                    return Int32((good ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT).rawValue)
                }
            }
            try unsafe handle.set(CURLOPT_SSH_KEYDATA, pointer: user)
        case .pinned:
            try unsafe handle.configure { raw in
                unsafe exeat_curl_on_host_key(raw) { user, kind, key, count in
                    guard let user = unsafe user else { return 1 }
                    let check = unsafe Unmanaged<HostKeyCheck>.fromOpaque(user)
                        .takeUnretainedValue()
                    let bytes = unsafe HostKeyCheck.bytes(key, count)
                    let good = check.accepts(bytes, curl_khtype(UInt32(kind)), known: nil)
                    return good ? Int32(CURLKHMATCH_OK.rawValue) : 1
                }
            }
            try unsafe handle.set(CURLOPT_SSH_HOSTKEYDATA, pointer: user)
        }
    }

    /// A key as libcurl hands it out: its bytes, or base64 where no length is given.
    private static func bytes(_ key: UnsafePointer<CChar>?, _ count: Int) -> [UInt8] {
        guard let key = unsafe key else { return [] }
        if count == 0 { return Base64.decode(unsafe String(cString: key)) ?? [] }
        return unsafe Array(UnsafeRawBufferPointer(start: key, count: count))
    }

    private func accepts(_ key: [UInt8], _ kind: curl_khtype, known: curl_khmatch?) -> Bool {
        let digest = SHA256.hash(key)
        let reason: Refusal.Reason?
        switch trust {
        case .pinned(let pins): reason = pins.contains(digest) ? nil : .otherThanPinned
        case .knownHosts(let file):
            switch known {
            case CURLKHMATCH_OK: reason = isRevoked(key, in: file) ? .revoked : nil
            case CURLKHMATCH_MISMATCH: reason = .changed
            default: reason = .unknown
            }
        }
        guard let reason else { return true }
        let fingerprint = "SHA256:" + Base64.encode(digest.bytes, padded: false)
        let refusal = Refusal(reason: reason, fingerprint: fingerprint, kind: Self.name(kind))
        refused.withLock { $0 = refusal }
        return false
    }

    /// libssh2 does not know the marker `@revoked` (sshd(8)): a key that has one anywhere is refused.
    private func isRevoked(_ key: [UInt8], in file: String) -> Bool {
        guard let text = try? Files.read(file) else { return true }
        let encoded = Base64.encode(key)
        return String(decoding: text, as: UTF8.self).split(separator: "\n").contains {
            $0.hasPrefix("@revoked") && $0.contains(encoded)
        }
    }

    private static func name(_ kind: curl_khtype) -> String {
        switch kind {
        case CURLKHTYPE_ED25519: "ED25519"
        case CURLKHTYPE_ECDSA: "ECDSA"
        case CURLKHTYPE_RSA: "RSA"
        default: "unknown"
        }
    }
}

extension HostKeyCheck.Refusal {
    func failure(_ what: String, server: String) -> Failure {
        let text =
            switch reason {
            case .unknown: "the server's \(kind) key \(fingerprint) is not a known one"
            case .changed: "the server's \(kind) key has changed to \(fingerprint)"
            case .revoked: "the server's \(kind) key \(fingerprint) is revoked"
            case .otherThanPinned:
                "the server's \(kind) key \(fingerprint) is none of those in the plan"
            }
        let check = "Compare with `ssh-keygen -lf` of the keys in /etc/ssh on \(server) itself; "
        // libssh2 chooses among the keys of a server by its own order, unless known_hosts has one.
        let hint =
            reason == .otherThanPinned
            ? check + "a server has several keys, and only if this is one of them, pin it as well."
            : check + "only if it is the same there, add it."
        return Failure(
            .serverUntrusted, what, hint: hint, cause: Failure(.serverUntrusted, text))
    }
}
