//! `waf token`: who may ask the control plane for what.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;
use waf_user::control::api::words::{RoleView, TokenMade, TokenNew, TokenView, Tokens};

use super::Outcome;
use super::at_control::{AtControl, segment};
use super::show;

/// Make, list and revoke the tokens of the API (operators).
#[derive(Args)]
#[command(
    after_help = "Examples:\n  waf token new --customer example --note \"Example Inc., web team\" --days 90\n  \
    waf token new --operator --note \"night shift\"\n  waf token list\n  waf token revoke ID\n\n\
    Exit codes: 0 done, 1 failed or refused, 2 wrong usage."
)]
pub struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a token; its text is shown this one time
    #[command(
        after_help = "Example:\n  (umask 077; waf token new --customer example --note \"web team\" > example.token)"
    )]
    New(New),
    /// List all tokens, without their texts
    #[command(after_help = "Example:\n  waf token list --json")]
    List(List),
    /// A token is good for nothing any more
    #[command(after_help = "Example:\n  waf token revoke ID")]
    Revoke(Revoke),
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("role").required(true).args(["operator", "customer"]))]
struct New {
    /// Good for everything
    #[arg(long)]
    operator: bool,
    /// Good for this customer's sites
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// Who has it, for the audit log
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// How long it is good for; until it is revoked where nothing is said
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
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
struct Revoke {
    /// The token's id, as `waf token list` shows it
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtControl,
}

impl Token {
    pub fn run(self) -> Outcome {
        match self.action {
            Action::New(new) => new.run(),
            Action::List(list) => list.run(),
            Action::Revoke(Revoke { id, json, at }) => {
                let answer: Value =
                    at.client()?.call(Method::DELETE, &format!("/v1/tokens/{}", segment(&id)))?;
                if json { show::json(&answer) } else { show::print(&show::lines(&format!("revoked: {id}"))) }
            }
        }
    }
}

impl New {
    fn run(self) -> Outcome {
        let role = if self.operator { RoleView::Operator } else { RoleView::Customer };
        let question = TokenNew { role, customer: self.customer, note: self.note, days: self.days };
        let made: TokenMade = self.at.client()?.send(Method::POST, "/v1/tokens", &question)?;
        if self.json {
            return show::json(&made);
        }
        let ends = made.view.expires.as_deref().unwrap_or("revoked");
        eprint!("{}", show::lines(&format!("token {}, good until {ends}:", made.view.id)));
        show::print(&show::lines(&made.token))
    }
}

impl List {
    fn run(self) -> Outcome {
        let tokens: Tokens = self.at.client()?.get("/v1/tokens")?;
        if self.json {
            return show::json(&tokens);
        }
        let rows: Vec<_> = tokens.tokens.into_iter().map(row).collect();
        show::table(["ID", "FOR", "NOTE", "MADE", "EXPIRES"], &rows)
    }
}

fn row(token: TokenView) -> [String; 5] {
    let whom = match token.role {
        RoleView::Operator => "operator".to_owned(),
        RoleView::Customer => format!("customer {}", token.customer.unwrap_or_default()),
    };
    [token.id, whom, token.note, token.made, token.expires.unwrap_or_else(|| "never".to_owned())]
}
