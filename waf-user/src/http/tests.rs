//! Tables of raw bytes and what is made of them, and properties over all bytes.

mod body;
mod properties;
mod request;
mod response;
mod write;
