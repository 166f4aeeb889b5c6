//! Two outcomes of the same tests -> where the full sets of logged rules differ.

use std::collections::BTreeSet;
use std::fmt;

use super::runner::Outcome;

/// How many tests log the same, and those that do not.
pub struct Comparison {
    tests: usize,
    pub differences: Vec<Difference>,
}

/// One test whose two logs differ.
pub struct Difference {
    pub id: String,
    /// Statuses here and there.
    statuses: [Vec<Option<u64>>; 2],
    only_node: BTreeSet<u64>,
    only_reference: BTreeSet<u64>,
}

impl Comparison {
    pub fn of(node: &Outcome, reference: &Outcome) -> Self {
        let mut comparison = Self { tests: 0, differences: Vec::new() };
        for (name, here) in &node.tests {
            let Some(there) = reference.tests.get(name) else { continue };
            comparison.tests += 1;
            // A test that failed on one side may have ended a stage earlier there.
            let pairs = || here.stages.iter().zip(&there.stages);
            let only = |turned: bool| -> BTreeSet<u64> {
                let pairs = pairs().map(|(here, there)| if turned { (there, here) } else { (here, there) });
                pairs.flat_map(|(one, other)| one.ids.difference(&other.ids)).copied().collect()
            };
            let (only_node, only_reference) = (only(false), only(true));
            if only_node.is_empty() && only_reference.is_empty() {
                continue;
            }
            comparison.differences.push(Difference {
                id: name.1.clone(),
                statuses: [here, there].map(|test| test.stages.iter().map(|stage| stage.status).collect()),
                only_node,
                only_reference,
            });
        }
        comparison
    }

    /// Of tests that log the same; 1 where there are none.
    pub fn share(&self) -> f64 {
        let same = self.tests - self.differences.len();
        if self.tests == 0 { 1.0 } else { same as f64 / self.tests as f64 }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = self.tests - self.differences.len();
        let percent = self.share() * 100.0;
        write!(f, "the same rules logged in {same} of {} tests ({percent:.2} %); others:", self.tests)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [here, there] = self.statuses.each_ref().map(|statuses| {
            let words =
                statuses.iter().map(|status| status.map_or("none".to_owned(), |status| status.to_string()));
            words.collect::<Vec<_>>().join(", ")
        });
        write!(f, "{}: status {here} (Apache {there})", self.id)?;
        for (name, ids) in [("node", &self.only_node), ("Apache", &self.only_reference)] {
            if !ids.is_empty() {
                write!(f, ", only {name} {ids:?}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
