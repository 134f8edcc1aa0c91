public import Basics

extension Certificate {
    /// The certificates of a PEM text (RFC 7468), other blocks and the text around left aside, or one
    /// in DER. Throws `.trustInvalid` where there is none.
    public static func list(of bytes: [UInt8]) throws(Failure) -> [Certificate] {
        if bytes.first == DERValue.sequence {
            do throws(Failure) { return [try Certificate(der: bytes)] } catch {
                throw Failure(.trustInvalid, "it is not a certificate", cause: error)
            }
        }
        let begin = "-----BEGIN CERTIFICATE-----"
        let end = "-----END CERTIFICATE-----"
        var certificates: [Certificate] = []
        var base64: String?
        let text = String(decoding: bytes, as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingBlanks
            if line == begin {
                base64 = ""
            } else if line == end {
                guard let whole = base64, let der = Base64.decode(whole) else {
                    throw Failure(.trustInvalid, "a certificate is not in PEM")
                }
                do throws(Failure) { certificates.append(try Certificate(der: der)) } catch {
                    throw Failure(.trustInvalid, "a certificate cannot be read", cause: error)
                }
                base64 = nil
            } else {
                base64? += line
            }
        }
        guard !certificates.isEmpty, base64 == nil else {
            throw Failure(
                .trustInvalid, "it holds no whole certificate",
                hint: "Give a PEM file: lines that begin with \(begin).")
        }
        return certificates
    }

    /// The certificate as PEM.
    public var pem: String {
        let base64 = Array(Base64.encode(der).utf8)
        var lines = ["-----BEGIN CERTIFICATE-----"]
        for start in stride(from: 0, to: base64.count, by: 64) {
            lines.append(
                String(decoding: base64[start..<min(start + 64, base64.count)], as: UTF8.self))
        }
        return (lines + ["-----END CERTIFICATE-----", ""]).joined(separator: "\n")
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
