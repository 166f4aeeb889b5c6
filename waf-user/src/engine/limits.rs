//! Every bound of the engine with the reason for its number and what happens at it. A bound that is reached is never
//! silent: it is a refusal, a variable that rules read, or a marked truncation.

/// Bytes of a request body that are kept and judged when no SecRequestBodyLimit says otherwise: forms and API calls
/// fit, and a node with 1,000 slow uploads holds 128 MiB. Past it: SecRequestBodyLimitAction (default: the prefix is
/// judged, `INBOUND_DATA_ERROR` is 1).
pub const REQUEST_BODY_BYTES: usize = 128 * 1024;

/// Ceiling for SecRequestBodyLimit and SecResponseBodyLimit: 16 MiB of one request may stand in memory, no more.
/// A larger number is an error of the rule file.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a response body that are judged without SecResponseBodyLimit: the reference manual's 512 KiB. Past it:
/// the prefix is judged, `OUTBOUND_DATA_ERROR` is 1.
pub const RESPONSE_BODY_BYTES: usize = 512 * 1024;

/// Arguments of one request (query and body together), as SecArgumentsLimit of the recommended configuration. Past
/// it: the rest is not judged and `REQBODY_ERROR` is 1.
pub const ARGUMENTS: usize = 1000;

/// Ceiling for SecArgumentsLimit: every argument costs every rule a turn.
pub const ARGUMENTS_MAX: usize = 100_000;

/// Header fields of one message: the HTTP layer refuses more than 100, this is the engine's own stop. Past it: the rest
/// is not judged and `REQBODY_ERROR` is 1, of a response `OUTBOUND_DATA_ERROR`.
pub const HEADER_FIELDS: usize = 1000;

/// Cookies of one request: browsers stop at 180 a site. Past it: the rest is not judged and `REQBODY_ERROR` is 1.
pub const COOKIES: usize = 512;

/// Depth of JSON: the deepest API documents seen have about 20 levels. Past it: `REQBODY_ERROR` is 1.
pub const JSON_DEPTH: usize = 64;

/// Ceiling for SecRequestBodyJsonDepthLimit: the reader keeps 16 bytes for each level and no stack.
pub const JSON_DEPTH_MAX: usize = 10_000;

/// Bytes of the joined name of a JSON leaf (`json.a.b`): longer names are cut, so that depth times name stays small.
pub const JSON_NAME_BYTES: usize = 512;

/// Depth of XML elements: SOAP has about 15. Past it: `REQBODY_ERROR` is 1.
pub const XML_DEPTH: usize = 256;

/// Attributes of one XML element: they are compared with each other. Past it: `REQBODY_ERROR` is 1.
pub const XML_ATTRIBUTES: usize = 256;

/// Parts of a multipart body: a form of 256 fields is generous. Past it: `REQBODY_ERROR` is 1.
pub const MULTIPART_PARTS: usize = 256;

/// Ceiling for SecUploadFileLimit.
pub const MULTIPART_PARTS_MAX: usize = 10_000;

/// Files of a multipart body, as the reference engine's SecUploadFileLimit. Past it: `MULTIPART_FILE_LIMIT_EXCEEDED`
/// is 1, further files are counted, not kept.
pub const UPLOAD_FILES: usize = 100;

/// Header bytes of one part: a name, a file name and a type. Past it: `REQBODY_ERROR` is 1.
pub const MULTIPART_PART_HEADER_BYTES: usize = 8 * 1024;

/// Header lines of one part: RFC 7578 knows three. Each is kept under the field's name, so that many short lines below
/// a long name would multiply the body's size. Past it: `REQBODY_ERROR` is 1.
pub const MULTIPART_PART_HEADERS: usize = 16;

/// Boundary length: RFC 2046 §5.1.1. Past it: `REQBODY_ERROR` is 1.
pub const MULTIPART_BOUNDARY_BYTES: usize = 70;

/// Bytes of a value that cost as much as looking at another value: a body of full length then takes a step of its own
/// for each rule instead of all rules in one.
pub const COST_BYTES: usize = 512;

/// Matches kept for the logs of one transaction: a request that matches more is understood from these. Past it: only
/// the first of a rule that is not in the list yet; others are dropped from it, still acted on.
pub const MATCHES: usize = 100;

/// Matches kept in all: no request matches so many different rules of CRS. Past it: dropped from the list.
pub const MATCHES_MAX: usize = 400;

/// Bytes of a matched value shown in a log: see [`super::RuleMatch::value`]. Past it: cut.
pub const MATCH_VALUE_BYTES: usize = 256;

/// Bytes of a match's name, message, log data and each tag in a log, all of which macros may fill with the request. Past
/// it: cut.
pub const MATCH_TEXT_BYTES: usize = 1024;

/// Values that one rule or chain link keeps as matched (MATCHED_VARS, and one run of its actions each): as many arguments
/// as a request may have, four times by multiMatch. Past it: the rule has matched, it looks at no more.
pub const MATCHED_VALUES: usize = 4096;

