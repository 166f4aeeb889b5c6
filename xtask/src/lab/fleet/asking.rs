//! What a fleet's operator and its customer ask of the control plane, by the commands that they would type.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{CUSTOMER, Fleet, Person, SHEETS, Sheet};
use crate::lab::CARRIERS;

/// What a customer is told of a change of one site.
#[derive(Clone, Debug)]
pub struct Notice {
    pub en: String,
    pub ja: String,
}

impl Fleet {
    /// What sheets would change, as the operator is shown it.
    ///
    /// # Errors
    /// The control plane refuses.
    pub fn plan(&self, sheets: &[Sheet]) -> Result<String> {
        let files = self.sheet_files(sheets)?;
        let words = ["site", "plan"].into_iter().chain(files.iter().map(String::as_str));
        self.control.operator(&words.chain(["--customer", CUSTOMER]).collect::<Vec<_>>())
    }

    /// Applies sheets as the operator, and waits until they are served. Returns the notices, each as the customer gets it.
    ///
    /// # Errors
    /// The control plane refuses, or the fleet does not serve by them in time.
    pub fn apply(&mut self, sheets: &[Sheet]) -> Result<Vec<Notice>> {
        self.apply_by(&self.control.person().clone(), sheets, &["--customer", CUSTOMER])
    }

    /// The same by the customer's own hand.
    ///
    /// # Errors
    /// As [`Fleet::apply`].
    pub fn apply_as_customer(&mut self, sheets: &[Sheet]) -> Result<Vec<Notice>> {
        self.apply_by(&self.customer.clone(), sheets, &[])
    }

    fn apply_by(&mut self, person: &Person, sheets: &[Sheet], more: &[&str]) -> Result<Vec<Notice>> {
        let files = self.sheet_files(sheets)?;
        let words = ["site", "apply"].into_iter().chain(files.iter().map(String::as_str));
        let words: Vec<&str> = words.chain(more.iter().copied()).chain(["--yes", "--json"]).collect();
        let said = self.control.as_person(person, &words)?;
        for sheet in sheets {
            self.sheets.retain(|have| have.fqdn != sheet.fqdn);
            self.sheets.push(*sheet);
        }
        self.settle()?;
        let applied: Value =
            serde_json::from_str(&said).with_context(|| format!("waf site apply says: {said}"))?;
        self.revision = applied["revision"].as_u64().context("an apply without revision")?;
        let notices = applied["notices"].as_array().into_iter().flatten();
        let text = |notice: &Value, field: &str| notice[field].as_str().unwrap_or_default().to_owned();
        Ok(notices.map(|it| Notice { en: text(it, "text_en"), ja: text(it, "text_ja") }).collect())
    }

    /// What the control plane says of every node, in the order of their names.
    ///
    /// # Errors
    /// It does not answer.
    pub fn standings(&self) -> Result<Vec<Value>> {
        let list = self.control.operator_json(&["fleet", "list"])?;
        let nodes = list["nodes"].as_array().cloned().unwrap_or_default();
        ensure!(nodes.len() == self.seats.len(), "{} nodes of {} are listed", nodes.len(), self.seats.len());
        Ok(nodes.into_iter().map(|mut node| node["standing"].take()).collect())
    }

    /// Whether every node is connected, ready and serves what it is to serve.
    ///
    /// # Errors
    /// The control plane does not answer.
    pub fn is_converged(&self) -> Result<bool> {
        let standings = self.standings()?;
        Ok(standings.iter().all(|it| it["is_ready"] == true && it["is_current"] == true))
    }

    /// Whether the nodes that serve a site do so as of the last apply, by which something of theirs was changed.
    ///
    /// # Errors
    /// The control plane does not answer, or has no such site.
    pub fn is_up_to_date(&self, fqdn: &str) -> Result<bool> {
        let standings = self.standings()?;
        let generation = |carrier| -> Result<u64> {
            let place = self.lab.place(fqdn, carrier)?;
            Ok(standings.get(place.node).and_then(|it| it["generation"].as_u64()).unwrap_or(0))
        };
        let [a, b] = CARRIERS.map(generation);
        Ok(a?.min(b?) >= self.revision)
    }

    /// Where the environments of a site lie, as `waf site show --json` tells an operator.
    ///
    /// # Errors
    /// The control plane has no such site.
    pub fn site(&self, fqdn: &str) -> Result<Value> {
        self.control.operator_json(&["site", "show", fqdn])
    }

    fn sheet_files(&self, sheets: &[Sheet]) -> Result<Vec<String>> {
        let file = |sheet: &Sheet| {
            let at = SHEETS.iter().position(|it| it.fqdn == sheet.fqdn);
            let certificate = at.and_then(|at| self.certificates.get(at)).context("a site of the fleet")?;
            self.file(&format!("{}.toml", sheet.fqdn), &sheet.text(certificate)?)
        };
        sheets.iter().map(file).collect()
    }
}
