//! `/v1/plans`: wishes become a plan, which is looked at and then applied. There is no other way to change a site.

use std::sync::Arc;

use axum::extract::State;

use super::body::{Json, LONG_BODY_BYTES_MAX, Named};
use super::caller::{Caller, Operator};
use super::kept::Kept;
use super::refused::{Refused, sheet_mistakes};
use super::words::{Applied, EvacuationNew, Mistake, PlanDetail, PlanNew, PlanView, SheetFormat, WishNew};
use super::{Api, show};
use crate::control::change::Change;
use crate::control::environment::Customer;
use crate::control::ledger::{LedgerError, View};
use crate::control::plan::{self, Action, Notice, Plan, Refusal, Wish};
use crate::control::sheet::{self, Format, Upload};
use crate::model::{Fqdn, Wall};

/// Wishes of one plan: a plan is made while everybody waits.
const WISHES_MAX: usize = 10_000;
/// Bytes of the sheets of a customer's plan, which waits in memory: eight of the longest, some hundred with certificates.
const SHEETS_BYTES_MAX: usize = 2 * 1024 * 1024;

type Read = (Vec<Wish>, Vec<(Fqdn, Upload)>);

/// Makes a plan of wishes, and changes nothing.
#[utoipa::path(post, path = "/v1/plans", request_body = PlanNew, responses((status = 200, body = PlanView)))]
pub async fn make(
    State(api): State<Api>,
    caller: Caller,
    Json(new): Json<PlanNew, LONG_BODY_BYTES_MAX>,
) -> Result<axum::Json<PlanView>, Refused> {
    let (known, now) = (api.ledger.view(), (api.clock)());
    let (wishes, uploads) = read(&caller, &known, new, now)?;
    keep(&api, &caller, &known, &wishes, uploads, now)
}

/// Makes a plan that moves sites away from draining and dead nodes, for operators.
#[utoipa::path(post, path = "/v1/plans/evacuation", request_body = EvacuationNew, responses((status = 200, body = PlanView)))]
pub async fn evacuate(
    State(api): State<Api>,
    Operator(caller): Operator,
    Json(new): Json<EvacuationNew>,
) -> Result<axum::Json<PlanView>, Refused> {
    let (known, now) = (api.ledger.view(), (api.clock)());
    let moves_max = usize::try_from(new.moves_max).unwrap_or(usize::MAX).min(WISHES_MAX);
    let wishes = plan::evacuate(&known.inventory, &known.state, moves_max);
    keep(&api, &caller, &known, &wishes, Vec::new(), now)
}

/// A plan that waits.
#[utoipa::path(get, path = "/v1/plans/{id}", params(("id" = String, Path)), responses((status = 200, body = PlanView)))]
pub async fn one(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named,
) -> Result<axum::Json<PlanView>, Refused> {
    Ok(axum::Json(view(find(&api, &caller, &id)?.as_ref())))
}

/// A plan with nodes, loads and reasons, for operators.
#[utoipa::path(get, path = "/v1/plans/{id}/detail", params(("id" = String, Path)), responses((status = 200, body = PlanDetail)))]
pub async fn detail(
    State(api): State<Api>,
    Operator(caller): Operator,
    Named(id): Named,
) -> Result<axum::Json<PlanDetail>, Refused> {
    let kept = find(&api, &caller, &id)?;
    Ok(axum::Json(PlanDetail { id, revision: kept.plan.revision.0, text: kept.plan.to_string() }))
}

/// Makes a plan true. One that was made against an older revision is refused with 409.
#[utoipa::path(post, path = "/v1/plans/{id}/apply", params(("id" = String, Path)), responses((status = 200, body = Applied)))]
pub async fn apply(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named,
) -> Result<axum::Json<Applied>, Refused> {
    let kept = find(&api, &caller, &id)?;
    let applied = api.ledger.apply(&kept.plan, kept.uploads.clone(), &caller.actor(), (api.clock)()).await;
    // Applied or stale, it will not be good again; where the store failed it may be tried again.
    if applied.as_ref().map_or_else(LedgerError::is_stale, |_| true) {
        api.plans.forget(&id);
    }
    Ok(axum::Json(Applied {
        revision: applied?.revision.0,
        notices: kept.notices.iter().map(show::notice).collect(),
    }))
}

