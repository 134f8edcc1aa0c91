import Basics
import Guests
import HTTP
import Primitives
import Streams

/// Puts a file on a storage through the API: disks to import, images of discs, templates.
///
/// The node that is called first keeps the whole file in its /var/tmp, so call the node that the
/// storage is to be reached from. Backups cannot be uploaded in any version.
struct ContentUpload: Sendable {
    enum Content: String, Sendable {
        case disk = "import"
        case iso
        case template = "vztmpl"
    }

    let client: ProxmoxClient
    let follower: TaskFollower
    let version: ProxmoxVersion

    /// A file as it is on the storage.
    struct Place: Sendable {
        let node: String
        let storage: String
        let content: Content
        /// `[a-z0-9._-]`, for the server changes names that have anything else.
        let name: String

        var volume: String { "\(storage):\(content.rawValue)/\(name)" }
    }

    /// Uploads a file and waits until the server has checked and placed it; its volume id.
    ///
    /// A file that is there already is `.exists`: the server would overwrite it. When the connection is
    /// lost, the server is asked what it has; only where it has nothing may the upload be repeated.
    ///
    /// - Parameters:
    ///   - digest: of the whole file; the server compares it before the file counts.
    func upload(
        _ source: consuming some ByteSource & ~Copyable, size: Int64, digest: Digest256,
        to place: Place, sent: @escaping (Int64) -> Void = { _ in }
    ) throws(Failure) -> String {
        try check(place)
        // Also renews a ticket, for the body of an upload can be sent only once.
        guard try find(place) == nil else {
            throw Failure(
                .exists, "\"\(place.volume)\" is already on node \"\(place.node)\"",
                hint: "Remove it there if nobody needs it, or choose another name.")
        }
        let form = try MultipartForm(
            fields: [
                ("content", place.content.rawValue), ("checksum-algorithm", "sha256"),
                ("checksum", digest.hex),
            ], fileField: "filename", fileName: place.name,
            boundary: "exeat-" + Hex.encode(client.world.random(16)))
        let path = ["nodes", place.node, "storage", place.storage, "upload"]
        let began = client.world.now().seconds
        let response: HTTPResponse
        do throws(Failure) {
            let headers = try client.session.headers(isWrite: true).headers
            response = try form.post(
                to: "/api2/json" + ProxmoxClient.encode(path), headers: headers, of: client.http,
                file: source, size: size, sent: sent)
        } catch {
            throw lost(error, place, since: began)
        }
        let answer = try client.read(response, .post, path)["data"] ?? .null
        guard case .running(let upid) = try StartedTask(answer) else {
            throw Failure(.serverAnswer, "the upload of \"\(place.volume)\" started no task")
        }
        _ = try follower.follow(upid)
        guard let there = try find(place) else {
            throw Failure(
                .serverAnswer, "\"\(place.volume)\" is not on the storage after its upload")
        }
        guard there == size else {
            throw Failure(
                .serverAnswer,
                "\"\(place.volume)\" has \(there) bytes on the storage instead of \(size)")
        }
        return place.volume
    }

    private func check(_ place: Place) throws(Failure) {
        let isSafe = place.name.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x5f
                || $0 == 0x2d
        }
        guard isSafe, !place.name.hasPrefix("."), !place.name.hasPrefix("-"),
            place.name.utf8.count <= 200
        else {
            throw Failure(.invalidValue, "\"\(place.name)\" cannot be the name of an upload")
        }
        let allowed = Self.extensions(of: place.content, in: version)
        guard allowed.contains(where: { place.name.hasSuffix($0) }) else {
            throw Failure(
                .unsupported,
                "Proxmox VE \(version) takes no \"\(place.name)\" as \(place.content.rawValue)",
                hint: place.content == .disk
                    ? "Disks can be uploaded from 8.4 on, appliances (.ova) from 8.3 on: restore an archive from a shared directory instead."
                    : nil)
        }
    }

    /// What each version takes.
    static func extensions(of content: Content, in version: ProxmoxVersion) -> [String] {
        switch content {
        case .iso: return [".iso", ".img"]
        case .template:
            var list = [".tar.gz", ".tar.xz", ".tar.zst"]
            if version >= ProxmoxVersion(8, 0) { list.append(".tar.bz2") }
            if version >= ProxmoxVersion(9, 0) { list.append(".tar") }
            return list
        case .disk:
            if version.has(.importOfDisks) { return [".ova", ".qcow2", ".raw", ".vmdk"] }
            return version.has(.importOfAppliances) ? [".ova"] : []
        }
    }

    /// The size of a volume; nil where there is none.
    private func find(_ place: Place) throws(Failure) -> Int64? {
        let list = try client.get(
            ["nodes", place.node, "storage", place.storage, "content"],
            ["content": place.content.rawValue])
        for volume in list.array ?? [] where volume["volid"]?.string == place.volume {
            return volume["size"]?.number ?? -1
        }
        return nil
    }

    /// What a lost connection means: the server may have taken all, and still be at work.
    private func lost(_ error: Failure, _ place: Place, since began: Int64) -> Failure {
        if error.code == .cancelled || error.code == .serverUntrusted { return error }
        let what = "cannot upload \"\(place.volume)\" to node \"\(place.node)\""
        do throws(Failure) {
            let tasks = try client.get(
                ["nodes", place.node, "tasks"], ["typefilter": "imgcopy", "source": "active"])
            let isBusy = (tasks.array ?? []).contains {
                ($0["starttime"]?.number ?? 0) >= began - 60
            }
            if try find(place) == nil, !isBusy {
                return Failure(
                    error.code, what, hint: error.hint,
                    mayRetry: error.code == .serverUnreachable, cause: error)
            }
        } catch {
            return Failure(
                error.code, what,
                hint: "Look at the storage before you try again: the file may have arrived.",
                cause: error)
        }
        return Failure(
            error.code, what,
            hint:
                "It is on the storage or on its way: run the same command again in a while, which takes it as it is.",
            cause: error)
    }
}
