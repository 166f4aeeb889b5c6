//! A tenant's typed settings -> what its transactions start from, prepared once.

use std::sync::Arc;

use super::values::FixedTx;

/// A tenant's settings. What is not set is as the rules say.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    fixed_tx: Arc<FixedTx>,
    response_bodies: Option<bool>,
}

/// The values that [`Settings`] are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// 1 to 4: which rules of the Core Rule Set run, and count.
    pub paranoia_level: Option<u8>,
    /// Score from which a request is refused.
    pub inbound_threshold: Option<u32>,
    /// Score from which an answer is refused.
    pub outbound_threshold: Option<u32>,
}

impl Settings {
    /// `response_bodies` is in place of SecResponseBodyAccess; ctl:responseBodyAccess reaches it. The levels are TX variables under the names that CRS 3 and 4
    /// read; no rule changes them.
    pub fn new(levels: Levels, response_bodies: Option<bool>) -> Self {
        let paranoia = levels.paranoia_level.map(u32::from);
        let named = [
            ("paranoia_level", paranoia),
            ("executing_paranoia_level", paranoia),
            ("blocking_paranoia_level", paranoia),
            ("detection_paranoia_level", paranoia),
            ("inbound_anomaly_score_threshold", levels.inbound_threshold),
            ("outbound_anomaly_score_threshold", levels.outbound_threshold),
        ];
        let bytes = |text: &str| text.as_bytes().to_vec();
        let set =
            named.into_iter().filter_map(|(name, value)| Some((bytes(name), bytes(&value?.to_string()))));
        Self { fixed_tx: Arc::new(set.collect()), response_bodies }
    }

    pub(super) fn fixed_tx(&self) -> &Arc<FixedTx> {
        &self.fixed_tx
    }

    pub(super) fn response_bodies(&self) -> Option<bool> {
        self.response_bodies
    }
}
