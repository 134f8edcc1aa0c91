import Basics
import Primitives
import TestKit

@testable import Signatures

/// Keys from fixed seeds, so that a failure can be looked at twice.
enum Fixture {
    static let now = Timestamp("2026-11-23T18:00:00.000Z") ?? Timestamp(seconds: 0)
    static let document = Array("{\"subject\":[]}\n".utf8)

    static func world(_ seed: UInt8) -> World {
        World(now: { now }, random: { [UInt8](repeating: seed, count: $0) })
    }

    static func key(
        _ seed: UInt8, _ principal: String, _ roles: Set<Role> = [.exporter, .importer]
    ) throws -> SigningKey {
        try SigningKey.generate(principal: principal, roles: roles, world: world(seed))
    }

    static func trust(_ keys: SigningKey...) throws -> TrustedKeys {
        try TrustedKeys(keys.map { TrustedKey($0.publicPair) })
    }

    /// The code that verifying throws, nil when both signatures hold.
    static func code(
        _ trust: TrustedKeys, _ sshsig: [UInt8]?, _ mldsa65: [UInt8]?,
        of document: [UInt8] = document, as kind: DocumentKind = .seal, at moment: Timestamp = now
    ) -> Failure.Code? {
        do throws(Failure) {
            _ = try trust.verify(document, sshsig: sshsig, mldsa65: mldsa65, as: kind, at: moment)
            return nil
        } catch { return error.code }
    }
}

extension Array<UInt8> {
    func flipped(_ index: Int, bit: Int = 0) -> [UInt8] {
        var bytes = self
        bytes[index] ^= 1 << UInt8(bit)
        return bytes
    }
}
