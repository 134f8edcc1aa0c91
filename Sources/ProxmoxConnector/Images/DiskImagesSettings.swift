import Basics
import Disks
import Plans

/// What a plan says about a source of kind `disks`: images by the names that they get.
struct DiskImagesSettings: Sendable {
    struct Image: Sendable, Equatable {
        /// `[a-z0-9]{1,32}`.
        let name: String
        let path: String

        /// Told by the name alone: what looks like a qcow2 may be the first bytes of a guest's disk.
        var format: QemuImage.Format { path.hasSuffix(".qcow2") ? .qcow2 : .raw }
    }

    let images: [Image]

    static let shape = PlanShape(required: ["images"])

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        var images: [Image] = []
        for entry in settings?.entries("images") ?? [] {
            if !StoredGuests.isPart(entry.key[...]) {
                problems.add(
                    .planInvalidValue,
                    "\"\(entry.key)\" is no name of an image: use up to 32 of a-z and 0-9",
                    atKeyOf: entry.node)
            } else if let path = entry.node.path(problems) {
                images.append(Image(name: entry.key, path: path))
            }
        }
        if let node = settings?["images"], images.isEmpty {
            problems.add(.planMissingValue, "name the images to export", at: node)
        }
        for exclusion in source.exclusions {
            problems.add(
                .planInvalidValue, "leave an image out by not naming it", at: exclusion.patterns)
        }
        source.checkAccepted(among: [], problems)
        self.images = images
    }
}
