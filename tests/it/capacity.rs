//! `waf bench capacity`: figures that an inventory takes, and nothing left behind.

use std::path::PathBuf;
use std::process::Command;

use waf_user::control::api::words::RatesView;

fn folders() -> usize {
    let names = std::fs::read_dir(std::env::temp_dir()).expect("a folder").flatten();
    names.filter(|entry| entry.file_name().to_string_lossy().starts_with("waf-capacity-")).count()
}

#[test]
fn a_machine_is_measured_with_the_product_itself() {
    let Some(waf) = std::env::var_os("WAF_BIN").map(PathBuf::from) else {
        println!("skipped: no WAF_BIN");
        return;
    };
    let before = folders();
    let measured = |words: &[&str]| {
        let output = Command::new(&waf).args(["bench", "capacity", "--seconds", "1"]).args(words).output();
        let output = output.expect("start waf");
        let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{text}{said}");
        text.into_owned()
    };
    let text = measured(&["--line-mbit", "10"]);
    println!("{text}");
    let line =
        text.lines().find_map(|line| line.strip_prefix("capacity = ")).expect("a line for the inventory");
    let json = line.replace(" = ", ": ").replace("{ ", "{\"").replace(", ", ", \"").replace(": ", "\": ");
    let rates: RatesView = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert!(rates.requests_s > 0 && rates.handshakes_s > 0, "{text}");
    assert_eq!(rates.mbit_s, 10, "the line is named");
    let json: serde_json::Value = serde_json::from_str(&measured(&["--json"])).expect("JSON");
    let of = |part: &str, measure: &str| json[part][measure].as_u64().unwrap_or(0);
    for measure in ["requests_s", "mbit_s", "handshakes_s"] {
        let (alone, capacity) = (of("alone", measure), of("capacity", measure));
        assert!(capacity > 0 && capacity < alone, "{measure}: {capacity} of {alone}");
    }
    assert_eq!(folders(), before);
}
