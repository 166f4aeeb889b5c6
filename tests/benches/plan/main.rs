//! What a plan for one sheet costs (target C1), and how that grows with the environments that are there already.
//! `cargo bench -p waf-tests --bench plan`.

#[path = "../../sim/random.rs"]
mod random;
#[path = "../../sim/world.rs"]
mod world;

use std::hint::black_box;
use std::time::{Duration, Instant};

use waf_user::control::capacity::Rates;
use waf_user::control::environment::State;
use waf_user::control::inventory::Inventory;
use waf_user::control::plan::{Plan, Wish, plan};
use waf_user::control::sheet::Sheet;

use random::Random;
use world::{BEGIN, nodes, policy, serve, sheet, site_name};

/// What must and should be: C1.
const MUST: Duration = Duration::from_millis(100);
const AIM: Duration = Duration::from_millis(10);

const NODES: usize = 200;
const ROUNDS: usize = 5;
const PLANS: u64 = 200;

fn main() {
    // `cargo test --benches` passes this and wants no measurement.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("plan for one sheet, {NODES} nodes, median of {ROUNDS} x {PLANS} plans, microseconds each");
    println!(
        "{:>12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>10}",
        "environments", "new", "same", "in place", "move", "refused", "apply"
    );
    for environments in [100, 1_000, 10_000, 100_000] {
        let (inventory, mut state) = filled(environments);
        let one = |wish: &dyn Fn(u64) -> Wish| {
            median(|at| {
                black_box(plan(&[wish(at)], &inventory, &state, &policy(), BEGIN));
            })
        };
        let new = one(&|at| serve(small(environments + at)));
        let same = one(&|at| serve(small(at * 7 % environments)));
        let in_place = one(&|at| serve(raised(at * 7 % environments, 3)));
        let moved = one(&|at| Wish::Move { fqdn: site_name(at * 7 % environments) });
        let refused = one(&|at| serve(raised(environments + at, 100_000_000)));
        let mut at = environments;
        let apply = median(|_| {
            let plan = plan(&[serve(small(at))], &inventory, &state, &policy(), BEGIN);
            at += 1;
            apply(&mut state, &plan);
        });
        let worst = [new, same, in_place, moved, refused].into_iter().max().unwrap_or_default();
        let us = |duration: Duration| format!("{:.1}", duration.as_secs_f64() * 1e6);
        println!(
            "{environments:>12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>10}",
            us(new),
            us(same),
            us(in_place),
            us(moved),
            us(refused),
            us(apply)
        );
        if environments == 10_000 {
            let word = |limit: Duration| if worst <= limit { "kept" } else { "missed" };
            println!("C1: worst {} us; must 100 ms {}, aim 10 ms {}", us(worst), word(MUST), word(AIM));
        }
    }
    let begin = Instant::now();
    let (_, state) = filled(10_000);
    println!(
        "one plan for 10,000 new sheets, and applied: {} ms, {} environments",
        begin.elapsed().as_millis(),
        state.environments().len()
    );
}

fn apply(state: &mut State, plan: &Plan) {
    state.apply(plan).expect("planned against this very state");
}

/// All sites of the fleet in one plan.
fn filled(environments: u64) -> (Inventory, State) {
    let mut random = Random(7);
    let inventory = Inventory::new(nodes(NODES, &mut random)).expect("a fleet without mistakes");
    let mut state = State::default();
    let wishes: Vec<Wish> = (0..environments).map(|at| serve(small(at))).collect();
    let plan = plan(&wishes, &inventory, &state, &policy(), BEGIN);
    assert!(plan.refusals.is_empty(), "{}", plan.refusals[0]);
    apply(&mut state, &plan);
    (inventory, state)
}

/// Small enough that a hundred thousand fit.
fn small(number: u64) -> Sheet {
    raised(number, 1)
}

fn raised(number: u64, times: u64) -> Sheet {
    let mut sheet = sheet(site_name(number), &mut Random(number));
    let rate = 1 + number % 20;
    let handshakes_s = u64::from(sheet.peak.handshakes_s > 0);
    sheet.peak = Rates { requests_s: rate * times, mbit_s: rate * times, handshakes_s };
    sheet
}

/// Of one call; the calls of a round are timed together.
fn median(mut call: impl FnMut(u64)) -> Duration {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            (0..PLANS).for_each(&mut call);
            begin.elapsed() / u32::try_from(PLANS).expect("a small number")
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}
