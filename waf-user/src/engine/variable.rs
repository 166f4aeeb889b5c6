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
    Files "FILES" Collection "File names as the client gave them, by field.";
    FilesCombinedSize "FILES_COMBINED_SIZE" Scalar "Bytes of all files.";
    FilesNames "FILES_NAMES" Collection "Fields that held files.";
    FilesSizes "FILES_SIZES" Collection "Bytes of each file, by field.";
    HighestSeverity "HIGHEST_SEVERITY" Scalar "Lowest severity number matched so far, 255 at first.";
    InboundDataError "INBOUND_DATA_ERROR" Scalar "1 where the request body was longer than the limit.";
    MatchedVar "MATCHED_VAR" Scalar "The value that matched last.";
    MatchedVarName "MATCHED_VAR_NAME" Scalar "Its full name.";
    MatchedVars "MATCHED_VARS" Collection "Every value that the current rule or chain link before matched.";
    MatchedVarsNames "MATCHED_VARS_NAMES" Collection "Their full names.";
    MultipartPartHeaders "MULTIPART_PART_HEADERS" Collection "Header lines of parts, by field.";
    MultipartStrictError "MULTIPART_STRICT_ERROR" Scalar "1 where a multipart body left the grammar.";
    OutboundDataError "OUTBOUND_DATA_ERROR" Scalar "1 where the response body was longer than the limit.";
    QueryString "QUERY_STRING" Scalar "The raw query.";
    RemoteAddr "REMOTE_ADDR" Scalar "The visitor's address.";
    RemotePort "REMOTE_PORT" Scalar "The visitor's port.";
    ReqbodyError "REQBODY_ERROR" Scalar "1 where the body could not be parsed.";
    ReqbodyErrorMsg "REQBODY_ERROR_MSG" Scalar "Why.";
    ReqbodyProcessor "REQBODY_PROCESSOR" Scalar "URLENCODED, MULTIPART, JSON or empty.";
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
    RequestUri "REQUEST_URI" Scalar "Path and query, without scheme and authority.";
    RequestUriRaw "REQUEST_URI_RAW" Scalar "The target as it stood in the request line.";
    ResponseBody "RESPONSE_BODY" Scalar "The body, where the rules want it.";
    ResponseContentLength "RESPONSE_CONTENT_LENGTH" Scalar "Content-Length, or bytes given.";
    ResponseContentType "RESPONSE_CONTENT_TYPE" Scalar "The media type.";
    ResponseHeaders "RESPONSE_HEADERS" Collection "Header values.";
    ResponseHeadersNames "RESPONSE_HEADERS_NAMES" Collection "Header names.";
    ResponseProtocol "RESPONSE_PROTOCOL" Scalar "Such as HTTP/1.1.";
    ResponseStatus "RESPONSE_STATUS" Scalar "The status.";
    Rule "RULE" Collection "id, phase, msg, severity of the current rule.";
    ServerAddr "SERVER_ADDR" Scalar "Our address.";
    ServerName "SERVER_NAME" Scalar "The Host header without port.";
    ServerPort "SERVER_PORT" Scalar "Our port.";
    TimeEpoch "TIME_EPOCH" Scalar "Seconds of Unix time at the start.";
    Tx "TX" Collection "Variables of the transaction.";
    UniqueId "UNIQUE_ID" Scalar "The request id.";
}

impl Variable {
    /// Names are compared without case, as the reference engine does.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.name().eq_ignore_ascii_case(name))
    }
}
