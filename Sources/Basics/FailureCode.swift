extension Failure {
    /// What went wrong, as a number that scripts may rely on.
    ///
    /// The list with meanings and remedies is `Manifests/failures.json`; a number is never reused.
    public enum Code: Int, Sendable, CaseIterable {
        // General
        case failed = 1
        case cancelled = 2
        case denied = 3
        case notFound = 4
        case exists = 5
        case noSpace = 6
        case inputOutput = 7
        case locked = 8
        case invalidValue = 9
        case unsupported = 10
        case usage = 11
        case exhausted = 12
        // Plans
        case planSyntax = 100
        case planUnknownKey = 101
        case planMissingValue = 102
        case planWrongType = 103
        case planInvalidValue = 104
        case planSecretUnavailable = 105
        case planChanged = 106
        case planUnknownKind = 107
        // Encryption (age)
        case ageHeader = 200
        case ageNoMatch = 201
        case ageHeaderMAC = 202
        case agePayload = 203
        case ageArmor = 204
        case ageKeyInvalid = 205
        case ageRecipientsMixed = 206
        // Streams
        case zstdCorrupt = 220
        case plaintextTooLong = 221
        case plaintextTooShort = 222
        case truncated = 223
        case trailingBytes = 224
        case digestMismatch = 225
        case gzipCorrupt = 226
        // Signatures and trust
        case keyFileExposed = 240
        case keyFileInvalid = 241
        case signatureInvalid = 242
        case signatureMissing = 243
        case signatureMalformed = 244
        case signerUnknown = 245
        case signerRole = 246
        case signerOutOfDate = 247
        case trustInvalid = 248
        case trustConflict = 249
        case signerPairMismatch = 250
        // Journals
        case journalMalformed = 260
        case journalBroken = 261
        case journalMismatch = 262
        // JSON documents of an archive
        case jsonMalformed = 280
        // Bags
        case bagNotFound = 300
        case bagDeclaration = 301
        case bagInfoMalformed = 302
        case bagInfoMismatch = 303
        case bagManifestMissing = 304
        case bagManifestMalformed = 305
        case bagManifestDuplicate = 306
        case bagManifestUnsupported = 307
        case bagTagManifestMissing = 308
        case bagTagManifestMalformed = 309
        case bagPathUnsafe = 310
        case bagPathTooLong = 311
        case bagFileMissing = 312
        case bagFileUnexpected = 313
        case bagFileChanged = 314
        case bagFileKind = 315
        case bagDirectoryEmpty = 316
        case bagFetchForbidden = 317
        case bagEncoding = 318
        case bagNameTwins = 319
        case bagUnsealed = 320
        case bagProofUnexpected = 321
        case bagUnfinished = 322
        case tarHeader = 330
        case tarPadding = 331
        case tarDuplicate = 332
        case tarTrailing = 333
        case tarTruncated = 334
        case tarOrder = 335
        // Seal and manifest
        case sealMalformed = 350
        case sealSubjectMismatch = 351
        case sealReplayed = 352
        case sealForked = 353
        case sealExpired = 354
        case sealPrevious = 355
        case manifestMalformed = 360
        case manifestMismatch = 361
        case coverageMismatch = 362
        // Trees of files
        case treeMalformed = 400
        case treeOrder = 401
        case treePathUnsafe = 402
        case treeLinkUnsafe = 403
        case treeMismatch = 404
        case treeTwins = 405
        case targetOccupied = 406
        case comparisonFailed = 407
        case sourceUnreadable = 420
        case sourceVanished = 421
        case sourceChanged = 422

        // Databases
        case databaseUnreachable = 500
        case databaseRefused = 501
        case databaseRights = 502
        case databaseMomentLost = 503
        case databaseTool = 504
        case databaseUnsuitable = 505
        case databaseContent = 506
        // Servers: HTTPS, SFTP, and the API of a hypervisor
        case serverUnreachable = 600
        case serverUntrusted = 601
        case serverRefused = 602
        case serverAnswer = 603
        case serverRights = 604
        case serverTaskFailed = 605
        // Disks
        case vmaMalformed = 640
        case vmaClusters = 641
        case diskUnsuitable = 642
        case diskTool = 643
        case diskProtocol = 644
        // Guests of a hypervisor
        case guestContent = 660
        case guestBackupLost = 661
        // Logs
        case logMalformed = 700
        case logTool = 701
        // Time-stamps
        case timeStampMalformed = 720
        case timeStampRefused = 721
        case timeStampImprint = 722
        case timeStampNonce = 723
        case timeStampPolicy = 724
        case timeStampSignature = 725
        case timeStampCertificate = 726
        case timeStampUntrusted = 727
        case timeStampExpired = 728
        case timeStampAlgorithm = 729
        case timeStampBackdated = 730
        case timeStampOrder = 731
        case timeStampMissing = 732
        case timeStampOpinion = 733
        case timeStampUnavailable = 734
        // The dossier
        case documentMalformed = 740
        case documentMissing = 741
        case documentOrder = 742
        case documentForeign = 743
        case documentReplayed = 744
        case documentChanged = 745
        case documentConflict = 746
        case documentDate = 747
        case documentApproval = 748
        case erasureLocked = 749
        case legalProfile = 750
        case payloadAbsent = 751
        case erasureTooEarly = 752
        case namesPrivate = 753
        // Rehearsals
        case objectiveMissed = 780
    }
}

extension Failure.Code {
    /// The exit status of a command that ends with this failure (docs: "exit status").
    public var exitStatus: Int32 {
        switch self {
        case .usage: 64
        case .cancelled: 130
        case .planSyntax, .planUnknownKey, .planMissingValue, .planWrongType, .planInvalidValue,
            .planSecretUnavailable, .planChanged, .planUnknownKind:
            1
        case .ageNoMatch, .ageKeyInvalid, .ageRecipientsMixed, .keyFileExposed, .keyFileInvalid,
            .trustInvalid, .trustConflict:
            1
        case .targetOccupied, .sourceUnreadable, .sourceVanished, .sourceChanged: 1
        case .databaseUnreachable, .databaseRefused, .databaseRights, .databaseMomentLost,
            .databaseTool, .databaseUnsuitable:
            1
        case .serverUnreachable, .serverUntrusted, .serverRefused, .serverAnswer, .serverRights,
            .serverTaskFailed:
            1
        case .diskUnsuitable, .diskTool, .diskProtocol, .guestBackupLost, .logTool: 1
        case .sealPrevious, .timeStampUnavailable: 1
        case .erasureLocked, .legalProfile, .namesPrivate: 1
        case .payloadAbsent: 2
        case .objectiveMissed: 4
        default: rawValue >= 200 ? 3 : 1
        }
    }
}
