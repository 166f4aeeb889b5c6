//! Wishes -> a plan that is shown, and applied when it is agreed to.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;
use serde::Serialize;
use serde_json::Value;
use waf_user::control::api::words::{
    Applied, Language, NoticeView, OutcomeView, PlanDetail, PlanNew, PlanView, Problem, SheetFormat, WishNew,
};
use waf_user::control::client::{Client, ClientError};

use super::Outcome;
use super::at_control::{is_operator, segment};
use super::show;

/// More notices than this are shown as a table: nobody reads on.
const NOTICES_WHOLE_MAX: usize = 10;
/// Bytes of a sheet's file; the control plane takes 256 KiB and says more about it than we could.
const SHEET_BYTES_MAX: u64 = 1024 * 1024;

/// How a plan is shown and agreed to.
#[derive(Args)]
pub struct Manner {
    /// Apply it unasked
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    shown: Shown,
}

/// How a plan is shown.
#[derive(Args)]
pub struct Shown {
    /// Language of the notices: en or ja
    #[arg(long, default_value = "en", value_parser = language)]
    language: Language,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "en" => Ok(Language::En),
        "ja" => Ok(Language::Ja),
        _ => Err("write en or ja".to_owned()),
    }
}

/// The plan, and for operators what is behind it.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    plan: &'a PlanView,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// A wish for each sheet. `customer`: whose sites they are, where an operator asks.
pub fn wishes(files: &[PathBuf], customer: Option<&str>) -> Result<Vec<WishNew>, Box<dyn Error>> {
    files
        .iter()
        .map(|path| {
            let format = match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => SheetFormat::Json,
                _ => SheetFormat::Toml,
            };
            Ok(WishNew::Serve { sheet: read(path)?, format, customer: customer.map(str::to_owned) })
        })
        .collect()
}

fn read(path: &Path) -> Result<String, Box<dyn Error>> {
    let fail = |error: std::io::Error| format!("read {}: {error}", path.display());
    if std::fs::metadata(path).map_err(fail)?.len() > SHEET_BYTES_MAX {
        return Err(format!("{} is no sheet: longer than {SHEET_BYTES_MAX} bytes", path.display()).into());
    }
    Ok(std::fs::read_to_string(path).map_err(fail)?)
}

/// Makes a plan and shows it. `files`: of the wishes, in their order; none where they come from no files.
pub fn plan(client: &mut Client, files: &[PathBuf], wishes: Vec<WishNew>, shown: &Shown) -> Outcome {
    let plan = ask(client, files, wishes)?;
    let detail = detail(client, &plan)?;
    if shown.json {
        show::json(&Whole { plan: &plan, detail: detail.as_deref() })?;
    } else {
        show::print(&describe(&plan, detail.as_deref(), shown.language))?;
    }
    refused(&plan)
}

/// Makes a plan, shows it, and applies it when it is agreed to.
pub fn apply(client: &mut Client, files: &[PathBuf], wishes: Vec<WishNew>, manner: &Manner) -> Outcome {
    let plan = ask(client, files, wishes)?;
    apply_plan(client, &plan, manner)
}

fn ask(client: &mut Client, files: &[PathBuf], wishes: Vec<WishNew>) -> Result<PlanView, ClientError> {
    client.send(Method::POST, "/v1/plans", &PlanNew { wishes }).map_err(|error| match error {
        ClientError::Refused(mut refused) => {
            if let Some(problem) = &mut refused.problem {
                name_files(problem, files);
            }
            ClientError::Refused(refused)
        }
        other => other,
    })
}

/// `wishes[1].sheet: peak` -> `shop.toml: peak`: what the mistakes are in, as it was named to us.
fn name_files(problem: &mut Problem, files: &[PathBuf]) {
    let named = |field: &str| {
        let (at, rest) = field.strip_prefix("wishes[")?.split_once("].")?;
        let file = files.get(at.parse::<usize>().ok()?)?.display();
        Some(match rest.strip_prefix("sheet: ") {
            Some(place) => format!("{file}: {place}"),
            None => format!("{file}: --{rest}"),
        })
    };
    for mistake in &mut problem.mistakes {
        let Some(field) = named(&mistake.field) else { continue };
        if problem.detail == format!("{}: {}", mistake.field, mistake.error) {
            problem.detail = format!("{field}: {}", mistake.error);
        }
        mistake.field = field;
    }
}