/// Those of a customer are its own wishes on its own sites; all that is wrong at once.
fn read(caller: &Caller, known: &View, new: PlanNew, now: Wall) -> Result<Read, Refused> {
    if new.wishes.is_empty() || new.wishes.len() > WISHES_MAX {
        let what = format!("{} wishes, 1 to {WISHES_MAX} can be planned at once", new.wishes.len());
        return Err(Refused::field("wishes", what, ""));
    }
    let sheets_bytes: usize = new.wishes.iter().map(WishNew::sheet_bytes).sum();
    if !caller.is_operator() && sheets_bytes > SHEETS_BYTES_MAX {
        let what = format!("sheets of {sheets_bytes} bytes, {SHEETS_BYTES_MAX} can be planned at once");
        return Err(Refused::field("wishes", what, "plan them in parts"));
    }
    let (mut wishes, mut uploads, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
    for (at, wish) in new.wishes.into_iter().enumerate() {
        let field = format!("wishes[{at}]");
        let operators = matches!(wish, WishNew::Move { .. } | WishNew::Close { .. });
        if operators && !caller.is_operator() {
            return Err(Refused::operators_only());
        }
        let fqdn = |name: &str| caller.site(known, name).map(|site| site.fqdn.clone());
        wishes.push(match wish {
            WishNew::Serve { sheet, format, customer } => {
                let customer = whose(caller, known, customer, &field, &mut mistakes);
                let read = read_sheet(&sheet, format, &field, now, &mut mistakes);
                let (Some(customer), Some(read)) = (customer, read) else { continue };
                let there = known.state.sites().get(&read.sheet.fqdn);
                if there.is_some_and(|site| site.customer != customer) {
                    return Err(taken(&read.sheet.fqdn));
                }
                uploads.extend(read.upload.map(|upload| (read.sheet.fqdn.clone(), upload)));
                Wish::Serve { customer, sheet: Arc::new(read.sheet) }
            }
            WishNew::Move { fqdn: name } => Wish::Move { fqdn: fqdn(&name)? },
            WishNew::RollBack { fqdn: name } => Wish::RollBack { fqdn: fqdn(&name)? },
            WishNew::Close { fqdn: name } => Wish::Close { fqdn: fqdn(&name)? },
            WishNew::Remove { fqdn: name } => Wish::Remove { fqdn: fqdn(&name)? },
        });
    }
    if mistakes.is_empty() { Ok((wishes, uploads)) } else { Err(Refused::mistakes(mistakes)) }
}

/// 403: it says no more than that the name is taken.
fn taken(fqdn: &Fqdn) -> Refused {
    let cure = "ask us, if the name is yours";
    Refused::new(axum::http::StatusCode::FORBIDDEN, format!("{fqdn} cannot be planned with this token"), cure)
}

fn whose(
    caller: &Caller,
    known: &View,
    named: Option<String>,
    field: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<Customer> {
    let mut mistake = |error: String, cure: &str| {
        mistakes.push(Mistake { field: format!("{field}.customer"), error, cure: cure.to_owned() });
        None
    };
    match (caller.customer(), named) {
        (Some(own), None) => Some(own.clone()),
        (Some(own), Some(named)) if own.as_str() == named => Some(own.clone()),
        (Some(_), Some(_)) => mistake("is not this token's customer".to_owned(), "leave it out"),
        (None, None) => mistake("is required".to_owned(), "say whose site it is"),
        (None, Some(named)) => match Customer::new(&named) {
            Ok(customer) if known.customers.contains_key(&customer) => Some(customer),
            Ok(_) => mistake(format!("there is no customer {named}"), "make it: waf customer put"),
            Err(error) => mistake(error.to_string(), ""),
        },
    }
}

fn read_sheet(
    text: &str,
    format: SheetFormat,
    field: &str,
    now: Wall,
    mistakes: &mut Vec<Mistake>,
) -> Option<sheet::Submission> {
    let format = match format {
        SheetFormat::Toml => Format::Toml,
        SheetFormat::Json => Format::Json,
    };
    match sheet::parse(text, format, now) {
        Ok(submission) => Some(submission),
        Err(errors) => {
            mistakes.extend(sheet_mistakes(&format!("{field}.sheet"), errors));
            None
        }
    }
}

fn keep(
    api: &Api,
    caller: &Caller,
    known: &View,
    wishes: &[Wish],
    uploads: Vec<(Fqdn, Upload)>,
    now: Wall,
) -> Result<axum::Json<PlanView>, Refused> {
    let plan = plan::plan(wishes, &known.inventory, &known.state, &known.policy, now);
    let mut notices: Vec<Notice> =
        plan.decisions.iter().map(|decision| Notice::new(decision, &known.inventory)).collect();
    notices.extend(plan.refusals.iter().filter_map(Notice::of_refusal));
    let refusals = plan.refusals.iter().map(refusal).collect();
    // The certificate of a wish that is refused goes nowhere.
    let served = |fqdn: &Fqdn| plan.decisions.iter().any(|decision| decision.fqdn == *fqdn);
    let uploads = uploads.into_iter().filter(|(fqdn, _)| served(fqdn)).collect();
    let (id, owner, expires) = (String::new(), caller.token.id.clone(), now);
    let kept = Kept { id, owner, plan, uploads, notices, refusals, expires };
    Ok(axum::Json(view(api.plans.keep(kept, now)?.as_ref())))
}

/// In words that name no node, carrier or region.
fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoRoom { fqdn, .. } => format!("{fqdn} cannot be served with this peak at the moment"),
        Refusal::OldIsGone { fqdn, .. } => {
            format!("{fqdn} cannot go back: its old environment serves no more")
        }
        Refusal::Numbers(_) => "no more environments can be opened".to_owned(),
        Refusal::Twice(_)
        | Refusal::Unknown(_)
        | Refusal::Foreign(_)
        | Refusal::MoveUnderWay(_)
        | Refusal::NoOld(_) => refusal.to_string(),
    }
}

fn view(kept: &Kept) -> PlanView {
    PlanView {
        id: kept.id.clone(),
        revision: kept.plan.revision.0,
        expires: show::moment(kept.expires),
        changes: changes(&kept.plan),
        notices: kept.notices.iter().map(show::notice).collect(),
        refusals: kept.refusals.clone(),
    }
}

fn changes(plan: &Plan) -> bool {
    plan.decisions.iter().any(|decision| decision.action != Action::Change(Change::Same))
}

/// Another's plan is answered as one that is not there.
fn find(api: &Api, caller: &Caller, id: &str) -> Result<Arc<Kept>, Refused> {
    let kept = api.plans.find(id, (api.clock)());
    kept.filter(|kept| caller.is_operator() || kept.owner == caller.token.id)
        .ok_or_else(|| Refused::no_plan(id))
}
