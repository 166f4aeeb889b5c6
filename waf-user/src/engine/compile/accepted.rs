//! Directives that mod_security2's configurations hold and that change nothing here: each is known, has its number of
//! arguments checked, and is passed over for the reason beside it.

use super::Compiler;
use crate::engine::text::Word;

/// Name, fewest and most arguments.
type Row = (&'static str, usize, usize);

/// There is one log of events, and it is the node's.
const LOGS: &[Row] = &[
    ("SecAuditEngine", 1, 1),
    ("SecAuditLog", 1, 1),
    ("SecAuditLog2", 1, 1),
    ("SecAuditLogDirMode", 1, 1),
    ("SecAuditLogFileMode", 1, 1),
    ("SecAuditLogFormat", 1, 1),
    ("SecAuditLogParts", 1, 1),
    ("SecAuditLogRelevantStatus", 1, 1),
    ("SecAuditLogStorageDir", 1, 1),
    ("SecAuditLogType", 1, 1),
    ("SecDebugLog", 1, 1),
    ("SecDebugLogLevel", 1, 1),
    ("SecGuardianLog", 1, 2),
];

/// Nothing of a request is written to disk.
const DISK: &[Row] = &[
    ("SecDataDir", 1, 1),
    ("SecTmpDir", 1, 1),
    ("SecTmpSaveUploadedFiles", 1, 1),
    ("SecUploadDir", 1, 1),
    ("SecUploadFileMode", 1, 1),
    ("SecUploadKeepFiles", 1, 1),
    ("SecRequestBodyInMemoryLimit", 1, 1),
];

/// Matching is linear, or bounded by the engine's own steps.
const BOUNDS: &[Row] =
    &[("SecPcreMatchLimit", 1, 1), ("SecPcreMatchLimitRecursion", 1, 1), ("SecRequestEncoding", 1, 1)];

/// Matters of the web server, of the network or of other products.
const ELSEWHERE: &[Row] = &[
    ("SecCacheTransformations", 1, 2),
    ("SecChrootDir", 1, 1),
    ("SecConnEngine", 1, 1),
    ("SecConnReadStateLimit", 1, 3),
    ("SecConnWriteStateLimit", 1, 3),
    ("SecContentInjection", 1, 1),
    ("SecDisableBackendCompression", 1, 1),
    ("SecGeoLookupDb", 1, 1),
    ("SecGsbLookupDb", 1, 1),
    ("SecHashEngine", 1, 1),
    ("SecHttpBlKey", 1, 1),
    ("SecInterceptOnError", 1, 1),
    ("SecReadStateLimit", 1, 3),
    ("SecRuleInheritance", 1, 1),
    ("SecRulePerfTime", 1, 1),
    ("SecSensorId", 1, 1),
    ("SecServerSignature", 1, 1),
    ("SecStatusEngine", 1, 1),
    ("SecStreamInBodyInspection", 1, 1),
    ("SecStreamOutBodyInspection", 1, 1),
    ("SecUnicodeCodePage", 1, 1),
    ("SecUnicodeMapFile", 1, 2),
    ("SecWriteStateLimit", 1, 3),
    ("SecXmlExternalEntity", 1, 1),
];

/// Known, and refused with the reason: passing them over would change verdicts.
const REFUSED: &[(&str, &str)] = &[
    ("SecRuleScript", "no script is run for a request"),
    ("SecRemoteRules", "rules are files of this machine"),
    ("SecHashKey", "links are not signed here"),
    ("SecHashParam", "links are not signed here"),
    ("SecHashMethodRx", "links are not signed here"),
    ("SecHashMethodPm", "links are not signed here"),
];

/// All accepted names, for cures.
pub fn names() -> impl Iterator<Item = &'static str> {
    rows().map(|(name, _, _)| *name)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    LOGS.iter().chain(DISK).chain(BOUNDS).chain(ELSEWHERE)
}

impl Compiler<'_> {
    /// Whether the directive is one of these; mistakes are noted.
    pub(super) fn accepted(&mut self, name: &Word, arguments: &[Word]) -> bool {
        let text = name.lossy();
        if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| refused.eq_ignore_ascii_case(&text)) {
            self.mistake(name.whole(), format!("{text} is not supported: {reason}"), "remove it");
            return true;
        }
        let Some((_, min, max)) = rows().find(|(known, _, _)| known.eq_ignore_ascii_case(&text)) else {
            return false;
        };
        if !(*min..=*max).contains(&arguments.len()) {
            let message = format!("{text} wants {min} to {max} arguments, found {}", arguments.len());
            self.mistake(name.whole(), message, "put an argument in quotes where it holds spaces");
        }
        true
    }
}
