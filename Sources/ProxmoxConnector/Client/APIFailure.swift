import Basics
import HTTP

/// What an error of the Proxmox VE API means.
///
/// The text is in the body since pve-http-server 5.2, and before only behind the status.
struct APIFailure {
    let response: HTTPResponse
    let method: HTTPRequest.Method
    let path: String
    let credentials: ProxmoxCredentials
    let redact: Redaction

    private var body: JSON? { try? JSON(parsingForeign: response.body) }

    /// The longer of the two texts: either may be empty or general.
    var text: String {
        let reason = response.reason.trimmed
        let message = body?["message"]?.string?.trimmed ?? ""
        let text = message.utf8.count >= reason.utf8.count ? message : reason
        return Self.oneLine(redact(text.isEmpty ? "status \(response.status)" : text))
    }

    /// Parameters with what is wrong with them.
    var parameters: [(name: String, problem: String)] {
        (body?["errors"]?.members ?? []).map { member in
            let problem = member.value.string ?? ""
            return (Self.oneLine(member.key), Self.oneLine(redact(problem.trimmed)))
        }
    }

    private static func oneLine(_ text: String) -> String {
        let printable = String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
        return printable.count > 600 ? printable.prefix(600) + "…" : printable
    }

    var failure: Failure {
        let what = "cannot \(method.rawValue) \"\(path)\""
        let (code, hint, transient) = meaning
        let list = parameters.map { "\($0.name): \($0.problem)" }.joined(separator: "; ")
        let said = list.isEmpty ? text : "\(text) (\(list))"
        return Failure(
            code, what, hint: hint, mayRetry: transient && method.isSafe,
            cause: Failure(code, "\(response.status): \(said)"))
    }

    private var meaning: (Failure.Code, hint: String?, transient: Bool) {
        switch response.status {
        case 401: (.serverRights, credentialHint, false)
        case 403: (.serverRights, rightHint, false)
        case 400: (.serverRefused, nil, false)
        case 404: (.notFound, nil, false)
        case 501:
            (
                .unsupported,
                "This version of Proxmox VE does not know that call; check the address and the version.",
                false
            )
        case 595, 596:
            (
                .serverUnreachable,
                "The node that answered cannot reach the node of the call: check that it is online.",
                true
            )
        case 429, 502, 503, 504, 597, 598, 599: (.serverUnreachable, nil, true)
        case 500: internalError
        case 300..<400:
            (.serverAnswer, "The address leads elsewhere: give the node's own address.", false)
        default: (.serverRefused, nil, false)
        }
    }

    private var internalError: (Failure.Code, hint: String?, transient: Bool) {
        let text = self.text
        if text.contains("does not exist") || text.contains("no such ") {
            return (.notFound, nil, false)
        }
        if text.contains("is locked") || text.contains("can't lock file") {
            return (
                .locked,
                "Wait for the task that holds the lock; `qm unlock` on the node removes one that was left behind.",
                text.contains("can't lock file")
            )
        }
        if text.contains("No space left") || text.contains("out of space") {
            return (.noSpace, "Free space on the node or storage that the text names.", false)
        }
        if text.contains("got timeout") || text.contains("timed out") {
            return (.serverUnreachable, nil, true)
        }
        if text.contains("already exists") { return (.exists, nil, false) }
        return (.serverRefused, nil, false)
    }

    private var credentialHint: String {
        switch credentials {
        case .token(let id, _):
            "Check the token \"\(id)\" with `pveum user token list \(credentials.user)`: that it is there, that neither it nor its user has expired or is disabled, and its secret."
        case .password(let user, _, _):
            "Check user, realm and password of \"\(user)\", and its second factor."
        }
    }

    private var rightHint: String {
        if text.lowercased().contains("only root") {
            return
                "Only root@pam itself may do that: no token can, not even one of root@pam. Log in as root@pam with a password, or do it by hand."
        }
        guard let (path, privileges) = missingRight else {
            return
                "Grant the right to the user; a token with privilege separation needs it as well."
        }
        let right = privileges.joined(separator: " or ")
        guard let token = credentials.tokenID else {
            return "Grant \(right) on \(path) to \"\(credentials.user)\"."
        }
        return
            "Grant \(right) on \(path) to the token \"\(token)\" and to its user: with privilege separation, a token has what both have."
    }

    /// Reads "Permission check failed (/vms/100, VM.Backup|VM.Audit)".
    var missingRight: (path: String, privileges: [String])? {
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close
        else { return nil }
        let parts = text[text.index(after: open)..<close].split(separator: ",", maxSplits: 1)
        guard parts.count == 2, parts[0].hasPrefix("/") else { return nil }
        let names = parts[1].split { "|, ".contains($0) }.map(String.init)
        guard !names.isEmpty, names.allSatisfy({ $0.allSatisfy { $0.isLetter || $0 == "." } })
        else { return nil }
        return (String(parts[0]), names)
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
