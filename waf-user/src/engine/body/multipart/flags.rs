//! What a multipart body did that two readers could read differently: one flag each, and their sum.

use std::borrow::Cow;

use crate::engine::variable::Variable;

/// The MULTIPART_* variables.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub boundary_quoted: bool,
    pub boundary_whitespace: bool,
    pub crlf_line: bool,
    pub data_after: bool,
    pub data_before: bool,
    pub error: bool,
    pub file_limit_exceeded: bool,
    pub header_folding: bool,
    pub invalid_header_folding: bool,
    pub invalid_part: bool,
    pub invalid_quoting: bool,
    pub lf_line: bool,
    pub missing_semicolon: bool,
    pub unmatched_boundary: bool,
    /// Of the last part.
    pub name: Option<Vec<u8>>,
    pub file_name: Option<Vec<u8>>,
}

impl Flags {
    /// MULTIPART_STRICT_ERROR: any of them but the unmatched boundary, which honest texts cause too.
    pub fn strict_error(&self) -> bool {
        self.error
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.data_after
            || self.data_before
            || self.file_limit_exceeded
            || self.header_folding
            || self.invalid_header_folding
            || self.invalid_part
            || self.invalid_quoting
            || self.lf_line
            || self.missing_semicolon
    }

    /// None: not a variable of multipart bodies, or one without a value.
    pub fn value(&self, variable: Variable) -> Option<Cow<'_, [u8]>> {
        let flag = match variable {
            Variable::MultipartBoundaryQuoted => self.boundary_quoted,
            Variable::MultipartBoundaryWhitespace => self.boundary_whitespace,
            Variable::MultipartCrlfLfLines => self.crlf_line && self.lf_line,
            Variable::MultipartDataAfter => self.data_after,
            Variable::MultipartDataBefore => self.data_before,
            Variable::MultipartFileLimitExceeded => self.file_limit_exceeded,
            Variable::MultipartHeaderFolding => self.header_folding,
            Variable::MultipartInvalidHeaderFolding => self.invalid_header_folding,
            Variable::MultipartInvalidPart => self.invalid_part,
            Variable::MultipartInvalidQuoting => self.invalid_quoting,
            Variable::MultipartLfLine => self.lf_line,
            Variable::MultipartMissingSemicolon | Variable::MultipartSemicolonMissing => {
                self.missing_semicolon
            }
            Variable::MultipartStrictError => self.strict_error(),
            Variable::MultipartUnmatchedBoundary => self.unmatched_boundary,
            Variable::MultipartName => return self.name.as_deref().map(Cow::Borrowed),
            Variable::MultipartFilename => return self.file_name.as_deref().map(Cow::Borrowed),
            _ => return None,
        };
        Some(Cow::Borrowed(if flag { b"1" } else { b"0" }))
    }
}
