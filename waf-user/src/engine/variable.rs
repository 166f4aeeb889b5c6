//! The variables of SecLang by name. Knows which are collections, not where their values come from.

/// Whether a variable has one value or any number of named ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Scalar,
    Collection,
}

macro_rules! variables {
    ($($variant:ident $name:literal $shape:ident $what:literal;)+) => {
        /// One variable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Variable {
            $(#[doc = $what] $variant,)+
        }

        impl Variable {
            /// All variables.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name as rules write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            pub fn shape(self) -> Shape {
                match self { $(Self::$variant => Shape::$shape,)+ }
            }
        }
    };
}

variables! {
    Args "ARGS" Collection "Arguments of query and body.";
    ArgsCombinedSize "ARGS_COMBINED_SIZE" Scalar "Bytes of all argument names and values.";
    ArgsGet "ARGS_GET" Collection "Arguments of the query.";
    ArgsGetNames "ARGS_GET_NAMES" Collection "Their names.";
    ArgsNames "ARGS_NAMES" Collection "Names of all arguments.";
    ArgsPost "ARGS_POST" Collection "Arguments of the body.";
    ArgsPostNames "ARGS_POST_NAMES" Collection "Their names.";
    AuthType "AUTH_TYPE" Scalar "The authentication of the web server: none here.";
    Duration "DURATION" Scalar "Milliseconds of the transaction: 0, the engine has no clock.";
    Env "ENV" Collection "What setenv set; never the process's environment.";
    Files "FILES" Collection "File names as the client gave them, by field.";
    FilesCombinedSize "FILES_COMBINED_SIZE" Scalar "Bytes of all files.";
    FilesNames "FILES_NAMES" Collection "Fields that held files.";
    FilesSizes "FILES_SIZES" Collection "Bytes of each file, by field.";
    FilesTmpNames "FILES_TMPNAMES" Collection "Names of temporary files: none are made.";
    FilesTmpContent "FILES_TMP_CONTENT" Collection "Contents of files, by field.";
    FullRequest "FULL_REQUEST" Scalar "Request line, header fields and body.";
    FullRequestLength "FULL_REQUEST_LENGTH" Scalar "Its bytes.";
    Geo "GEO" Collection "What @geoLookup found last.";
    Global "GLOBAL" Collection "The record that initcol:global opened.";
    HighestSeverity "HIGHEST_SEVERITY" Scalar "Lowest severity number matched so far, 255 at first.";
    InboundDataError "INBOUND_DATA_ERROR" Scalar "1 where the request body was longer than the limit.";
    Ip "IP" Collection "The record that initcol:ip opened.";
    MatchedVar "MATCHED_VAR" Scalar "The value that matched last.";
    MatchedVars "MATCHED_VARS" Collection "Every value that the current rule or chain link before matched.";
    MatchedVarsNames "MATCHED_VARS_NAMES" Collection "Their full names.";
    MatchedVarName "MATCHED_VAR_NAME" Scalar "Its full name.";
    ModsecBuild "MODSEC_BUILD" Scalar "The version of the reference engine that this one follows.";
    MultipartBoundaryQuoted "MULTIPART_BOUNDARY_QUOTED" Scalar "1 where the boundary was in quotes.";
    MultipartBoundaryWhitespace "MULTIPART_BOUNDARY_WHITESPACE" Scalar "1 where it held white space.";
    MultipartCrlfLfLines "MULTIPART_CRLF_LF_LINES" Scalar "1 where lines ended in both ways.";
    MultipartDataAfter "MULTIPART_DATA_AFTER" Scalar "1 where bytes followed the last boundary.";
    MultipartDataBefore "MULTIPART_DATA_BEFORE" Scalar "1 where bytes came before the first boundary.";
    MultipartFilename "MULTIPART_FILENAME" Scalar "The file name of the last part that had one.";
    MultipartFileLimitExceeded "MULTIPART_FILE_LIMIT_EXCEEDED" Scalar "1 where there were too many files.";
    MultipartHeaderFolding "MULTIPART_HEADER_FOLDING" Scalar "1 where a part's header was folded.";
    MultipartInvalidHeaderFolding "MULTIPART_INVALID_HEADER_FOLDING" Scalar "1 where nothing was there to fold.";
    MultipartInvalidPart "MULTIPART_INVALID_PART" Scalar "1 where a part had no name.";
    MultipartInvalidQuoting "MULTIPART_INVALID_QUOTING" Scalar "1 where quotes were single or unbalanced.";
    MultipartLfLine "MULTIPART_LF_LINE" Scalar "1 where a line ended with LF alone.";
    MultipartMissingSemicolon "MULTIPART_MISSING_SEMICOLON" Scalar "1 where a semicolon was missing.";
    MultipartName "MULTIPART_NAME" Scalar "The name of the last part.";
    MultipartPartHeaders "MULTIPART_PART_HEADERS" Collection "Header lines of parts, by field.";
    MultipartSemicolonMissing "MULTIPART_SEMICOLON_MISSING" Scalar "The same under its other name.";
    MultipartStrictError "MULTIPART_STRICT_ERROR" Scalar "1 where a multipart body left the grammar.";
    MultipartUnmatchedBoundary "MULTIPART_UNMATCHED_BOUNDARY" Scalar "1 where a line looked like a boundary.";
    OutboundDataError "OUTBOUND_DATA_ERROR" Scalar "1 where the response body was longer than the limit.";
    PathInfo "PATH_INFO" Scalar "What a web server finds behind a script: nothing here.";
    PerfAll "PERF_ALL" Scalar "0: time is not measured inside a transaction.";
    PerfCombined "PERF_COMBINED" Scalar "0: time is not measured inside a transaction.";
    PerfGc "PERF_GC" Scalar "0: time is not measured inside a transaction.";
    PerfLogging "PERF_LOGGING" Scalar "0: time is not measured inside a transaction.";
    PerfPhase1 "PERF_PHASE1" Scalar "0: time is not measured inside a transaction.";
    PerfPhase2 "PERF_PHASE2" Scalar "0: time is not measured inside a transaction.";
    PerfPhase3 "PERF_PHASE3" Scalar "0: time is not measured inside a transaction.";
    PerfPhase4 "PERF_PHASE4" Scalar "0: time is not measured inside a transaction.";
    PerfPhase5 "PERF_PHASE5" Scalar "0: time is not measured inside a transaction.";
    PerfRules "PERF_RULES" Scalar "0: time is not measured inside a transaction.";
    PerfSread "PERF_SREAD" Scalar "0: time is not measured inside a transaction.";
    PerfSwrite "PERF_SWRITE" Scalar "0: time is not measured inside a transaction.";
    QueryString "QUERY_STRING" Scalar "The raw query.";
    RemoteAddr "REMOTE_ADDR" Scalar "The visitor's address.";
    RemoteHost "REMOTE_HOST" Scalar "The visitor's address: names are not looked up.";
    RemotePort "REMOTE_PORT" Scalar "The visitor's port.";
    RemoteUser "REMOTE_USER" Scalar "The user of the web server's authentication: none here.";
    ReqbodyError "REQBODY_ERROR" Scalar "1 where the body could not be parsed.";
    ReqbodyErrorMsg "REQBODY_ERROR_MSG" Scalar "Why.";
    ReqbodyProcessor "REQBODY_PROCESSOR" Scalar "URLENCODED, MULTIPART, JSON, XML or nothing.";
    ReqbodyProcessorError "REQBODY_PROCESSOR_ERROR" Scalar "As REQBODY_ERROR.";
    ReqbodyProcessorErrorMsg "REQBODY_PROCESSOR_ERROR_MSG" Scalar "As REQBODY_ERROR_MSG.";
    RequestBasename "REQUEST_BASENAME" Scalar "The path after its last slash.";
    RequestBody "REQUEST_BODY" Scalar "The raw body, where it was form-encoded or of no known kind.";
    RequestBodyLength "REQUEST_BODY_LENGTH" Scalar "Bytes of the body that were given.";
    RequestCookies "REQUEST_COOKIES" Collection "Cookie values.";
    RequestCookiesNames "REQUEST_COOKIES_NAMES" Collection "Cookie names.";
    RequestFilename "REQUEST_FILENAME" Scalar "The path, percent-decoded.";
    RequestHeaders "REQUEST_HEADERS" Collection "Header values.";
    RequestHeadersNames "REQUEST_HEADERS_NAMES" Collection "Header names.";
    RequestLine "REQUEST_LINE" Scalar "Method, target and protocol.";
    RequestMethod "REQUEST_METHOD" Scalar "The method.";
    RequestProtocol "REQUEST_PROTOCOL" Scalar "Such as HTTP/1.1.";
    RequestUri "REQUEST_URI" Scalar "Path and query; from phase 2 on the path decoded.";
    RequestUriRaw "REQUEST_URI_RAW" Scalar "The target as it stood in the request line.";
    Resource "RESOURCE" Collection "The record that setrsc opened.";
    ResponseBody "RESPONSE_BODY" Scalar "The body, where the rules want it.";
    ResponseContentLength "RESPONSE_CONTENT_LENGTH" Scalar "Content-Length, or bytes given.";
    ResponseContentType "RESPONSE_CONTENT_TYPE" Scalar "The media type.";
    ResponseHeaders "RESPONSE_HEADERS" Collection "Header values.";
    ResponseHeadersNames "RESPONSE_HEADERS_NAMES" Collection "Header names.";
    ResponseProtocol "RESPONSE_PROTOCOL" Scalar "Such as HTTP/1.1.";
    ResponseStatus "RESPONSE_STATUS" Scalar "The status.";
    Rule "RULE" Collection "id, phase, msg, severity of the current rule.";
    ScriptBasename "SCRIPT_BASENAME" Scalar "Of the web server: nothing here.";
    ScriptFilename "SCRIPT_FILENAME" Scalar "Of the web server: nothing here.";
    ScriptGid "SCRIPT_GID" Scalar "Of the web server: nothing here.";
    ScriptGroupname "SCRIPT_GROUPNAME" Scalar "Of the web server: nothing here.";
    ScriptMode "SCRIPT_MODE" Scalar "Of the web server: nothing here.";
    ScriptUid "SCRIPT_UID" Scalar "Of the web server: nothing here.";
    ScriptUsername "SCRIPT_USERNAME" Scalar "Of the web server: nothing here.";
    SdbmDeleteError "SDBM_DELETE_ERROR" Scalar "0: records are not kept in such a file.";
    ServerAddr "SERVER_ADDR" Scalar "Our address.";
    ServerName "SERVER_NAME" Scalar "The Host header without port.";
    ServerPort "SERVER_PORT" Scalar "Our port.";
    Session "SESSION" Collection "The record that setsid opened.";
    SessionId "SESSIONID" Scalar "The key that setsid set.";
    StatusLine "STATUS_LINE" Scalar "The response's protocol and status.";
    StreamInputBody "STREAM_INPUT_BODY" Scalar "The request body as it came.";
    StreamOutputBody "STREAM_OUTPUT_BODY" Scalar "The response body as it came.";
    Time "TIME" Scalar "Year to second of the start, as 14 digits, UTC.";
    TimeDay "TIME_DAY" Scalar "Day of the month, 1 to 31.";
    TimeEpoch "TIME_EPOCH" Scalar "Seconds of Unix time at the start.";
    TimeHour "TIME_HOUR" Scalar "0 to 23.";
    TimeMin "TIME_MIN" Scalar "0 to 59.";
    TimeMon "TIME_MON" Scalar "1 to 12.";
    TimeSec "TIME_SEC" Scalar "0 to 59.";
    TimeWday "TIME_WDAY" Scalar "0, Sunday, to 6.";
    TimeYear "TIME_YEAR" Scalar "Four digits.";
    Tx "TX" Collection "Variables of the transaction.";
    UniqueId "UNIQUE_ID" Scalar "The request id.";
    UrlencodedError "URLENCODED_ERROR" Scalar "1 where an argument's percent-encoding was broken.";
    User "USER" Collection "The record that setuid opened.";
    UseragentIp "USERAGENT_IP" Scalar "The visitor's address.";
    UserId "USERID" Scalar "The key that setuid set.";
    WebAppId "WEBAPPID" Scalar "SecWebAppId, or default.";
    Xml "XML" Collection "Texts of an XML body: /* all of it, //@* each attribute, //text() each text.";
}

impl Variable {
    /// Names are compared without case, as the reference engine does.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.name().eq_ignore_ascii_case(name))
    }
}
