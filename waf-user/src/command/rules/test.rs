//! `waf rules test`: regression tests of rules, in process.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use regex::Regex;
use serde_json::{Value, json};
use waf_user::engine::regression::{self, Ended, Kind, Runner};
use waf_user::engine::{Levels, Settings};

use super::{Found, sources};

/// Bytes of a test file: the largest of the Core Rule Set has 300 KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Run the regression tests of a rule set, in process.
///
/// Reads YAML as CRS 3.3 and CRS 4 write it (go-ftw). No socket is opened: each request is read leniently, judged, and
/// answered as the project's test server would answer it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  waf rules test crs-tests-3.3.4           against the Core Rule Set of Debian's package\n  \
    waf rules test coreruleset/tests/regression/tests \\\n      --rules coreruleset/crs-setup.conf.example coreruleset/rules/*.conf\n  \
    waf rules test my-tests --rules my-rules.conf --no-test-settings --paranoia-level 1\n  \
    waf rules test crs-tests-3.3.4 --include '^9421' --json\n\n\
    The tests of the Core Rule Set are written for the settings of its rule 900005: nothing is refused (DetectionOnly),\n\
    paranoia level 4, UTF-8 checked, limits on arguments and files, answers of text/plain, text/html, text/xml and\n\
    application/json looked at. They are put around the rules; --no-test-settings leaves the rules as they are.\n\n\
    Exit codes: 0 all passed, 1 some failed, 2 nothing could be run, or wrong usage."
)]
pub struct Test {
    /// Folders with test files (*.yaml, *.yml), or files
    #[arg(value_name = "DIR", required = true)]
    tests: Vec<PathBuf>,
    /// Rule files, patterns or folders; none: Debian's modsecurity-crs
    #[arg(long, value_name = "FILE", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// The rules as they are, without the settings that the Core Rule Set's tests ask for
    #[arg(long)]
    no_test_settings: bool,
    /// In place of what the rules say, as the tenant's setting
    #[arg(long, value_name = "N", requires = "no_test_settings", value_parser = clap::value_parser!(u8).range(1..=4))]
    paranoia_level: Option<u8>,
    /// Only tests whose id matches
    #[arg(long, value_name = "REGEX")]
    include: Option<Regex>,
    /// Not the tests whose id matches; --include wins
    #[arg(long, value_name = "REGEX")]
    exclude: Option<Regex>,
    /// Every test with the rules that matched, not only the failures
    #[arg(long, short)]
    verbose: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// One test with its file and what became of it.
struct Case {
    file: PathBuf,
    test: regression::Test,
    /// Why it is not run.
    skipped: Option<String>,
    ended: Option<Ended>,
}

/// Passed, failed, skipped.
#[derive(Clone, Copy, Default)]
struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Test {
    pub fn run(self) -> Found {
        let (mut cases, unreadable) = self.cases()?;
        if cases.iter().all(|case| case.skipped.is_some()) {
            let skipped = match cases.len() {
                0 => "no tests found".to_owned(),
                cases => format!("all {cases} tests are disabled or left out"),
            };
            let lines =
                std::iter::once(skipped).chain(unreadable.iter().map(|line| format!("unreadable {line}")));
            return Err(lines.collect::<Vec<_>>().join("\n").into());
        }
        let files = sources::read(&self.rules)?;
        let (files, settings) = if self.no_test_settings {
            let levels = Levels { paranoia_level: self.paranoia_level, ..Levels::default() };
            (files, Settings::new(levels, None))
        } else {
            (regression::with_test_settings(files), regression::test_settings())
        };
        let rules = sources::compile(&files)?;
        let now_unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let runner = Runner::new(rules, settings, u64::try_from(now_unix_ms).unwrap_or(u64::MAX));
        run_all(&runner, &mut cases, !self.json && io::stderr().is_terminal());
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", to_json(&cases, &unreadable))?;
        } else {
            self.print(&mut out, &cases, &unreadable)?;
        }
        Ok(unreadable.is_empty() && total(&cases).failed == 0)
    }

    /// Every test of every file, and the files that hold none.
    fn cases(&self) -> Result<(Vec<Case>, Vec<String>), String> {
        let mut paths = Vec::new();
        for path in &self.tests {
            find(path, &mut paths)?;
        }
        paths.sort();
        paths.dedup();
        let (mut cases, mut unreadable) = (Vec::new(), Vec::new());
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let read = read_text(&path).map_err(|error| error.to_string());
            let tests = read
                .and_then(|text| regression::read_tests(&text, &name).map_err(|error| super::chain(&error)));
            match tests {
                Err(reason) => unreadable.push(format!("{}: {reason}", path.display())),
                Ok(tests) => cases.extend(tests.into_iter().map(|test| Case {
                    file: path.clone(),
                    skipped: self.skip(&test),
                    test,
                    ended: None,
                })),
            }
        }
        Ok((cases, unreadable))
    }

    fn skip(&self, test: &regression::Test) -> Option<String> {
        let names =
            |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(&test.id));
        match () {
            () if !test.enabled => Some("disabled in its file".to_owned()),
            () if test.stages.is_empty() => Some("it has no stage".to_owned()),
            () if self.include.is_some() => (!names(&self.include)).then(|| "not included".to_owned()),
            () => names(&self.exclude).then(|| "excluded".to_owned()),
        }
    }

    fn print(&self, out: &mut impl Write, cases: &[Case], unreadable: &[String]) -> io::Result<()> {
        for line in unreadable {
            writeln!(out, "unreadable {line}")?;
        }
        for case in cases {
            match (&case.skipped, case.ended.as_ref().map(|ended| (&ended.failure, ended))) {
                (None, Some((Some((stage, reason)), _))) => {
                    writeln!(
                        out,
                        "failed {} ({}), stage {stage}: {reason}",
                        case.test.id,
                        case.test.kind().name()
                    )?;
                }
                (None, Some((None, ended))) if self.verbose => {
                    let ids: Vec<String> =
                        ended.stages.iter().flat_map(|stage| &stage.ids).map(u64::to_string).collect();
                    writeln!(out, "passed {}: {}", case.test.id, ids.join(" "))?;
                }
                (Some(reason), _) if self.verbose => writeln!(out, "skipped {}: {reason}", case.test.id)?,
                _ => {}
            }
        }
        for kind in Kind::ALL {
            let count = total(cases.iter().filter(|case| case.test.kind() == kind));
            writeln!(out, "{}: {count}", kind.name())?;
        }
        writeln!(out, "{}", total(cases))
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

fn total<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Count {
    let mut count = Count::default();
    for case in cases {
        match &case.ended {
            None => count.skipped += 1,
            Some(ended) if ended.failure.is_none() => count.passed += 1,
            Some(_) => count.failed += 1,
        }
    }
    count
}

/// On as many threads as there are CPUs; each takes the next test.
fn run_all(runner: &Runner, cases: &mut [Case], shows_progress: bool) {
    let wanted: Vec<usize> =
        cases.iter().enumerate().filter(|(_, case)| case.skipped.is_none()).map(|(index, _)| index).collect();
    let bar = if shows_progress { ProgressBar::new(wanted.len() as u64) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} tests, {eta} left") {
        bar.set_style(style);
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(wanted.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let shared: &[Case] = cases;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(index) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(case) = shared.get(*index) else { continue };
                    let ended = runner.run(&case.test);
                    if let Ok(mut results) = results.lock() {
                        results.push((*index, ended));
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    for (index, ended) in results.into_inner().unwrap_or_default() {
        if let Some(case) = cases.get_mut(index) {
            case.ended = Some(ended);
        }
    }
}

fn to_json(cases: &[Case], unreadable: &[String]) -> Value {
    let counted =
        |count: Count| json!({"passed": count.passed, "failed": count.failed, "skipped": count.skipped});
    let kinds: BTreeMap<&str, Value> = Kind::ALL
        .into_iter()
        .map(|kind| (kind.name(), counted(total(cases.iter().filter(|case| case.test.kind() == kind)))))
        .collect();
    let results: Vec<Value> = cases.iter().map(|case| {
        let stages: Vec<Value> = case.ended.iter().flat_map(|ended| &ended.stages).map(|stage| {
            json!({"status": stage.status, "ids": stage.ids, "no_answer": stage.no_answer})
        }).collect();
        let failure = case.ended.as_ref().and_then(|ended| ended.failure.as_ref());
        json!({
            "id": case.test.id, "rule": case.test.rule, "file": case.file, "kind": case.test.kind().name(),
            "result": match (&case.ended, failure) {
                (None, _) => "skipped",
                (Some(_), None) => "passed",
                (Some(_), Some(_)) => "failed",
            },
            "stage": failure.map(|(stage, _)| stage),
            "reason": failure.map(|(_, reason)| reason.as_str()).or(case.skipped.as_deref()),
            "stages": stages,
        })
    }).collect();
    let all = total(cases);
    json!({
        "passed": all.passed, "failed": all.failed, "skipped": all.skipped, "kinds": kinds,
        "unreadable": unreadable, "tests": results,
    })
}

/// Test files below a path.
fn find(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        let extension = entry.extension().unwrap_or_default();
        // A link to a folder above would never end.
        if entry.is_dir() && !entry.is_symlink() {
            find(&entry, found)?;
        } else if extension == "yaml" || extension == "yml" {
            found.push(entry);
        }
    }
    Ok(())
}

fn read_text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    fs::read_to_string(path)
}
