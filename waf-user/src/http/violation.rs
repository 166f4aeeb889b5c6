//! Why a message is refused, never guessed: one variant a reason, with the status that answers it.

macro_rules! violations {
    ($($variant:ident = $status:literal $label:literal $text:literal),* $(,)?) => {
        /// What is wrong with a message. Of a response the status is not used: a broken origin is a 502.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Violation { $(#[doc = $text] $variant),* }

        impl Violation {
            /// Every violation; the n-th has index n.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Position in [`Violation::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }

            /// The status that answers a request with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// snake_case, for metrics and events.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// One sentence for operators.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

violations! {
    BareLf = 400 "bare_lf" "a line ends with LF alone",
    BareCr = 400 "bare_cr" "a CR stands within a line",
    RequestLine = 400 "request_line" "the request line is not method, target and version with one space between",
    MethodCharacter = 400 "method_character" "the method is no token",
    MethodRefused = 501 "method_refused" "CONNECT and TRACE are not served",
    TargetTooLong = 414 "target_too_long" "the request line is longer than the limit",
    TargetCharacter = 400 "target_character" "the target holds a control character, a fragment or bytes that are no UTF-8",
    TargetForm = 400 "target_form" "the target is neither origin-form, absolute-form nor the * of OPTIONS",
    Http09 = 505 "http_09" "HTTP/0.9 is not served",
    Version = 505 "version" "the version is neither HTTP/1.0 nor HTTP/1.1",
    HeadTooLarge = 431 "head_too_large" "the header block is longer than the limit",
    TooManyFields = 431 "too_many_fields" "the header block has more fields than the limit",
    ObsoleteFold = 400 "obsolete_fold" "a header line begins with white space",
    FieldWithoutColon = 400 "field_without_colon" "a header line has no colon",
    FieldNameEmpty = 400 "field_name_empty" "a header's name is empty",
    FieldNameCharacter = 400 "field_name_character" "a header's name is no token",
    SpaceBeforeColon = 400 "space_before_colon" "white space stands between a header's name and its colon",
    FieldValueCharacter = 400 "field_value_character" "a header's value holds a control character",
    FieldNameLookalike = 400 "field_name_lookalike" "a header is a framing header or Host spelt with underscores",
    HostMissing = 400 "host_missing" "HTTP/1.1 without Host",
    HostRepeated = 400 "host_repeated" "more than one Host",
    HostInvalid = 400 "host_invalid" "Host is no name or address with an optional port",
    HostConflict = 400 "host_conflict" "Host and the target's authority differ",
    LengthAndEncoding = 400 "length_and_encoding" "Content-Length together with Transfer-Encoding",
    LengthRepeated = 400 "length_repeated" "more than one Content-Length",
    LengthInvalid = 400 "length_invalid" "Content-Length is not plain decimal digits without leading zeros",
    EncodingUnknown = 501 "encoding_unknown" "Transfer-Encoding is not exactly chunked",
    EncodingRepeated = 400 "encoding_repeated" "more than one Transfer-Encoding",
    EncodingInHttp10 = 400 "encoding_in_http_10" "Transfer-Encoding in HTTP/1.0",
    ExpectUnknown = 417 "expect_unknown" "Expect is not 100-continue",
    UpgradeH2c = 400 "upgrade_h2c" "Upgrade to h2c is not served",
    ChunkSize = 400 "chunk_size" "a chunk size is not plain hexadecimal digits",
    ChunkSizeOverflow = 400 "chunk_size_overflow" "a chunk size does not fit",
    ChunkExtension = 400 "chunk_extension" "a chunk extension breaks the grammar or the extensions exceed the limit",
    ChunkEnd = 400 "chunk_end" "a chunk's data is not followed by CRLF",
    TrailerTooLarge = 431 "trailer_too_large" "the trailers are longer than the limit",
    StatusLine = 400 "status_line" "the status line is no HTTP/1",
    StatusUnexpected = 400 "status_unexpected" "a status below 200 that cannot be served",
    Truncated = 400 "truncated" "the connection ended within a message",
}
