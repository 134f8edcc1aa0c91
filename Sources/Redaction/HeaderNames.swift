/// Headers of HTTP that carry a permission, where a name and its value are two texts of a list.
enum HeaderNames {
    private static let secrets: Set<String> = [
        "authorization", "proxy-authorization", "x-api-key", "apikey", "api-key", "x-auth-token",
        "x-vault-token", "private-token", "x-access-token", "x-token", "x-auth-key", "cookie",
        "x-amz-security-token", "job-token", "x-gitlab-token",
    ]

    static func isSecret(_ name: ArraySlice<UInt8>) -> Bool {
        name.count <= 24
            && secrets.contains(String(decoding: name.map(\.lowered), as: UTF8.self))
    }
}
