/// Tokens that tell by their first letters who made them.
enum KnownTokens {
    /// The beginning, the least length of the whole, and what it is.
    private static let known: [(head: String, length: Int, secretClass: SecretClass)] = [
        ("ghp_", 36, .token), ("gho_", 36, .token), ("ghu_", 36, .token), ("ghs_", 36, .token),
        ("ghr_", 36, .token),
        ("github_pat_", 40, .token), ("glpat-", 20, .token), ("gldt-", 20, .token),
        ("glrt-", 20, .token),
        ("glptt-", 20, .token), ("glcbt-", 20, .token), ("glagent-", 20, .token),
        ("gloas-", 20, .token), ("glsoat-", 20, .token),
        ("GR1348941", 25, .token), ("xoxb-", 16, .token), ("xoxp-", 16, .token),
        ("xoxa-", 16, .token), ("xoxr-", 16, .token),
        ("xoxs-", 16, .token), ("xoxe-", 16, .token), ("xapp-", 16, .token),
        ("sk_live_", 20, .token), ("rk_live_", 20, .token),
        ("sk_test_", 20, .token), ("whsec_", 20, .token), ("AKIA", 20, .cloudCredential),
        ("ASIA", 20, .cloudCredential),
        ("hvs.", 24, .token), ("hvb.", 24, .token), ("hvr.", 24, .token), ("s.", 26, .token),
        ("dop_v1_", 40, .token), ("doo_v1_", 40, .token),
        ("npm_", 36, .token), ("pypi-", 40, .token), ("AIza", 39, .cloudCredential),
        ("ya29.", 24, .token), ("SG.", 40, .token),
        ("key-", 36, .token), ("sk-", 32, .token), ("dckr_pat_", 30, .token),
        ("shpat_", 36, .token), ("shpss_", 36, .token),
        ("PMAK-", 40, .token), ("lin_api_", 40, .token), ("glsa_", 36, .token),
        ("glc_", 40, .token), ("eyJrIjoi", 40, .token),
        ("atlasv1.", 40, .token), ("dapi", 36, .token), ("NRAK-", 30, .token),
        ("tskey-", 24, .token), ("sntrys_", 40, .token),
        ("rubygems_", 40, .token), ("hf_", 30, .token), ("AGE-SECRET-KEY-1", 60, .privateKey),
        ("AGE-PLUGIN-", 30, .privateKey),
        ("PVEAPIToken", 30, .token), ("ATATT3", 40, .token), ("figd_", 36, .token),
        ("dt0c01.", 40, .token), ("nvapi-", 40, .token), ("squ_", 40, .token),
        ("sqp_", 40, .token), ("sqa_", 40, .token), ("GOCSPX-", 30, .token),
        ("xkeysib-", 60, .token), ("ATBB", 32, .token), ("dckr_oat_", 30, .token),
        // What Jenkins writes of a secret: {AQAAABAAAAAQ…}.
        ("AQAAABAAAA", 40, .ciphertext), ("gsk_", 50, .token), ("pul-", 43, .token),
        // In the address of a channel of conda: /t/tk-….
        ("tk-", 39, .token),
    ]

    private static let heads: [[UInt8]] = Redaction.bytes(of: known.map(\.head))

    private static let byFirst: [[Int]] = (0..<128).map { byte in
        heads.indices.filter { Int(heads[$0][0]) == byte }
    }

    static func secretClass(of range: Range<Int>, in bytes: [UInt8]) -> (SecretClass, String)? {
        for index in byFirst[Int(bytes[range.lowerBound] & 127)]
        where range.count >= known[index].length && bytes.has(heads[index], at: range.lowerBound) {
            let head = heads[index]
            let tail = bytes[(range.lowerBound + head.count)..<range.upperBound]
            if tail.contains(where: { $0.isDigit || $0.isUpper }) {
                return (known[index].secretClass, "known-prefix")
            }
        }
        return isJWT(range, in: bytes) ? (.token, "jwt") : nil
    }

    /// Three parts of base64url, the first an object of JSON (RFC 7519); of JWE five.
    private static func isJWT(_ range: Range<Int>, in bytes: [UInt8]) -> Bool {
        guard range.count >= 24, bytes.has("eyJ", at: range.lowerBound) else { return false }
        let dots = bytes[range].filter { $0 == 0x2e }.count
        return dots == 2 || dots == 4
    }
}
