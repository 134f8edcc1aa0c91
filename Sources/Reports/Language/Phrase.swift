/// What a report says, in no language: each has a text in `Texts`, with places `{0}`, `{1}`, … for values.
///
/// The names are part of the machine form: they do not change.
enum Phrase: String, Sendable, CaseIterable {
    // Titles by purpose
    case titleEndOfContract, titleRehearsal, titleMigration, titleTrial, skip, contents, madeAt
    case pageOf
    // Verdicts
    case verdictConforming, verdictReservations, verdictUnverified, verdictFailed
    case verdictConformingText, verdictReservationsText, verdictUnverifiedText, verdictFailedText
    case verdictDifferentText, claimNotice, unverifiedNotice, nothingReadable
    // Reasons
    case reasonOpenOmissions, reasonNotSet, reasonDifferent, reasonUnequal, reasonByCounts
    case reasonNotCompared, reasonNotImported, reasonUnchecked, reasonInvalid
    case reasonRehearsalFailed, reasonRehearsalReserved, reasonNotRehearsed, reasonObjectiveMissed,
        reasonDeadlineMissed
    // Key figures
    case factObjects, factObjectsNote, factVolume, factVolumeNote, factVolumeStored, factDuration
    case factDurationNote, factOmissions, factOmissionsNone, factOmissionsCovered
    case factOmissionsOpen, factCompared, factComparedNote, factComparedPart, factComparedNone
    case factSources
    // Chain
    case chainTitle, linkSeal, linkSealRecord, linkReceipt, linkReceiptRecord, linkAcceptance
    case linkAcceptanceRecord, linkErasureRequest, linkErasureRequestRecord, linkErasure
    case linkErasureRecord, linkRehearsal, linkRehearsalRecord, stateVerified, stateUnchecked
    case stateFailed, stateMissing, signedBy
    // Parties
    case partiesTitle, provider, customer, contract, purpose, purposeEndOfContract
    case purposeRehearsal, purposeMigration, purposeTrial, sealedBy, sealedAt, openedAt
    case encryption, encryptionYes, encryptionNo, form, formWhole, formProof, notStated, underSeal
    case identifier, timestamps, stampOpening, stampClosing, stampUnchecked, stampMissing
    case namesHidden, namesShown
    // Dates
    case datesTitle, datesCaption, datesNote, datesNoPlan, dateWhat, dateWhen, dateLimit, dateRule
    case dateState, dateRunOpened, dateSealed, dateReceipt, dateRehearsal, dateAccepted,
        dateErasureAsked
    case dateErased, missedState, openState, unknownState, conflictsTitle
    // Volumes
    case volumesTitle, volumesCaption, volumesOthers, volumePlain, volumeStored, volumeShare
    case columnSource, columnKind, columnVolume, columnStored, allSources
    case omittedInPart
    // Run
    case runTitle, runNote, runMissing, ganttCaption, ganttActivity, ganttRow, ganttDuration
    case ganttRate, throughputTitle, throughputText, throughputShort, pausesText, peak, average
    case othersNotDrawn
    // Sources
    case sourcesTitle, sourcesCaption, columnExpected, columnExported, columnOmitted
    case columnImported, columnCompared, importedNo, importedYes, comparedEqual, comparedPart
    case comparedDifferent, comparedNot, comparedNone, retakenEqual, sourceMoment, sourceCounts
    case sourceFacts, sourceLegal, sourceOmissions, comparisonsCaption, columnDocument
    case columnMeasure, columnExpectedDigest, columnFound, columnResult, resultEqual
    case resultDifferent, artifactsSummary, artifactsCaption, artifactsMore, columnArtifact
    case columnLegal, columnFormat, columnSegments, columnDigest, digestsSealed, thisVerification
    case legalExportable, legalAsset, legalExempt, legalLine
    // Omissions
    case omissionsTitle, omissionsCaption, omissionsWhere, omissionsNone, columnReason, columnCount,
        columnCovered
    case yes, no, noOpen, actionsTitle, actionsNone, omissionExamples
    // Data Act
    case dataActTitle, dataActCaption, dataActNote, columnArticle, columnDuty, columnEvidence
    case dutyShown, dutyPartial, dutyAbsent, dutyOutside, dutyNotDue
    // Records
    case recordsTitle, recordRestitution, recordRestitutionText, recordIntegration
    case recordIntegrationText, recordAcceptance, recordAcceptanceText, recordErasureRequest
    case recordErasureRequestText, recordDestruction, recordDestructionText, recordRehearsal
    case recordRehearsalText, recordMissing, recordMissingText, recordFile, recordDate
    case recordSigner, recordSignature, recordDigest, recordDuration, recordVolume, recordOutcome
    case recordVerify, verifyDigest, verifyCounts, verifyNone, recordReservations
    case recordNoReservations, recordStatement, recordCountersign, forProvider, forCustomer
    case outcomeEqual, outcomeEqualPart, outcomeDifferent, outcomeUnequal, signatureBoth
    case signatureUnknown, signatureBad
    // Rehearsals
    case rehearsalsTitle, rehearsalOf, rehearsalObjective, rehearsalMeasured, rehearsalPoint
    case rehearsalPointObjective, rehearsalResult, rehearsalTiers, rehearsalTier, rehearsalWhole
    case rehearsalMet, rehearsalMissed, rehearsalPhases, rehearsalCritical, rehearsalSources
    case rehearsalOutcome, rehearsalGuests, rehearsalTrend, rehearsalTrendLegend, rehearsalProbes
    case rehearsalMachine, rehearsalMachineText, rehearsalPrediction, rehearsalPredictionText
    case rehearsalPredictionMeasured, rehearsalPredictionWeak, rehearsalPredictionNone
    case rehearsalArchive, rehearsalIntact, rehearsalDamaged, rehearsalTimeLimit, rehearsalBound
    case probeKind, probeRecorded, probeFromExport, probeFromPlan, probeAny, probeTime, probeHeld
    case probeAnswered, probeSilent
    case probeNotHeld, sheetOperator, sheetRequester, sheetRequesterBlank, sheetElements
    case sheetBackup, sheetRestore, sheetChecks, sheetChecksText, evidenceRehearsal
    // Verify
    case instructionsTitle, instructionsText, instructionsNone, stepPreparation, step1, step2
    case step3, step4, step5, step6
    // Limits
    case limitsTitle, limitsText, limitCatalogue, limitErasure, limitClock, limitSource, limitKey
    case limitAfter
    // Annex
    case annexTitle, keysCaption, columnRole, columnPrincipal, columnFingerprint, columnTrusted
    case roleExporter, roleImporter, roleController, roleEraser, digestsCaption, digestSeal
    case digestTags, digestHead, digestRoot, digestPlan, digestJournalLines, checksCaption
    case columnCheck, checkPassed, checkFailed, checkAbsent, checkUnchecked, problemsCaption
    case columnPath, columnCode, columnWhat, problemsMore, footerText
    // Evidence of duties
    case evidenceCoverage, evidenceCoverageAll, evidenceCoverageWhole, evidenceSeparate
    case evidenceScope, evidenceNoScope, evidenceContract, evidenceContractSealed
    case evidenceNoContract, evidenceFormats, evidenceReadBack, evidenceRetaken
    case evidenceNotReadBack, evidenceEncrypted, evidenceClear, evidenceMoments
    case evidenceMomentsSealed, evidenceReservations, evidenceParties, evidenceAccepted
    case evidenceNotAccepted, evidenceErased, evidenceNotErased, evidenceCatalogue, evidenceExempt
    case evidenceNoExempt, evidenceCharges, evidenceThroughput, evidenceProbes, evidenceNoProbes
    case evidenceDateKept, evidenceDateMissed, evidenceDateOpen, evidenceNoDate, evidenceReceipts
    case evidenceNoReceipts, evidenceNotParallel
    // Contents
    case verdictTitle, navDataAct, navSources, navLimits, navAnnex, navOmissions, reasonsMore
    // Units of the scale
    case legendWhole, legendStored, legendEvent, legendLimit, legendToday, legendActive
    case legendPause, notBefore, notAfter, metState, replacedState, eventState, checkCount
    // Deadlines
    case deadlinesCaption, conflictText
    // The dossier
    case linkPlan, linkPlanRecord, linkOverride, linkOverrideRecord, recordPlan, recordPlanText
    case recordOverride, recordOverrideText, roleOverride, dateAgreed, datePlanSigned
    case dateOverride, lockTitle, lockOpen, lockClosed, lockOverridden, lockNotBefore
    case lockNotBeforeAgreed
    case lockApproval, reasonUnexplained, reasonAccepted, reasonOverridden, evidenceDateReplaced
    case evidenceExemptDeclared, coverageCaption, coverageCategory, coverageGround, coverageWhole
    case coverageGaps, legendPlanned, systemsCaption, datesNotReckoned, scopeWhole,
        evidenceDateMissing,
        evidenceRuleKept
    // More of receipts
    case columnTarget, columnMapped, recordDurations
    // What comparisons found
    case foundStream, foundStreamEmpty, foundEntries, foundEqual, foundShare
    // More steps
    case step7, step8, step9
}
