//! A request body's bytes -> arguments and files, by the processor that its content type or a rule names. What cannot
//! be read to its end is an error that rules see as REQBODY_ERROR; what was read before it is judged all the same.

mod coding;
mod json;
mod multipart;
pub mod urlencoded;
mod xml;

use super::limits;
use super::options::Options;
use super::rule::BodyProcessor;
use super::values::Values;

pub use multipart::Flags as MultipartFlags;

/// Whether all of the body is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    /// Longer than the limit: it ends anywhere, which is no error of the client.
    Prefix,
}

/// The processor for a Content-Type (RFC 9110 §8.3): the engine's own choice where no rule makes one.
pub fn processor_for(content_type: &[u8]) -> Option<BodyProcessor> {
    // A missing semicolon is the body processor's matter, not a way past it.
    let media_type = content_type.trim_ascii_start();
    let end = media_type
        .iter()
        .position(|byte| matches!(byte, b';' | b',' | b' ' | b'\t'))
        .unwrap_or(media_type.len());
    let media_type = media_type.get(..end).unwrap_or_default().to_ascii_lowercase();
    match media_type.as_slice() {
        b"application/x-www-form-urlencoded" => Some(BodyProcessor::UrlEncoded),
        b"multipart/form-data" => Some(BodyProcessor::Multipart),
        b"application/json" | b"text/json" | b"application/csp-report" => Some(BodyProcessor::Json),
        other if other.ends_with(b"+json") => Some(BodyProcessor::Json),
        b"text/xml" | b"application/xml" => Some(BodyProcessor::Xml),
        other if other.ends_with(b"+xml") => Some(BodyProcessor::Xml),
        _ => None,
    }
}

/// Undoes the Content-Encoding of the body, up to `bytes_max` of what comes out; the rest is cut as past the limit.
pub fn decode(values: &mut Values, bytes_max: usize) {
    let Some(header) = values.header("content-encoding").map(<[u8]>::to_vec) else { return };
    match coding::decode(&header, &values.body, bytes_max, values.body_cut) {
        None => {}
        Some(Ok(decoded)) => {
            values.body = decoded.body;
            values.body_cut = decoded.is_cut;
        }
        Some(Err(error)) => values.refuse_body(error.to_string()),
    }
}

/// A multipart body that was announced and is empty: what its boundary looks like is seen all the same.
pub fn look_at_boundary(values: &mut Values) {
    let content_type = values.header("content-type").unwrap_or_default().to_vec();
    if let Err(error) = multipart::boundary(&content_type, &mut values.multipart) {
        values.multipart.error = true;
        values.refuse_body(format!("{}: {error}", BodyProcessor::Multipart.name()));
    }
}

/// Reads the whole body that was given. Linear in its bytes.
pub fn process(values: &mut Values, processor: BodyProcessor, options: &Options) {
    let body = std::mem::take(&mut values.body);
    let extent = if values.body_cut { Extent::Prefix } else { Extent::Whole };
    let outcome = match processor {
        BodyProcessor::UrlEncoded => {
            let mut full = Ok(());
            values.urlencoded_error |= extent == Extent::Whole && !urlencoded::is_well_formed(&body);
            urlencoded::each(&body, options.argument_separator, &mut |name, value| {
                full = argument(values, options, name, value);
                full.is_ok()
            });
            full
        }
        BodyProcessor::Json => json::read(&body, extent, options.json_depth_limit, &mut |name, value| {
            argument(values, options, name.to_vec(), value)
        }),
        BodyProcessor::Multipart => {
            let content_type = values.header("content-type").unwrap_or_default().to_vec();
            let boundary = multipart::boundary(&content_type, &mut values.multipart);
            let outcome =
                boundary.and_then(|boundary| multipart::read(&body, &boundary, extent, values, options));
            values.multipart.error = outcome.is_err();
            outcome
        }
        BodyProcessor::Xml => xml::read(&body, extent, options.arguments_limit, &mut values.xml),
    };
    values.body = body;
    if let Err(error) = outcome {
        values.refuse_body(format!("{}: {error}", processor.name()));
    }
}

/// Why a body could not be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("more than the limit of arguments")]
    Arguments,
    #[error("nested deeper than the limit")]
    Depth,
    #[error("not JSON at byte {0}")]
    Json(usize),
    #[error("not XML at byte {0}")]
    Xml(usize),
    #[error("a reference to an XML entity of the document's own")]
    XmlEntity,
    #[error("an XML element with more than {} attributes", limits::XML_ATTRIBUTES)]
    XmlAttributes,
    #[error("elements nested deeper than {}", limits::XML_DEPTH)]
    XmlDepth,
    #[error("the Content-Encoding cannot be undone")]
    Coding,
    #[error("no usable boundary in Content-Type")]
    Boundary,
    #[error("more than {} parts", limits::MULTIPART_PARTS)]
    Parts,
    #[error("a part's headers at byte {0} are malformed or too long")]
    PartHeaders(usize),
    #[error("a part at byte {0} does not end with the boundary")]
    PartEnd(usize),
}

/// One argument of the body.
fn argument(values: &mut Values, options: &Options, name: Vec<u8>, value: Vec<u8>) -> Result<(), BodyError> {
    if values.args_get.len() + values.args_post.len() >= options.arguments_limit {
        return Err(BodyError::Arguments);
    }
    values.args_post.push((name, value));
    Ok(())
}

/// The JSON reader alone, every leaf to `leaf`.
#[cfg(any(test, fuzzing))]
pub fn json_read(text: &[u8], depth_max: usize, leaf: json::Leaf<'_>) -> Result<(), BodyError> {
    json::read(text, Extent::Whole, depth_max, leaf)
}

#[cfg(test)]
mod tests;