/// Shows a plan that was made, and applies it when it is agreed to.
pub fn apply_plan(client: &mut Client, plan: &PlanView, manner: &Manner) -> Outcome {
    let shown = &manner.shown;
    let detail = detail(client, plan)?;
    let text = describe(plan, detail.as_deref(), shown.language);
    if shown.json {
        eprint!("{text}");
    } else {
        show::print(&text)?;
    }
    refused(plan)?;
    if !plan.changes {
        return if shown.json { show::json(&Value::Null) } else { show::print("nothing to change\n") };
    }
    if !show::agreed("Apply this plan?", manner.yes)? {
        return Err("nothing was changed".into());
    }
    let applied: Applied = client.call(Method::POST, &format!("/v1/plans/{}/apply", segment(&plan.id)))?;
    if shown.json {
        return show::json(&applied);
    }
    show::print(&format!("applied: revision {}\n", applied.revision))?;
    show::print(&notices(&applied.notices, shown.language))
}

/// What an operator may see besides; none for a customer.
fn detail(client: &mut Client, plan: &PlanView) -> Result<Option<String>, Box<dyn Error>> {
    if !is_operator(client)? {
        return Ok(None);
    }
    let detail: PlanDetail = client.get(&format!("/v1/plans/{}/detail", segment(&plan.id)))?;
    Ok(Some(detail.text))
}

fn refused(plan: &PlanView) -> Outcome {
    match plan.refusals.len() {
        0 => Ok(()),
        n => Err(format!("{} cannot be met; nothing was changed", show::count(n, "wish")).into()),
    }
}

fn describe(plan: &PlanView, detail: Option<&str>, language: Language) -> String {
    if let Some(detail) = detail {
        return show::lines(detail);
    }
    let heading = if plan.changes { "planned, not applied; once it is applied, this is so:\n" } else { "" };
    let mut out = heading.to_owned() + &notices(&plan.notices, language);
    out.extend(plan.refusals.iter().map(|refusal| show::lines(&format!("refused: {refusal}"))));
    out
}

fn notices(notices: &[NoticeView], language: Language) -> String {
    if notices.len() > NOTICES_WHOLE_MAX {
        return notices.iter().map(|notice| show::lines(&short(notice))).collect();
    }
    let texts = notices.iter().map(|notice| match language {
        Language::En => show::lines(&notice.text_en),
        Language::Ja => show::lines(&notice.text_ja),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// One line of a notice.
fn short(notice: &NoticeView) -> String {
    let outcome = match notice.outcome {
        OutcomeView::Opened => "new",
        OutcomeView::Same => "same",
        OutcomeView::InPlace => "in place",
        OutcomeView::Move => "moves",
        OutcomeView::RolledBack => "rolled back",
        OutcomeView::OldClosed => "old environment closed",
        OutcomeView::Removed => "removed",
        OutcomeView::NoPlace => "no place for it",
        OutcomeView::MoveUnderWay => "its last move is under way",
    };
    let cname = notice.cname.as_deref().map(|cname| format!(", CNAME {cname}")).unwrap_or_default();
    let addresses: Vec<String> = notice.addresses.iter().map(ToString::to_string).collect();
    let addresses = match addresses.as_slice() {
        [] => String::new(),
        addresses => format!(", addresses {}", addresses.join(" ")),
    };
    format!("{}: {outcome}{cname}{addresses}", notice.fqdn)
}

#[cfg(test)]
mod tests {
    use waf_user::control::api::words::Mistake;

    use super::*;

    #[test]
    fn mistakes_name_the_file_they_are_in() {
        let files = ["a.toml".into(), "b.toml".into()];
        let table = [
            ("wishes[1].sheet: peak.mbit_s", "b.toml: peak.mbit_s"),
            ("wishes[0].customer", "a.toml: --customer"),
            ("wishes[2].sheet: peak", "wishes[2].sheet: peak"),
            ("wishes", "wishes"),
        ];
        for (field, expected) in table {
            let mistake = Mistake { field: field.into(), error: "is wrong".into(), cure: String::new() };
            let mut problem = Problem {
                title: String::new(),
                status: 422,
                detail: format!("{field}: is wrong"),
                cure: String::new(),
                mistakes: vec![mistake],
            };
            name_files(&mut problem, &files);
            assert_eq!(problem.to_string(), format!("{expected}: is wrong (422)"));
        }
    }
}
