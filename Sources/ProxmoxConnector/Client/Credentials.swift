import Basics

/// Who we are at a Proxmox VE API.
enum ProxmoxCredentials: Sendable {
    /// An API token: `USER@REALM!NAME` and the secret that was shown once.
    case token(id: String, secret: Secret)
    /// A user with a password; `user` is `NAME@REALM`.
    case password(user: String, Secret, second: SecondFactor? = nil)

    /// What a user has beside the password.
    enum SecondFactor: Sendable {
        case totp(TOTP)
        /// A code that works once: of an authenticator, or a recovery key.
        case code(Secret)
    }

    /// Reads `USER@REALM!NAME=SECRET`, as the header of the API has it.
    static func token(parsing text: Secret) throws(Failure) -> ProxmoxCredentials {
        let parts = text.revealed().split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, isTokenID(parts[0]), !parts[1].isEmpty,
            parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else {
            throw Failure(
                .invalidValue, "the API token is not usable",
                hint: "Write it as USER@REALM!NAME=SECRET, as `pveum user token add` shows it.")
        }
        return .token(id: String(parts[0]), secret: Secret(String(parts[1])))
    }

    private static func isTokenID(_ text: Substring) -> Bool {
        let halves = text.split(separator: "!", omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[1].isEmpty else { return false }
        let user = halves[0].split(separator: "@", omittingEmptySubsequences: false)
        return user.count >= 2 && user.allSatisfy { !$0.isEmpty }
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3a && $0 != 0x2f }
    }

    /// The user, without the name of a token.
    var user: String {
        switch self {
        case .token(let id, _): String(id.prefix { $0 != "!" })
        case .password(let user, _, _): user
        }
    }

    var tokenID: String? {
        if case .token(let id, _) = self { id } else { nil }
    }
}
