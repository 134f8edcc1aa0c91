/// A version of Proxmox VE.
public struct ProxmoxVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let major: Int
    public let minor: Int
    public let patch: Int

    public init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads "8.4.1", "7.4-17", "9.0.0~11" and "pve-manager/8.4.1/…"; nil for anything that does not begin
    /// with two numbers.
    public init?(_ text: some StringProtocol) {
        let number = text.split(separator: "/").first { $0.first?.isNumber == true } ?? ""
        let parts = number.split(omittingEmptySubsequences: false) { ".-~+".contains($0) }
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]),
            (1...999).contains(major), (0...999).contains(minor)
        else { return nil }
        self.init(major, minor, parts.count > 2 ? Int(parts[2]) ?? 0 : 0)
    }

    public static func < (left: ProxmoxVersion, right: ProxmoxVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    public var description: String { "\(major).\(minor).\(patch)" }
}
