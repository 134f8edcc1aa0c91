public import Basics
import Primitives

/// A passphrase to encrypt a file with, or to open one (age's `scrypt` stanza).
///
/// Each file takes a new derivation, about a second and 256 MiB of memory: good for one file, not for
/// the segments of an archive.
public struct Passphrase: Sendable {
    /// What `age -p` uses: 2^18 rounds, 256 MiB.
    public static let standardWorkFactor = 18

    /// The highest work factor that is accepted when reading and writing: 1 GiB of memory.
    ///
    /// The header is not authenticated when the derivation runs, so whoever makes the file decides how
    /// much memory the reader takes. age itself writes 18 and stops reading at 22 (4 GiB).
    public static let maximumWorkFactor = 20

    let secret: Secret
    let workFactor: Int

    /// The passphrase, and the work factor to encrypt with; `.ageKeyInvalid` when it is empty.
    public init(_ secret: Secret, workFactor: Int) throws(Failure) {
        guard !secret.revealed().isEmpty else {
            throw Failure(
                .ageKeyInvalid, "the passphrase is empty", hint: "Give at least one character.")
        }
        guard (1...Self.maximumWorkFactor).contains(workFactor) else {
            throw Failure(
                .ageKeyInvalid, "cannot use scrypt work factor \(workFactor)",
                hint: "Choose one from 1 to \(Self.maximumWorkFactor).")
        }
        self.secret = secret
        self.workFactor = workFactor
    }

    public init(_ secret: Secret) throws(Failure) {
        try self.init(secret, workFactor: Self.standardWorkFactor)
    }

    /// The key that wraps the file key.
    func wrappingKey(salt: [UInt8], workFactor: Int) throws(Failure) -> [UInt8] {
        try Scrypt.derive(
            Array(secret.revealed().utf8), salt: Array("age-encryption.org/v1/scrypt".utf8) + salt,
            workFactor: workFactor, blockSize: 8, parallelism: 1,
            memoryLimit: (1 << 10) * ((1 << Self.maximumWorkFactor) + 8), count: 32)
    }
}