/// Bytes of them together: a body of the usual length after each of 32 transformations. Past it: the same.
pub const MATCHED_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a macro's expansion: a header of full length fits. Past it: cut.
pub const EXPANSION_BYTES: usize = 32 * 1024;

/// Bytes of a macro in rule text, `%{` and `}` included: a variable's name and a key. Past it: plain text.
pub const MACRO_BYTES: usize = 1024;

/// TX variables of one transaction: CRS sets about 120. Past it: new names are ignored.
pub const TX_VARIABLES: usize = 1024;

/// Bytes of all TX variables of one transaction, those of up to [`TX_SMALL_BYTES`] aside: ten captures of a body of the
/// usual length fit twice. Past it: not set.
pub const TX_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a TX variable, name and value, that is not counted: a score, a name, a header.
pub const TX_SMALL_BYTES: usize = 1024;

/// Variables that setenv makes in one transaction. Past it: new names are ignored.
pub const ENV_VARIABLES: usize = 128;

/// Persistent records on one node: with 1 KiB each, 100 MiB. Past it: new ones are not kept.
pub const RECORDS: usize = 100_000;

/// Persistent records of one tenant: a flood of visitors of one site leaves room for nine more such sites. Past it: new
/// ones of that tenant are not kept.
pub const RECORDS_OF_TENANT: usize = 10_000;

/// Variables of one persistent record: CRS sets 5. Past it: new names are ignored.
pub const RECORD_VARIABLES: usize = 128;

/// Bytes of a persistent variable: a counter or a header. Past it: not set.
pub const RECORD_VALUE_BYTES: usize = 8 * 1024;

/// Bytes of a persistent record's key. Past it: cut.
pub const RECORD_KEY_BYTES: usize = 512;

/// Exclusions one transaction may gather by ctl: CRS's largest exclusion package makes about 400. Past it: ignored,
/// so that more is judged, not less.
pub const CTL_EXCLUSIONS: usize = 1024;

/// Links of one chain: the longest of CRS has 6. Past it: an error of the rule file.
pub const CHAIN_LINKS: usize = 32;

/// Depth of Include: base, plugins, rules, data. Past it (an Include of itself): an error of the rule file.
pub const INCLUDE_DEPTH: usize = 16;

/// Files of one rule set: CRS with all plugins has about 60. Past it: an error of the rule file.
pub const FILES: usize = 1024;

/// Bytes of one rule or data file: CRS's largest is 300 KiB. Past it: an error of the rule file.
pub const FILE_BYTES: usize = 8 * 1024 * 1024;

/// Transformations of one rule: the longest of CRS has 9. Past it: an error of the rule file.
pub const TRANSFORMATIONS: usize = 32;

/// How often the bytes of a value the transformations of one rule may make together: the most of CRS is 3 (utf8toUnicode),
/// two encodings on top of each other are 9. Past it: an error of the rule file, so that no request can meet it.
pub const TRANSFORMATION_GROWTH: usize = 16;

/// Memory of one compiled pattern: CRS's largest needs about 2 MiB. Past it: an error of the rule file.
pub const PATTERN_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of one pattern's text: the longest of CRS has 17 KiB. Past it: an error of the rule file.
pub const PATTERN_TEXT_BYTES: usize = 128 * 1024;

/// Instructions of a pattern for the backtracking fallback. Past it: an error of the rule file.
pub const BACKTRACK_INSTRUCTIONS: usize = 20_000;

/// Steps of one search of the backtracking fallback, about 10 ms. Past it: no match, TX:MSC_PCRE_LIMITS_EXCEEDED is 1.
pub const BACKTRACK_STEPS: usize = 1_000_000;

/// Steps of all searches of the fallback in one transaction, about 50 ms: many values that each take a search to its end
/// would else add up. Past it: as past the steps of one.
pub const BACKTRACK_STEPS_TOTAL: usize = 5_000_000;

/// Patterns that one transaction compiles because macros of a request stand in them, each up to some milliseconds. Past
/// it: no match, TX:MSC_PCRE_LIMITS_EXCEEDED is 1.
pub const MOMENTARY_PATTERNS: usize = 64;

/// Bytes of such a pattern. Past it: the same.
pub const MOMENTARY_PATTERN_BYTES: usize = 4 * 1024;

/// Candidates that @verifyCC and its kin look at in one value. Past it: no match.
pub const VERIFY_CANDIDATES: usize = 1024;

/// Bytes of a candidate of @verifyCC and its kin: 19 digits with separators. Past it: cut.
pub const VERIFY_BYTES: usize = 64;

/// Bytes of a value that @rbl asks for: no name of the DNS is longer (RFC 1035 §2.3.4). Past it: no match.
pub const DNS_NAME_BYTES: usize = 253;

/// Mistakes shown at once: a file with more was meant for another program.
pub const MISTAKES: usize = 200;
