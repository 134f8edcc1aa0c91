public import Basics
import Primitives

/// A time-stamp that holds.
public struct TimeStamp: Sendable {
    /// When what it is about existed at the latest.
    public let moment: Timestamp
    /// In microseconds; nil where the authority says nothing.
    public let accuracy: Int64?
    /// The subject of the signer's certificate.
    public let authority: String
    public let policy: ObjectIdentifier
    /// In hexadecimal.
    public let serial: String
    /// False where no trusted authority was given, so that only the token's own certificate speaks
    /// for it, or nothing.
    public let isTrusted: Bool
    /// Signed by RSASSA-PSS, which `openssl ts` does not know.
    public let isPSS: Bool
}

/// Whom to believe about times: from outside of any archive.
public struct TimeStampTrust: Sendable {
    /// Roots that somebody names together, and the policies that he accepts of them; any where there are
    /// none.
    private struct Circle {
        let anchors: [Certificate]
        let policies: [ObjectIdentifier]

        func accepts(_ policy: ObjectIdentifier) -> Bool {
            policies.isEmpty || policies.contains(policy)
        }
    }

    private let circles: [Circle]
    /// Other certificates of the same files: they help to build a path, no more.
    public let others: [Certificate]

    /// Roots: certificates that sign themselves.
    public var anchors: [Certificate] { circles.flatMap(\.anchors) }

    /// No authority is trusted; tokens are then looked at for what they say of themselves.
    public static let none = TimeStampTrust(circles: [], others: [])

    private init(circles: [Circle], others: [Certificate]) {
        self.circles = circles
        self.others = others
    }

    /// Throws `.trustInvalid` when none of the certificates is a root.
    public init(_ certificates: [Certificate], policies: [ObjectIdentifier]) throws(Failure) {
        let anchors = certificates.filter(\.isSelfIssued)
        circles = [Circle(anchors: anchors, policies: policies)]
        others = certificates.filter { !$0.isSelfIssued }
        guard !anchors.isEmpty else {
            throw Failure(
                .trustInvalid, "there is no root certificate of a time-stamping authority",
                hint: "Give the certificate that signs itself; those in between may follow it.")
        }
    }

    /// Both together: each asks its policies of its own authorities.
    public func joined(_ other: TimeStampTrust) -> TimeStampTrust {
        TimeStampTrust(
            circles: circles + other.circles,
            others: others + other.others.filter { !others.contains($0) })
    }

    public var isEmpty: Bool { circles.isEmpty }

    // MARK: - Judging

    /// Says what the token certifies about the message, or why it does not hold.
    ///
    /// - Parameter request: what was asked; its nonce and policy must come back.
    public func judge(
        _ bytes: [UInt8], over message: [UInt8], request: TimeStampRequest? = nil
    ) throws(Failure) -> TimeStamp {
        let token = try TimeStampToken(parsing: bytes)
        let info = token.info
        try checkContent(info, message, request)
        let candidates = token.certificates + others
        guard let signer = try Self.signer(of: token, among: candidates) else {
            guard isEmpty else {
                throw Failure(
                    .timeStampCertificate,
                    "the certificate of the authority is not in the time-stamp",
                    hint: "Add it to the file of --tsa-ca, behind the root.")
            }
            return stamp(token, "unknown", isTrusted: false)
        }
        try Self.checkSignature(of: token, by: signer)
        try CertificatePath.checkSigner(signer)
        guard !isEmpty else { return stamp(token, signer.name, isTrusted: false) }
        try check(signer, among: candidates, info)
        return stamp(token, signer.name, isTrusted: true)
    }

    /// Somebody trusts a root that the signer leads to, under the policy of the token.
    private func check(
        _ signer: Certificate, among candidates: [Certificate], _ info: TimeStampInfo
    ) throws(Failure) {
        var problem: Failure?
        for circle in circles {
            do throws(Failure) {
                try CertificatePath(
                    anchors: circle.anchors, others: candidates, moment: info.moment
                ).check(signer)
                guard circle.accepts(info.policy) else { throw wrongPolicy(info) }
                return
            } catch {
                // That another one leads elsewhere tells less.
                if problem == nil || problem?.code == .timeStampUntrusted { problem = error }
            }
        }
        if let problem { throw problem }
    }

    private func stamp(_ token: TimeStampToken, _ name: String, isTrusted: Bool) -> TimeStamp {
        let info = token.info
        let isPSS = if case .pss = token.signer.scheme { true } else { false }
        return TimeStamp(
            moment: info.moment, accuracy: info.accuracy, authority: name, policy: info.policy,
            serial: info.serial, isTrusted: isTrusted, isPSS: isPSS)
    }

    private func checkContent(
        _ info: TimeStampInfo, _ message: [UInt8], _ request: TimeStampRequest?
    ) throws(Failure) {
        guard try MessageDigest.of(message, info.algorithm) == info.imprint else {
            throw Failure(
                .timeStampImprint, "the time-stamp is about something else",
                hint:
                    "It belongs to another archive, or the archive was changed after it was stamped."
            )
        }
        if let request {
            guard request.nonce == info.nonce else {
                throw Failure(
                    .timeStampNonce, "the time-stamp does not answer the request: another nonce",
                    hint: "It may be an old answer that somebody has replayed.")
            }
            guard request.policy == nil || request.policy == info.policy else {
                throw wrongPolicy(info)
            }
        }
        guard isEmpty || circles.contains(where: { $0.accepts(info.policy) }) else {
            throw wrongPolicy(info)
        }
    }

    private func wrongPolicy(_ info: TimeStampInfo) -> Failure {
        Failure(
            .timeStampPolicy, "the time-stamp was made under another policy: \(info.policy)",
            hint: "Ask the authority what that policy promises before you accept it.")
    }

    /// The certificate that the signer names in both ways: in CMS, and among the signed attributes.
    private static func signer(
        of token: TimeStampToken, among candidates: [Certificate]
    ) throws(Failure) -> Certificate? {
        guard !token.signer.identifiers.isEmpty else {
            throw Failure(
                .timeStampCertificate, "the time-stamp does not say which certificate signed it")
        }
        var named: [Certificate] = []
        for certificate in candidates {
            let isMeant =
                switch token.signer.name {
                case .issuer(let issuer, let serial):
                    issuer == certificate.issuer && serial == certificate.serial
                case .key(let identifier): try certificate.keyIdentifier() == identifier
                }
            if isMeant { named.append(certificate) }
        }
        guard !named.isEmpty else { return nil }
        for certificate in named {
            var isNamed = true
            for identifier in token.signer.identifiers where isNamed {
                isNamed = try identifier.names(certificate)
            }
            if isNamed { return certificate }
        }
        throw Failure(
            .timeStampCertificate,
            "the time-stamp was signed for another certificate than it carries")
    }

    private static func checkSignature(
        of token: TimeStampToken, by certificate: Certificate
    ) throws(Failure) {
        let signer = token.signer
        let invalid = Failure(
            .timeStampSignature, "the signature of the time-stamp does not hold",
            hint: "It was damaged or forged; ask for it again.")
        guard signer.contentType == .timeStampInfo,
            try signer.messageDigest == MessageDigest.of(token.content, signer.digest)
        else { throw invalid }
        do throws(Failure) {
            let key = try PublicKey(subjectPublicKeyInfo: certificate.subjectPublicKeyInfo)
            for attributes in signer.signed
            where key.isValid(signer.signature, for: attributes, by: signer.scheme) { return }
        } catch { throw Failure(.timeStampAlgorithm, error.what, hint: error.hint) }
        throw invalid
    }
}
