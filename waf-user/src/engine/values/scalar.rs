//! Variables with one value: which bytes each of them has, or that it has none.

use std::borrow::Cow;
use std::fmt;

use super::{Pairs, Values, find, time};
use crate::engine::variable::Variable;

impl Values {
    /// The one value of a scalar; None where there is none, and for a collection.
    pub fn scalar(&self, variable: Variable) -> Option<Cow<'_, [u8]>> {
        self.of_request(variable).or_else(|| self.of_response(variable)).or_else(|| self.of_time(variable))
    }

    fn of_request(&self, variable: Variable) -> Option<Cow<'_, [u8]>> {
        Some(match variable {
            Variable::ArgsCombinedSize => number(size(&self.args_get) + size(&self.args_post)),
            Variable::FilesCombinedSize => number(self.files_bytes()),
            Variable::FullRequest => Cow::Owned(self.full_request()),
            Variable::FullRequestLength => number(self.full_request().len()),
            Variable::InboundDataError => flag(self.body_cut),
            Variable::QueryString => Cow::Borrowed(self.query.as_deref()?),
            Variable::RemoteAddr | Variable::RemoteHost | Variable::UseragentIp => {
                Cow::Borrowed(self.remote_addr.as_bytes())
            }
            Variable::RemotePort => Cow::Borrowed(self.remote_port.as_bytes()),
            Variable::ReqbodyError | Variable::ReqbodyProcessorError => flag(self.body_error.is_some()),
            Variable::ReqbodyErrorMsg | Variable::ReqbodyProcessorErrorMsg => {
                Cow::Borrowed(self.body_error.as_deref().unwrap_or("").as_bytes())
            }
            Variable::ReqbodyProcessor => Cow::Borrowed(&self.body_processor),
            Variable::RequestBasename => Cow::Borrowed(self.basename()),
            Variable::RequestBody if self.body_shown => Cow::Borrowed(&self.body),
            Variable::RequestBodyLength => number(self.body_length),
            Variable::RequestFilename => Cow::Borrowed(&self.filename),
            Variable::RequestLine => Cow::Owned(self.request_line()),
            Variable::RequestMethod => Cow::Borrowed(&self.method),
            Variable::RequestProtocol => Cow::Borrowed(self.protocol.as_bytes()),
            Variable::RequestUri => self.shown_uri(),
            Variable::RequestUriRaw => Cow::Borrowed(&self.target),
            Variable::ServerAddr => Cow::Borrowed(self.server_addr.as_bytes()),
            Variable::ServerName => Cow::Borrowed(self.server_name()),
            Variable::ServerPort => Cow::Borrowed(self.server_port.as_bytes()),
            Variable::SessionId => Cow::Borrowed(self.session_id.as_deref()?),
            Variable::StreamInputBody => Cow::Borrowed(&self.body),
            Variable::UniqueId => Cow::Borrowed(self.unique_id.as_bytes()),
            Variable::UrlencodedError => flag(self.urlencoded_error),
            Variable::UserId => Cow::Borrowed(self.user_id.as_deref()?),
            Variable::WebAppId if self.web_app_id.is_empty() => Cow::Borrowed(b"default"),
            Variable::WebAppId => Cow::Borrowed(self.web_app_id.as_bytes()),
            _ => return self.multipart.value(variable),
        })
    }

    fn of_response(&self, variable: Variable) -> Option<Cow<'_, [u8]>> {
        Some(match variable {
            Variable::OutboundDataError => flag(self.response_body_cut),
            Variable::ResponseBody | Variable::StreamOutputBody if self.status != 0 => {
                Cow::Borrowed(&self.response_body)
            }
            Variable::ResponseContentLength => match find(&self.response_headers, "content-length") {
                Some(value) => Cow::Borrowed(value),
                None => number(self.response_body_length),
            },
            Variable::ResponseContentType => Cow::Borrowed(self.response_content_type()),
            Variable::ResponseProtocol => Cow::Borrowed(self.response_protocol.as_bytes()),
            Variable::ResponseStatus if self.status != 0 => number(self.status),
            Variable::StatusLine if self.status != 0 => {
                Cow::Owned(format!("{} {}", self.response_protocol, self.status).into_bytes())
            }
            _ => return None,
        })
    }

    fn of_time(&self, variable: Variable) -> Option<Cow<'_, [u8]>> {
        let now = || time::Civil::of(self.now_unix_ms / 1000);
        Some(match variable {
            Variable::HighestSeverity => number(self.highest_severity.unwrap_or(255)),
            Variable::MatchedVar => Cow::Borrowed(&self.matched.value),
            Variable::MatchedVarName => Cow::Borrowed(&self.matched.name),
            Variable::ModsecBuild => Cow::Borrowed(b"020907900"),
            Variable::Duration | Variable::SdbmDeleteError => number(0),
            Variable::PerfAll
            | Variable::PerfCombined
            | Variable::PerfGc
            | Variable::PerfLogging
            | Variable::PerfPhase1
            | Variable::PerfPhase2
            | Variable::PerfPhase3
            | Variable::PerfPhase4
            | Variable::PerfPhase5
            | Variable::PerfRules
            | Variable::PerfSread
            | Variable::PerfSwrite => number(0),
            Variable::Time => number(now().digits()),
            Variable::TimeDay => number(now().day),
            Variable::TimeEpoch => number(self.now_unix_ms / 1000),
            Variable::TimeHour => number(now().hour),
            Variable::TimeMin => number(now().minute),
            Variable::TimeMon => number(now().month),
            Variable::TimeSec => number(now().second),
            Variable::TimeWday => number(now().weekday),
            Variable::TimeYear => number(now().year),
            _ => return None,
        })
    }

    /// Path and query. The path is decoded once the web server of the reference engine would have done so.
    fn shown_uri(&self) -> Cow<'_, [u8]> {
        if !self.path_decoded {
            return Cow::Borrowed(&self.uri);
        }
        match &self.query {
            Some(query) => Cow::Owned([&self.filename, b"?".as_slice(), query].concat()),
            None => Cow::Borrowed(&self.filename),
        }
    }

    fn basename(&self) -> &[u8] {
        let from = self.filename.iter().rposition(|byte| matches!(byte, b'/' | b'\\')).map_or(0, |at| at + 1);
        self.filename.get(from..).unwrap_or_default()
    }

    fn server_name(&self) -> &[u8] {
        let host = self.header("host").unwrap_or_default();
        let port = host.iter().rposition(|byte| *byte == b':');
        let port = port.filter(|at| !host.get(*at..).unwrap_or_default().contains(&b']'));
        host.get(..port.unwrap_or(host.len())).unwrap_or_default()
    }

    /// Without a protocol (HTTP/0.9) nothing follows the target.
    fn request_line(&self) -> Vec<u8> {
        let gap: &[u8] = if self.protocol.is_empty() { b"" } else { b" " };
        [&self.method, b" ".as_slice(), &self.target, gap, self.protocol.as_bytes()].concat()
    }

    fn full_request(&self) -> Vec<u8> {
        let mut text = self.request_line();
        text.extend_from_slice(b"\r\n");
        for (name, value) in &self.headers {
            text.extend_from_slice(&[name, b": ".as_slice(), value, b"\r\n"].concat());
        }
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&self.body);
        text
    }

    fn files_bytes(&self) -> u64 {
        let sizes = self.files_sizes.iter().filter_map(|(_, size)| std::str::from_utf8(size).ok());
        sizes.filter_map(|size| size.parse::<u64>().ok()).sum()
    }
}

fn size(pairs: &Pairs) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn number<'a>(value: impl fmt::Display) -> Cow<'a, [u8]> {
    Cow::Owned(value.to_string().into_bytes())
}

fn flag<'a>(value: bool) -> Cow<'a, [u8]> {
    Cow::Borrowed(if value { b"1" } else { b"0" })
}
