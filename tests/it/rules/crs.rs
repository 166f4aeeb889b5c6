//! The Core Rule Set of the machine's package.

use serde_json::json;
use waf_user::node::control::Reply;

use super::stage::{self, LEAK, Node};

/// An injection that detectSQLi knows.
const INJECTION: &str = "1%27%20or%201%3D1--%20-";

/// A wildcard in a path, which only paranoia level 2 minds.
const PARANOID: &str = "/?q=see+/e%3F%3F/it";

fn with_core_rule_set(tenants: &[&str], test: impl FnOnce(&mut Node)) {
    if stage::has_core_rule_set() {
        stage::with_node(&[], tenants, test);
    }
}

#[test]
fn it_refuses_by_its_own_score_without_a_line_in_node_toml() {
    with_core_rule_set(&[""], |node| {
        let rows = [
            ("query", node.get(&format!("/?q={INJECTION}")), 942_100),
            ("form", node.post("application/x-www-form-urlencoded", &format!("q={INJECTION}")), 942_100),
            ("JSON", node.post("application/json", "{\"a\":{\"b\":\"1' or 1=1-- -\"}}"), 942_100),
            ("XML", node.post("application/xml", "<a><b>1' or 1=1-- -</b></a>"), 942_100),
            ("script", node.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E"), 941_100),
            ("path", node.get("/?file=../../../../etc/passwd"), 930_100),
        ];
        for (name, answer, rule) in rows {
            assert_eq!(answer.status, 403, "{name}: {answer:?}");
            let rules = answer.rules();
            assert!(rules.contains(&rule) && rules.contains(&949_110), "{name}: {rules:?}");
            assert_eq!(answer.line["verdict"], "deny", "{name}");
            assert!(answer.line["score"].as_i64() >= Some(5), "{name}: {}", answer.line);
            let event = node.event(&answer.line["request_id"]);
            assert_eq!(event["detail"], "rule 949110 refused", "{name}: {event}");
        }
        for target in ["/", "/?q=hello+world", "/?name=O%27Neil&page=2"] {
            let answer = node.get(target);
            assert_eq!((answer.status, answer.line["verdict"].clone()), (200, json!("pass")), "{target}");
            assert!(answer.text.ends_with("fine"), "{target}");
        }
    });
}

/// A rule that only scores refuses nothing, and is in the log all the same.
#[test]
fn rules_that_only_score_are_logged() {
    with_core_rule_set(&[""], |node| {
        let answer = node.get_from("192.0.2.1", "/");
        assert_eq!(
            (answer.status, answer.rules(), answer.line["score"].as_i64()),
            (200, vec![920_350], Some(3))
        );
    });
}

#[test]
fn in_detect_mode_everything_is_logged_and_nothing_refused() {
    with_core_rule_set(&["mode = \"detect\"\nresponse_bodies = true"], |node| {
        let answer = node.get(&format!("/?q={INJECTION}"));
        let rules = answer.rules();
        assert_eq!((answer.status, answer.line["verdict"].clone()), (200, json!("pass")));
        assert!([942_100, 949_110, 980_130].iter().all(|rule| rules.contains(rule)), "{rules:?}");
        let answer = node.get("/leak");
        let rules = answer.rules();
        assert!(answer.status == 200 && answer.text.ends_with(LEAK), "{answer:?}");
        assert!([951_230, 959_100].iter().all(|rule| rules.contains(rule)), "{rules:?}");
    });
}

#[test]
fn exclusions_take_a_value_of_a_path_from_rules() {
    let exclusions = "[[tenant.exclusion]]\ntag = \"attack-sqli\"\npath = \"/search*\"\nparameter = \"q\"\n\
                      [[tenant.exclusion]]\nrule = \"942000-942999\"\npath = \"/report\"\ncookie = \"c\"\n\
                      [[tenant.exclusion]]\nrule = 920350\n";
    with_core_rule_set(&[exclusions], |node| {
        let q = format!("q={INJECTION}");
        let rows = [
            ("its value", format!("/search?{q}"), "", 200),
            ("below it", format!("/search/more?{q}"), "", 200),
            ("its name without case", format!("/search?Q={INJECTION}"), "", 200),
            ("another value", format!("/search?p={INJECTION}"), "", 403),
            ("another attack", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(), "", 403),
            ("another path", format!("/other?{q}"), "", 403),
            ("a path that may be another", format!("/search/../other?{q}"), "", 403),
            ("the same, encoded", format!("/search/%2e%2e/other?{q}"), "", 403),
            ("a cookie", "/report".to_owned(), "Cookie: c=1' or 1=1-- -\r\n", 200),
            ("another cookie", "/report".to_owned(), "Cookie: d=1' or 1=1-- -\r\n", 403),
            ("no exact path", "/report/".to_owned(), "Cookie: c=1' or 1=1-- -\r\n", 403),
        ];
        for (name, target, fields, status) in rows {
            let common = "Host: www.example.test\r\nUser-Agent: x\r\nAccept: */*\r\nConnection: close\r\n";
            let answer = node.ask(&format!("GET {target} HTTP/1.1\r\n{common}{fields}\r\n"));
            assert_eq!(answer.status, status, "{name}: {answer:?}");
        }
        assert!(node.get_from("192.0.2.1", "/").rules().is_empty(), "a rule taken out whatever the path");
    });
}

#[test]
fn the_paranoia_level_is_the_tenants() {
    with_core_rule_set(&["paranoia_level = 1", "paranoia_level = 2"], |node| {
        for (host, status, scored) in [("www.example.test", 200, false), ("two.example.test", 403, true)] {
            let answer = node.get_from(host, PARANOID);
            assert_eq!(
                (answer.status, answer.rules().contains(&932_200)),
                (status, scored),
                "{host}: {answer:?}"
            );
        }
        let Reply::Reloaded { rules, .. } = node.reload(&["", "paranoia_level = 4"]) else {
            panic!("reloaded")
        };
        assert!((500..1000).contains(&rules), "{rules} rules: both tenants share one set");
    });
}

/// A set-up file does not win over what the tenant has set, and is heard where he has set nothing.
#[test]
fn settings_of_node_toml_win_over_the_set_up_file() {
    if !stage::has_core_rule_set() {
        return;
    }
    let set_up = "SecAction \"id:900000,phase:1,pass,nolog,setvar:tx.crs_setup_version=334,setvar:tx.paranoia_level=2,\
                  setvar:tx.inbound_anomaly_score_threshold=100\"\n";
    let rules = "rules = [\"setup.conf\", \"/usr/share/modsecurity-crs/rules\"]";
    let own = format!("{rules}\nparanoia_level = 1\ninbound_threshold = 5");
    stage::with_node(&[("setup.conf", set_up)], &[rules, &own], |node| {
        let attack = format!("/?q={INJECTION}");
        // Host, target, status, whether level 2 ran.
        let rows = [
            ("www.example.test", PARANOID, 200, true),
            ("www.example.test", attack.as_str(), 200, false),
            ("two.example.test", PARANOID, 200, false),
            ("two.example.test", attack.as_str(), 403, false),
        ];
        for (host, target, status, paranoid) in rows {
            let answer = node.get_from(host, target);
            assert_eq!(
                (answer.status, answer.rules().contains(&932_200)),
                (status, paranoid),
                "{host} {target}"
            );
        }
    });
}

#[test]
fn what_an_answer_gives_away_is_held_back() {
    let held = "response_bodies = true";
    let tolerant = "response_bodies = true\noutbound_threshold = 100";
    with_core_rule_set(&["", held], |node| {
        let answer = node.get("/leak");
        assert!(answer.status == 200 && answer.text.ends_with(LEAK), "not looked at: {answer:?}");
        let answer = node.get_from("two.example.test", "/leak");
        assert!(answer.status == 403 && !answer.text.contains("SQL"), "{answer:?}");
        assert!([951_230, 959_100].iter().all(|rule| answer.rules().contains(rule)), "{answer:?}");
        let event = node.event(&answer.line["request_id"]);
        assert_eq!(event["detail"], "rule 959100 refused", "{event}");
        // What comes behind the limit streams past.
        let answer = node.get_from("two.example.test", "/late-leak");
        assert!(answer.status == 200 && answer.text.ends_with(LEAK), "{}", answer.line);
        assert!(matches!(node.reload(&["", tolerant]), Reply::Reloaded { .. }));
        let answer = node.get_from("two.example.test", "/leak");
        assert!(answer.status == 200 && answer.rules().contains(&951_230), "{answer:?}");
    });
}

/// No base configuration among the rules: bodies are read by their type, and one that cannot be is refused.
#[test]
fn bodies_that_cannot_be_read_are_refused() {
    with_core_rule_set(&[""], |node| {
        let rows = [
            ("JSON", node.post("application/json", "{\"a\":"), 400),
            ("sound JSON", node.post("application/json", "{\"a\":1}"), 200),
            ("XML", node.post("text/xml", "<a><b></a>"), 400),
            ("multipart", node.post("multipart/form-data; boundary=x", "--x\r\nno header"), 400),
            (
                "sound multipart",
                node.post(
                    "multipart/form-data; boundary=x",
                    "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
                ),
                200,
            ),
        ];
        for (name, answer, status) in rows {
            assert_eq!(answer.status, status, "{name}: {answer:?}");
        }
    });
}
