//! How a fleet's nodes come, stay and go: inventory, tokens, joining, starting, dying.

use std::process::Output;

use anyhow::{Context, Result, ensure};

use super::{ControlPlane, Fleet, sheet};
use crate::lab::{Carrier, Lab, Node};

impl Fleet {
    /// All nodes into the inventory; what the operator is shown.
    ///
    /// # Errors
    /// The control plane refuses.
    pub fn apply_inventory(&self) -> Result<String> {
        let names = self.seats.iter().copied().zip(self.lab.nodes.iter().map(Node::name));
        let file = self.file("inventory.toml", &sheet::inventory(names))?;
        self.control.operator(&["fleet", "apply", &file, "--yes"])
    }

    /// A token with which one node may join once.
    ///
    /// # Errors
    /// The control plane refuses.
    pub fn token(&self, index: usize) -> Result<String> {
        let node = self.lab.nodes.get(index).context("a node of the fleet")?;
        Ok(self.control.operator(&["fleet", "token", node.name()])?.trim().to_owned())
    }

    /// Makes a node a member of the fleet; gives the token back, which is used now.
    ///
    /// # Errors
    /// It is refused.
    pub fn join(&self, index: usize) -> Result<String> {
        let token = self.token(index)?;
        let node = self.lab.nodes.get(index).context("a node of the fleet")?;
        let output = node.join(&ControlPlane::sync_url(), &token)?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} may not join: {}", node.name(), complaint.trim());
        Ok(token)
    }

    /// The same with a token that was used before, in a state directory in which nothing lies: what it says.
    ///
    /// # Errors
    /// The files cannot be laid.
    pub fn join_again(&self, index: usize, token: &str) -> Result<Output> {
        let node = self.lab.nodes.get(index).context("a node of the fleet")?;
        node.join_as_stranger(&self.lab.run, &ControlPlane::sync_url(), token)
    }

    /// Starts all nodes at once and waits until all of them serve.
    ///
    /// # Errors
    /// One ends or does not become ready in time.
    pub fn start_nodes(&mut self) -> Result<()> {
        let Lab { nodes, run, .. } = &mut self.lab;
        nodes.iter_mut().try_for_each(|node| node.begin(run))?;
        nodes.iter_mut().try_for_each(Node::wait_ready)
    }

    /// The same with those of one carrier.
    ///
    /// # Errors
    /// As [`Fleet::start_nodes`].
    pub fn start_nodes_of(&mut self, carrier: Carrier) -> Result<()> {
        let Lab { nodes, run, .. } = &mut self.lab;
        for node in nodes.iter_mut().filter(|node| node.carrier == carrier) {
            node.begin(run)?;
        }
        nodes.iter_mut().filter(|node| node.carrier == carrier).try_for_each(Node::wait_ready)
    }

    /// Ends all nodes' daemons as a crash would.
    ///
    /// # Errors
    /// One does not run.
    pub fn kill_nodes(&mut self) -> Result<()> {
        self.lab.nodes.iter_mut().try_for_each(Node::kill)
    }
}
