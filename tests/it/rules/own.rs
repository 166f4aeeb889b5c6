//! Rule files of an operator's own: how they are named, shared and found wrong, and the records that they keep.

use std::fs;

use waf_user::node::control::Reply;

use super::stage::with_node;

const DENY: &str = "SecRule ARGS \"@streq x\" \"id:1,phase:2,deny\"\n";

#[test]
fn a_mistake_keeps_the_old_rules_and_says_where_it_is() {
    with_node(&[("own.conf", DENY)], &["rules = [\"own.conf\"]"], |node| {
        assert_eq!(node.get("/?a=x").status, 403);
        node.write(
            "own.conf",
            "SecRule ARGS \"@streq y\" \"id:1,phase:2,deny\"\n\nSecRule ARGS \"@rx (\" \"id:2\"\n",
        );
        let output = node.command(&["node-ctl", "reload"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("own.conf:3:") && said.contains('^') && said.contains("www.example.test"),
            "{said}"
        );
        for (target, status) in [("/?a=x", 403), ("/?a=y", 200)] {
            assert_eq!(node.get(target).status, status, "{target}");
        }
        node.write("own.conf", "SecRule ARGS \"@streq y\" \"id:1,phase:2,deny\"\n");
        assert!(matches!(node.reload(&["rules = [\"own.conf\"]"]), Reply::Reloaded { .. }));
        for (target, status) in [("/?a=x", 200), ("/?a=y", 403)] {
            assert_eq!(node.get(target).status, status, "{target}");
        }
    });
}

#[test]
fn an_entry_is_a_file_a_folder_or_a_pattern() {
    let rule = |id: u8, value: &str| format!("SecRule ARGS \"@streq {value}\" \"id:{id},phase:2,deny\"\n");
    let tenants = ["rules = [\"one.conf\", \"more\", \"p-*.conf\"]"];
    let files = [("one.conf", rule(1, "one")), ("p-1.conf", rule(2, "p1")), ("p-2.conf", rule(3, "p2"))];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let included = rule(5, "included");
    let folder = std::env::temp_dir().join(format!("waf-test-folder-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("folder");
    fs::write(folder.join("a.conf"), rule(4, "a") + "Include below/*.inc\n").expect("file");
    fs::create_dir_all(folder.join("below")).expect("folder");
    fs::write(folder.join("below/1.inc"), included).expect("file");
    let tenants = tenants.map(|lines| lines.replace("\"more\"", &format!("{folder:?}")));
    with_node(&files, &[tenants[0].as_str()], |node| {
        for (value, status) in
            [("one", 403), ("p1", 403), ("p2", 403), ("a", 403), ("included", 403), ("x", 200)]
        {
            assert_eq!(node.get(&format!("/?a={value}")).status, status, "{value}");
        }
    });
    // What is left is swept with the temporary folder.
    let _ = fs::remove_dir_all(folder);
}

/// Each visitor is counted by tenant, over requests and over a reload.
#[test]
fn records_outlive_requests_and_reloads_and_are_each_tenants_own() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.n=+1,expirevar:ip.n=600\"\n\
                 SecRule IP:n \"@gt 3\" \"id:2,phase:1,deny,status:429\"\n";
    let tenants = ["rules = [\"own.conf\"]", "rules = [\"own.conf\"]"];
    with_node(&[("own.conf", rules)], &tenants, |node| {
        for status in [200, 200, 200] {
            assert_eq!(node.get("/").status, status);
        }
        let Reply::Reloaded { rules, .. } = node.reload(&tenants) else { panic!("reloaded") };
        // Two, and the engine's own refusals.
        assert_eq!(rules, 2 + 3, "both tenants share one set");
        assert_eq!(node.get("/").status, 429, "the fourth");
        assert_eq!(node.get_from("two.example.test", "/").status, 200, "his first");
    });
}

/// The limit of the rules is theirs, whatever their base configuration says of it.
#[test]
fn a_body_limit_of_the_rules_holds() {
    let rules = |limit: usize, action: &str| {
        format!(
            "SecRequestBodyNoFilesLimit {limit}\nSecRequestBodyLimit {limit}\nSecRequestBodyLimitAction {action}\n{DENY}"
        )
    };
    // Limit, action, bytes before the attack, status.
    let rows = [
        (1_000_000, "Reject", 600_000, 403),
        (1_000_000, "Reject", 1_100_000, 413),
        (1_000_000, "ProcessPartial", 1_100_000, 200),
        (1_000, "ProcessPartial", 900, 403),
    ];
    with_node(&[("own.conf", DENY)], &["rules = [\"own.conf\"]"], |node| {
        for (limit, action, before, status) in rows {
            node.write("own.conf", &rules(limit, action));
            assert!(matches!(node.reload(&["rules = [\"own.conf\"]"]), Reply::Reloaded { .. }));
            let body = format!("p={}&a=x", "y".repeat(before));
            let answer = node.post("application/x-www-form-urlencoded", &body);
            assert_eq!(answer.status, status, "{limit} {action} {before}: {}", answer.line);
        }
    });
}
