//! `waf customer`: who owns sites.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;
use waf_user::control::api::words::{CustomerPut, Customers};

use super::Outcome;
use super::at_control::{AtControl, segment};
use super::show;

/// List, add and remove customers (operators).
#[derive(Args)]
#[command(
    after_help = "Examples:\n  waf customer put example --note \"Example Inc.\"\n  waf customer list\n\n\
    Exit codes: 0 done, 1 failed or refused, 2 wrong usage."
)]
pub struct Customer {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List all customers
    #[command(after_help = "Example:\n  waf customer list --json")]
    List(List),
    /// Add a customer, or change its note
    #[command(after_help = "Example:\n  waf customer put example --note \"Example Inc.\"")]
    Put(Put),
    /// Remove a customer without sites
    #[command(after_help = "Example:\n  waf customer remove example")]
    Remove(Remove),
}

#[derive(Args)]
struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Put {
    /// The customer's name
    name: String,
    /// Your remark
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

#[derive(Args)]
struct Remove {
    /// The customer's name
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

impl Customer {
    pub fn run(self) -> Outcome {
        let path = |name: &str| format!("/v1/customers/{}", segment(name));
        let (answer, json, done): (Value, bool, String) = match self.action {
            Action::List(list) => return list.run(),
            Action::Put(Put { name, note, json, at }) => {
                let answer = at.client()?.send(Method::PUT, &path(&name), &CustomerPut { note })?;
                (answer, json, format!("customer {name} is there"))
            }
            Action::Remove(Remove { name, json, at }) => (
                at.client()?.call(Method::DELETE, &path(&name))?,
                json,
                format!("customer {name} is removed"),
            ),
        };
        if json { show::json(&answer) } else { show::print(&show::lines(&done)) }
    }
}

impl List {
    fn run(self) -> Outcome {
        let customers: Customers = self.at.client()?.get("/v1/customers")?;
        if self.json {
            return show::json(&customers);
        }
        let rows: Vec<_> = customers
            .customers
            .into_iter()
            .map(|customer| [customer.name, customer.sites.to_string(), customer.note])
            .collect();
        show::table(["CUSTOMER", "SITES", "NOTE"], &rows)
    }
}
