//! @ipMatchFromFile, @ipMatchF: as @ipMatch, with one address or network a line of the file.
//!
//! Argument: a file name relative to the rule file; `#` and what follows it are left out.
//!
//! Example: `SecRule REMOTE_ADDR "@ipMatchFromFile bad.data" "id:1,phase:1,deny"`

use super::{ArgumentError, Hit, IpMatch, ReadData};
use crate::engine::values::Values;

/// @ipMatchFromFile.
#[derive(Clone, Debug)]
pub struct IpMatchFromFile {
    networks: IpMatch,
}

impl IpMatchFromFile {
    /// # Errors
    /// A file that cannot be read, or a line that is no network.
    pub fn new(argument: &[u8], data: ReadData<'_>) -> Result<Self, ArgumentError> {
        let path = String::from_utf8_lossy(argument).trim().to_owned();
        let text = data(&path).map_err(|source| ArgumentError::DataFile { path, source })?;
        let lines = text.split(|byte| *byte == b'\n');
        let networks =
            lines.filter_map(|line| line.split(|byte| *byte == b'#').next()).map(<[u8]>::trim_ascii);
        let networks: Vec<&[u8]> = networks.filter(|line| !line.is_empty()).collect();
        Ok(Self { networks: IpMatch::new(&networks.join(b",".as_slice()))? })
    }

    /// Hot: per value.
    pub fn matches(&self, value: &[u8], values: &Values) -> Hit {
        self.networks.matches(value, values)
    }
}
