import Basics

/// The way from the certificate of an authority to one that is trusted (RFC 5280, section 6), at a
/// moment of the past.
struct CertificatePath {
    let anchors: [Certificate]
    /// Certificates that may stand in between; nobody trusts them for being there.
    let others: [Certificate]
    let moment: Timestamp

    private static let longest = 8

    /// Throws unless `signer` leads to an anchor.
    func check(_ signer: Certificate) throws(Failure) {
        var problem: Failure?
        guard try leads(from: signer, below: 0, through: [signer], &problem) else {
            throw problem
                ?? Failure(
                    .timeStampUntrusted,
                    "the certificate \"\(signer.name)\" does not lead to an authority that is trusted",
                    hint: "Give the root certificate of the time-stamping authority with --tsa-ca.")
        }
    }

    private func leads(
        from certificate: Certificate, below: Int, through path: [Certificate],
        _ problem: inout Failure?
    ) throws(Failure) -> Bool {
        if let unknown = certificate.unknownCritical {
            note(
                &problem, .timeStampCertificate,
                "\"\(certificate.name)\" has a critical extension that is not known: \(unknown)")
            return false
        }
        guard certificate.isValid(at: moment) else {
            note(
                &problem, .timeStampExpired,
                "the certificate \"\(certificate.name)\" is valid from \(certificate.notBefore.text) "
                    + "to \(certificate.notAfter.text), the time-stamp is of \(moment.text)")
            return false
        }
        if anchors.contains(certificate) { return true }
        guard path.count < Self.longest else { return false }
        let issuers = (anchors + others).filter {
            $0.subject == certificate.issuer && !path.contains($0)
        }
        for issuer in issuers {
            guard try mayIssue(issuer, below, &problem) else { continue }
            guard try certificate.isSigned(by: issuer) else {
                note(
                    &problem, .timeStampUntrusted,
                    "the certificate \"\(certificate.name)\" was not signed by \"\(issuer.name)\"")
                continue
            }
            let next = issuer.isSelfIssued ? below : below + 1
            if try leads(from: issuer, below: next, through: path + [issuer], &problem) {
                return true
            }
        }
        return false
    }

    /// Whether the certificate may stand above `below` other authorities.
    private func mayIssue(
        _ issuer: Certificate, _ below: Int, _ problem: inout Failure?
    ) throws(Failure) -> Bool {
        let name = issuer.name
        let (isAuthority, most) = try issuer.authority()
        let signs = try issuer.usage().map { $0[5] } ?? true
        guard issuer.isVersion3, isAuthority, signs else {
            note(&problem, .timeStampCertificate, "\"\(name)\" may not issue certificates")
            return false
        }
        if let most, below > most {
            note(&problem, .timeStampCertificate, "too many certificates follow \"\(name)\"")
            return false
        }
        if let purposes = try issuer.purposes(),
            !purposes.contains(.timeStamping), !purposes.contains(.anyExtendedKeyUsage)
        {
            note(
                &problem, .timeStampCertificate,
                "\"\(name)\" may not issue certificates for time-stamping")
            return false
        }
        guard try issuer.value(.nameConstraints) == nil else {
            note(
                &problem, .timeStampCertificate,
                "\"\(name)\" constrains names, which is not supported")
            return false
        }
        return true
    }

    /// The first thing that stood in the way is the one that is told.
    private func note(_ problem: inout Failure?, _ code: Failure.Code, _ what: String) {
        if problem == nil { problem = Failure(code, what) }
    }

    /// What RFC 3161, section 2.3, asks of the certificate that signs tokens.
    static func checkSigner(_ signer: Certificate) throws(Failure) {
        func refuse(_ what: String) -> Failure {
            Failure(
                .timeStampCertificate, "the certificate \"\(signer.name)\" \(what)",
                hint: "A time-stamping authority has a certificate for that purpose alone.")
        }
        guard signer.isVersion3 else { throw refuse("is not of version 3") }
        guard let purposes = try signer.purposes() else {
            throw refuse("names no purpose (extended key usage)")
        }
        guard purposes == [.timeStamping] else {
            throw refuse("is not for time-stamping alone")
        }
        guard signer.isCritical(.extendedKeyUsage) else {
            throw refuse("does not say that its purpose is critical")
        }
        if let usage = try signer.usage() {
            guard usage[0] || usage[1], !usage[2...].contains(true) else {
                throw refuse("is not for signatures alone (key usage)")
            }
        }
    }
}
