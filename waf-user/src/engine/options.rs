//! The engine's settings that directives of rule files make: what stands here holds without any.

use super::limits;
use super::rule::EngineMode;

/// What happens where a body is longer than its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitAction {
    /// The prefix is judged, the rest passes.
    #[default]
    ProcessPartial,
    /// Refused with 413 (request) or 500 (response); under DetectionOnly as ProcessPartial.
    Reject,
}

/// Settings of one rule set.
#[derive(Clone, Debug)]
pub struct Options {
    pub engine: EngineMode,
    pub request_body_access: bool,
    /// Bytes, multipart bodies with files.
    pub request_body_limit: usize,
    /// Bytes, all other bodies; under Reject also what of a multipart body is no file.
    pub request_body_no_files_limit: usize,
    /// None: by the kind of the body.
    pub request_body_limit_action: Option<LimitAction>,
    pub response_body_access: bool,
    pub response_body_limit: usize,
    pub response_body_limit_action: LimitAction,
    /// Lower case, without parameters.
    pub response_mime_types: Vec<Vec<u8>>,
    pub arguments_limit: usize,
    pub argument_separator: u8,
    pub component_signatures: Vec<String>,
    /// How long a persistent record lives after its last change.
    pub collection_timeout_s: u64,
    pub json_depth_limit: usize,
    /// Files of one multipart body.
    pub upload_file_limit: usize,
    /// Divides the records of SESSION and USER; empty: `default`.
    pub web_app_id: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: EngineMode::On,
            request_body_access: true,
            request_body_limit: limits::REQUEST_BODY_BYTES,
            request_body_no_files_limit: limits::REQUEST_BODY_BYTES,
            request_body_limit_action: None,
            response_body_access: false,
            response_body_limit: limits::RESPONSE_BODY_BYTES,
            response_body_limit_action: LimitAction::ProcessPartial,
            response_mime_types: [b"text/plain".as_slice(), b"text/html", b"text/xml"]
                .map(<[u8]>::to_vec)
                .to_vec(),
            arguments_limit: limits::ARGUMENTS,
            argument_separator: b'&',
            component_signatures: Vec::new(),
            collection_timeout_s: 3600,
            json_depth_limit: limits::JSON_DEPTH,
            upload_file_limit: limits::UPLOAD_FILES,
            web_app_id: String::new(),
        }
    }
}
