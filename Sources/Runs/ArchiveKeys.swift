public import Basics
import Encryption
import Signatures
import Streams

/// The secret keys that open an archive, read from files of age identities before anything else.
public struct ArchiveKeys: Sendable {
    let identities: [Identity]

    public var isEmpty: Bool { identities.isEmpty }

    /// - Parameters:
    ///   - files: as age-keygen writes them, or the same encrypted with a passphrase (`age -p`), armored or
    ///     not.
    ///   - passphrase: asked once for each file that needs one, by its path.
    public init(
        files: [String], passphrase: (String) throws(Failure) -> Secret
    ) throws(Failure) {
        var identities: [Identity] = []
        for file in files {
            var bytes = try Self.read(file)
            if Self.isEncrypted(bytes) {
                bytes = try Self.decrypt(bytes, file, passphrase)
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Failure(.ageKeyInvalid, "\"\(file)\" is not a key file")
            }
            do throws(Failure) { identities += try Identity.parse(file: text) } catch {
                throw error.during("cannot use the key file \"\(file)\"", hint: error.hint)
            }
        }
        self.identities = identities
    }

    /// Others may read a key file that is encrypted, and no other.
    private static func read(_ file: String) throws(Failure) -> [UInt8] {
        do throws(Failure) { return try KeyFiles.readPrivate(file) } catch {
            guard error.code == .keyFileExposed, let bytes = try? Files.read(file, limit: largest),
                isEncrypted(bytes)
            else { throw error }
            return bytes
        }
    }

    private static let largest = 1 << 16

    private static func isEncrypted(_ bytes: [UInt8]) -> Bool {
        ["age-encryption.org/", "-----BEGIN AGE"].contains { bytes.starts(with: $0.utf8) }
    }

    private static func decrypt(
        _ bytes: [UInt8], _ file: String, _ passphrase: (String) throws(Failure) -> Secret
    ) throws(Failure) -> [UInt8] {
        var unarmored = ArmorSource(MemorySource(bytes), .detected)
        let plain: [UInt8]
        do throws(Failure) { plain = try unarmored.readAll(limit: largest) } catch {
            throw error.during("cannot open the key file \"\(file)\"", hint: error.hint)
        }
        // Nobody is asked for a passphrase that does not exist.
        guard plain.starts(with: "age-encryption.org/v1\n-> scrypt ".utf8) else {
            throw Failure(
                .ageKeyInvalid,
                "the key file \"\(file)\" is encrypted itself, and not with a passphrase",
                hint: "Decrypt it first: (umask 077; age -d -i KEY -o IDENTITY FILE).")
        }
        let identity = Identity(try Passphrase(try passphrase(file)))
        do throws(Failure) {
            var opening = try Opening(MemorySource(plain), identities: [identity])
            return try opening.readAll(limit: largest)
        } catch {
            guard error.code == .ageNoMatch else {
                throw error.during("cannot open the key file \"\(file)\"", hint: error.hint)
            }
            throw Failure(
                .ageNoMatch, "the passphrase does not open the key file \"\(file)\"",
                hint: "Check it for typing errors.")
        }
    }
}
