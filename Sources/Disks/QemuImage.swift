public import Basics
import Glibc

/// An image of a disk in a format that QEMU knows; the format is never guessed.
public struct QemuImage: Sendable {
    public enum Format: String, Sendable {
        case raw, qcow2, vmdk
    }

    public enum Compression: String, Sendable {
        case zlib, zstd
    }

    /// From the root, so that QEMU cannot take it for something else than a file.
    public let path: String
    public let format: Format

    /// What an image says of itself.
    public struct Description: Sendable {
        /// Bytes of the disk.
        public let size: Int64
        /// Bytes that the image takes up.
        public let stored: Int64
        /// Names of snapshots inside the image, which no conversion carries over.
        public let snapshots: [String]
    }

    /// Names an image of ours, or one that `checkForeign` has found harmless.
    public init(_ path: String, _ format: Format) {
        self.path =
            path.utf8.first == 0x2f
            ? path
            : Files.absolute(Files.parent(of: path)) + "/"
                + Files.lastComponent(of: path)
        self.format = format
    }

    /// Makes an empty image; refuses to overwrite a file.
    public static func create(
        qcow2 path: String, size: Int64, compression: Compression? = nil
    ) throws(Failure) -> QemuImage {
        let image = QemuImage(path, .qcow2)
        // qemu-img overwrites; the name is claimed first.
        _ = try Descriptor(
            opening: image.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        var options = "compat=1.1"
        if let compression { options += ",compression_type=\(compression.rawValue)" }
        do throws(Failure) {
            _ = try QemuTool.run(
                "qemu-img",
                ["create", "-q", "-f", "qcow2", "-o", options, "--", image.path, "\(size)"],
                doing: "cannot make \"\(path)\"")
        } catch {
            try? Files.remove(image.path)
            throw error
        }
        return image
    }

    /// Size and snapshots. The image must be ours, or checked before.
    public func describe() throws(Failure) -> Description {
        let text = try QemuTool.run(
            "qemu-img", ["info", "--output=json", "-f", format.rawValue, "--", path],
            doing: "cannot look at \"\(path)\""
        ).output
        let info = try QemuReport(text, of: path)
        guard info.integer("virtual-size") ?? -1 >= 0, let size = info.integer("virtual-size")
        else {
            throw Failure(.diskTool, "\"qemu-img\" does not tell the size of \"\(path)\"")
        }
        if let backing = info.text("backing-filename") {
            throw Self.refused(path, "it stands on another image, \"\(backing)\"")
        }
        return Description(
            size: size, stored: info.integer("actual-size") ?? 0, snapshots: info.snapshots)
    }

    /// Has qemu-img look for damage; nothing is repaired.
    public func check() throws(Failure) {
        if format == .raw { return }
        // 63: the format cannot be checked. 2: damaged; 3: clusters that nothing refers to.
        let (status, _) = try QemuTool.run(
            "qemu-img", ["check", "-q", "-f", format.rawValue, "--", path],
            doing: "cannot check \"\(path)\"", accepting: [0, 2, 3, 63])
        guard status == 0 || status == 63 else {
            throw Failure(
                .diskUnsuitable,
                status == 2 ? "\"\(path)\" is damaged" : "\"\(path)\" has lost clusters",
                hint: "\"qemu-img check\" lists what is wrong.")
        }
    }

    /// Converts to a VMDK that is compressed and read from start to end, as OVA files have it.
    public func convert(
        toStreamOptimized path: String, isCancelled: () -> Bool = { false }
    ) throws(Failure) -> QemuImage {
        try convert(
            to: QemuImage(path, .vmdk), ["-o", "subformat=streamOptimized"], isCancelled)
    }

    /// Converts to a qcow2, compressed where a type is given.
    public func convert(
        toQcow2 path: String, compression: Compression? = nil, isCancelled: () -> Bool = { false }
    ) throws(Failure) -> QemuImage {
        var options = ["-m", "8", "-W", "-o", "compat=1.1"]
        if let compression {
            options[options.count - 1] += ",compression_type=\(compression.rawValue)"
            options.append("-c")
        }
        return try convert(to: QemuImage(path, .qcow2), options, isCancelled)
    }

    private func convert(
        to target: QemuImage, _ options: [String], _ isCancelled: () -> Bool
    ) throws(Failure) -> QemuImage {
        _ = try Descriptor(
            opening: target.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do throws(Failure) {
            _ = try QemuTool.run(
                "qemu-img",
                ["convert", "-q", "-f", format.rawValue, "-O", target.format.rawValue] + options
                    + ["--", path, target.path],
                doing: "cannot convert \"\(path)\" to \"\(target.path)\"", isCancelled: isCancelled)
        } catch {
            try? Files.remove(target.path)
            throw error
        }
        return target
    }

    static func refused(_ path: String, _ why: String) -> Failure {
        Failure(
            .diskUnsuitable, "\"\(path)\" cannot be used: \(why)",
            hint: "Make an image of it that stands alone, with \"qemu-img convert\".")
    }
}
