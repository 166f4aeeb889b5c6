//! Where everything of a node's kernel half lies: `/run/waf/<node>/bpf/v<schema>/{maps,progs,links}`. Opens nothing.

use std::path::{Path, PathBuf};

use waf_common::names::{BPF_DIR, LINKS_DIR, MAPS_DIR, PROGRAMS_DIR, RUN_DIR, SCHEMA};

use crate::model::NodeName;

/// The paths of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    node: PathBuf,
}

impl Pins {
    pub fn of(node: &NodeName) -> Self {
        Self { node: Path::new(RUN_DIR).join(node.as_str()) }
    }

    /// `/run/waf/<node>`
    pub fn node(&self) -> &Path {
        &self.node
    }

    /// Mount point of the node's own bpffs.
    pub fn mount(&self) -> PathBuf {
        self.node.join(BPF_DIR)
    }

    /// Directory of this map layout.
    pub fn schema(&self) -> PathBuf {
        self.mount().join(format!("v{SCHEMA}"))
    }

    pub fn maps(&self) -> PathBuf {
        self.schema().join(MAPS_DIR)
    }

    pub fn programs(&self) -> PathBuf {
        self.schema().join(PROGRAMS_DIR)
    }

    pub fn links(&self) -> PathBuf {
        self.schema().join(LINKS_DIR)
    }

    pub fn map(&self, name: &str) -> PathBuf {
        self.maps().join(name)
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name)
    }

    pub fn link(&self, name: &str) -> PathBuf {
        self.links().join(name)
    }
}
