//! A demo that is stopped, killed, or fails leaves no namespace, mount, pin, process or folder.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xtask::lab::{netns, run, sweep};

use crate::stage;

/// From the signal to the end of everything.
const CLEARED: Duration = Duration::from_secs(30);

/// A demo under way, and what its run is called.
struct Demo {
    process: Child,
    run: String,
}

/// What becomes of the one who reads the demo's output after its first step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Stays,
    Leaves,
}

/// A demo on the finished binaries, past its first step, which names the nodes and so the run.
fn demo_under_way(waf: &Path, object: &Path, reader: Reader) -> Option<Demo> {
    let Some(xtask) = std::env::var_os("WAF_XTASK").map(PathBuf::from) else {
        println!("skipped: no WAF_XTASK");
        return None;
    };
    let mut command = Command::new(xtask);
    command.arg("demo").arg("--bin").arg(waf).arg("--object").arg(object);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    if reader == Reader::Leaves {
        command.stderr(Stdio::piped());
    }
    let mut child = command.spawn().expect("start the demo");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let first = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("ok"));
    let first = first.expect("the demo shows a step");
    let node = first.split_whitespace().find_map(|word| word.strip_prefix("a1-")).expect("a node's name");
    let run = node.to_owned();
    if reader == Reader::Stays {
        std::thread::spawn(move || lines.map_while(Result::ok).count());
    }
    Some(Demo { process: child, run })
}

fn wait(Demo { process, .. }: &mut Demo) -> Option<i32> {
    let deadline = Instant::now() + CLEARED;
    while Instant::now() < deadline {
        if let Some(status) = process.try_wait().expect("wait for the demo") {
            return status.code();
        }
        std::thread::yield_now();
    }
    panic!("the demo did not end within {CLEARED:?}");
}

/// Namespaces, node folders and run folders of a run.
fn left(run: &str) -> Vec<String> {
    let nodes = sweep::nodes().into_iter().map(|node| node.to_string_lossy().into_owned());
    let folders = run::parents().into_iter().map(|parent| parent.join(format!("waf-lab-{run}")));
    let folders =
        folders.filter(|folder| folder.exists()).map(|folder| folder.to_string_lossy().into_owned());
    netns::names().into_iter().chain(nodes).filter(|name| name.contains(run)).chain(folders).collect()
}

#[test]
fn a_demo_stopped_by_a_signal_clears_away() {
    let Some(built) = stage::built() else { return };
    stage::alone(|| {
        for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
            let Some(mut demo) = demo_under_way(&built.waf, &built.object, Reader::Stays) else { return };
            kill(Pid::from_raw(demo.process.id() as i32), signal).expect("signal the demo");
            assert_eq!(wait(&mut demo), Some(code), "{signal}");
            assert_eq!(left(&demo.run), Vec::<String>::new(), "after {signal}");
        }
    });
}

/// As `cargo xtask demo | head` does.
#[test]
fn a_demo_whose_reader_leaves_clears_away_and_says_nothing() {
    let Some(built) = stage::built() else { return };
    stage::alone(|| {
        let Some(mut demo) = demo_under_way(&built.waf, &built.object, Reader::Leaves) else { return };
        let mut errors = demo.process.stderr.take().expect("its errors");
        let mut said = String::new();
        errors.read_to_string(&mut said).expect("its errors to the end");
        assert_eq!((wait(&mut demo), said.as_str()), (Some(141), ""));
        assert_eq!(left(&demo.run), Vec::<String>::new());
    });
}

#[test]
fn a_killed_demo_is_cleared_away() {
    let Some(built) = stage::built() else { return };
    stage::alone(|| {
        let Some(mut demo) = demo_under_way(&built.waf, &built.object, Reader::Stays) else { return };
        demo.process.kill().expect("kill the demo");
        wait(&mut demo);
        // The worker sees its guard's pipe close, or the next run sweeps.
        sweep::sweep().expect("sweep");
        let deadline = Instant::now() + CLEARED;
        while !left(&demo.run).is_empty() {
            assert!(Instant::now() < deadline, "left behind: {:?}", left(&demo.run));
            std::thread::yield_now();
        }
    });
}

/// The integration tests themselves, stopped in the midst of a lab; a script stands in for them.
#[test]
fn stopped_tests_are_cleared_away() {
    if stage::built().is_none() {
        return;
    }
    let Some(xtask) = std::env::var_os("WAF_XTASK") else {
        println!("skipped: no WAF_XTASK");
        return;
    };
    stage::alone(|| {
        let script = std::env::temp_dir().join(format!("waf-test-{}", netns::unique()));
        std::fs::write(&script, "#!/bin/sh\nip netns add waf-pid$$x0 && echo pid$$x0\nsleep 60\n")
            .expect("script");
        run::set_mode(&script, 0o700).expect("mode of the script");
        let mut tests = Command::new(xtask);
        let tests = tests.arg("integration").arg(&script).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = tests.spawn().expect("start the tests");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let run = lines.next().expect("the namespace is made").expect("its name");
        let mut tests = Demo { process, run };
        assert_eq!(left(&tests.run).len(), 1, "{}", tests.run);
        kill(Pid::from_raw(tests.process.id() as i32), Signal::SIGINT).expect("signal the tests");
        // Read on, so that the sweep never writes into a closed pipe.
        lines.map_while(Result::ok).count();
        assert_eq!(wait(&mut tests), Some(130));
        std::fs::remove_file(&script).expect("remove the script");
        assert_eq!(left(&tests.run), Vec::<String>::new());
    });
}

#[test]
fn a_failing_demo_clears_away() {
    let Some(built) = stage::built() else { return };
    let Some(xtask) = std::env::var_os("WAF_XTASK") else {
        println!("skipped: no WAF_XTASK");
        return;
    };
    stage::alone(|| {
        // No BPF object: the first node cannot be loaded, with namespaces, certificates and origin already up.
        let object = built.waf.with_file_name("no-such-object");
        std::fs::write(&object, b"no object").expect("write");
        let mut demo = Command::new(xtask);
        demo.arg("demo").arg("--bin").arg(&built.waf).arg("--object").arg(&object);
        let output = demo.output();
        std::fs::remove_file(&object).expect("remove");
        let output = output.expect("run the demo");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        let run = said.split("waf-lab-").nth(1).and_then(|rest| rest.split('/').next());
        let run = run.unwrap_or_else(|| panic!("the error names no file of the run: {said}"));
        assert_eq!(left(run), Vec::<String>::new());
    });
}
