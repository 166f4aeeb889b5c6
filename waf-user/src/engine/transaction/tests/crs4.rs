//! A rule file in the style of CRS 4, written for these tests: set-up, default actions of all phases, plugin include
//! points, detection by paranoia level, updates of targets in number, blocking evaluation.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::{Request, refusal, run};
use crate::engine::{RuleFile, RuleFiles, RuleSet, Transaction};

const BASE: &str = r#"
SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecDefaultAction "phase:3,log,auditlog,pass"
SecDefaultAction "phase:4,log,auditlog,pass"
SecDefaultAction "phase:5,log,auditlog,pass"
SecCollectionTimeout 600
SecComponentSignature "Own_Rules/4.0"
<IfModule security2_module>
    SecAction "id:9001,phase:1,pass,t:none,nolog,setvar:tx.allowed_methods=GET HEAD POST OPTIONS"
</IfModule>
<IfModule !security2_module>
    SecAction "id:9001,phase:1,deny"
</IfModule>
SecRule &TX:blocking_paranoia_level "@eq 0" "id:9010,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=1"
SecRule &TX:detection_paranoia_level "@eq 0" "id:9011,phase:1,pass,nolog,setvar:'tx.detection_paranoia_level=%{TX.blocking_paranoia_level}'"
SecAction "id:9012,phase:1,pass,nolog,t:none,\
    setvar:tx.critical_anomaly_score=5,setvar:tx.warning_anomaly_score=3,\
    setvar:tx.blocking_inbound_anomaly_score=0,setvar:tx.inbound_anomaly_score_pl1=0"
Include plugins/*-before.conf
SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 1" "id:9020,phase:2,pass,nolog,skipAfter:END-DETECT"
SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES|!REQUEST_COOKIES:/__utm/|XML:/*|XML://@* "@rx (?i)\beval\s*\(" \
    "id:9100,phase:2,block,capture,t:none,t:urlDecodeUni,t:escapeSeqDecode,t:removeCommentsChar,multiMatch,\
    msg:'Evaluation',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}',\
    tag:'attack-eval',tag:'OWASP_CRS',tag:'paranoia-level/1',ver:'OWN/4.0',severity:'CRITICAL',\
    setvar:'tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}'"
SecRule MULTIPART_PART_HEADERS "@rx ^content-type\s*:\s*.*charset=utf-7" \
    "id:9110,phase:2,block,t:none,t:lowercase,tag:'OWASP_CRS',severity:'CRITICAL',\
    setvar:'tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}'"
SecRule ARGS:_method "@rx ." \
    "id:9120,phase:2,block,t:none,tag:'OWASP_CRS',severity:'WARNING',msg:'Override to %{ARGS._method}',chain"
    SecRule ARGS:_method "!@within %{tx.allowed_methods}" \
        "setvar:'tx.inbound_anomaly_score_pl1=+%{tx.warning_anomaly_score}'"
SecMarker "END-DETECT"
SecAction "id:9200,phase:2,pass,nolog,t:none,setvar:'tx.blocking_inbound_anomaly_score=+%{tx.inbound_anomaly_score_pl1}'"
SecRule TX:BLOCKING_INBOUND_ANOMALY_SCORE "@ge %{tx.inbound_anomaly_score_threshold}" \
    "id:9210,phase:2,deny,t:none,msg:'Score %{TX.blocking_inbound_anomaly_score}'"
SecRuleUpdateTargetById 9100 "!ARGS:/^free_/"
SecRuleUpdateTargetById 9100-9110 "!REQUEST_COOKIES:pref|!ARGS:note"
SecRuleUpdateTargetByTag attack-eval "!ARGS:code"
SecRuleUpdateTargetByMsg "^Evaluation$" "REQUEST_HEADERS:X-Script"
SecRuleUpdateActionById 9210 "deny,status:406"
SecRuleRemoveByTag never-there
"#;

const PLUGIN: &str = r#"
SecRule REQUEST_FILENAME "@beginsWith /import" \
    "id:8001,phase:1,pass,nolog,t:none,ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS:/^body_/,\
    ctl:ruleRemoveTargetByTag=OWASP_CRS;XML://@*"
SecRule REQUEST_FILENAME "@streq /free" "id:8002,phase:1,pass,nolog,t:none,ctl:ruleRemoveById=9100-9120"
"#;

struct Files(BTreeMap<&'static str, &'static str>);

impl RuleFiles for Files {
    fn read(&self, path: &str, _from: &str) -> io::Result<RuleFile> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(RuleFile { name: path.to_owned(), text: text.as_bytes().to_vec() })
    }

    fn glob(&self, pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        let (start, end) = pattern.split_once('*').ok_or(io::ErrorKind::InvalidInput)?;
        let fits = |name: &&&str| name.starts_with(start) && name.ends_with(end);
        Ok(self.0.keys().filter(fits).map(|name| (*name).to_owned()).collect())
    }
}

fn rules() -> Arc<RuleSet> {
    let files =
        Files(BTreeMap::from([("plugins/own-before.conf", PLUGIN), ("plugins/other.conf", "Broken")]));
    let base = RuleFile { name: "base.conf".to_owned(), text: BASE.as_bytes().to_vec() };
    Arc::new(RuleSet::compile(&[base], &files).unwrap_or_else(|errors| panic!("{errors}")))
}

fn ids(transaction: &Transaction) -> Vec<u64> {
    let mut ids: Vec<u64> = transaction.matches().iter().map(|matched| matched.id).collect();
    ids.dedup();
    ids
}

#[test]
fn what_the_rules_say() {
    let multipart = |header: &str| {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: {header}\r\n\r\nx\r\n--b--\r\n"
        );
        Request::post("multipart/form-data; boundary=b", body)
    };
    let xml = |text: &str| Request::post("text/xml", text);
    let imported = |text: &str| Request { target: "/import".to_owned(), ..xml(text) };
    let rows: &[(&str, Request, &[u64])] = &[
        ("clean", Request::get("/?a=1"), &[]),
        ("detected", Request::get("/?a=eval(1)"), &[9100, 9210]),
        ("a name", Request::get("/?eval(1)=a"), &[9100, 9210]),
        ("escaped", Request::get("/?a=%5Cx65val(1)"), &[9100, 9210]),
        ("comment marks", Request::get("/?a=ev/**/al(1)"), &[9100, 9210]),
        ("excluded by pattern", Request::get("/?free_a=eval(1)"), &[]),
        ("excluded by name of a range", Request::get("/?Note=eval(1)"), &[]),
        ("excluded by tag", Request::get("/?code=eval(1)"), &[]),
        ("cookie", Request::get("/").header("Cookie", "a=eval(1)"), &[9100, 9210]),
        ("excluded cookies", Request::get("/").header("Cookie", "pref=eval(1); x__utmz=eval(2)"), &[]),
        ("target added by msg", Request::get("/").header("X-Script", "eval(1)"), &[9100, 9210]),
        ("part header", multipart("text/plain; charset=UTF-7"), &[9110, 9210]),
        ("good part header", multipart("text/plain; charset=UTF-8"), &[]),
        ("macro of an argument", Request::get("/?_method=PURGE"), &[9120]),
        ("allowed method", Request::get("/?_method=POST"), &[]),
        ("XML text", xml("<a><b>ev<![CDATA[al(]]>1)</b></a>"), &[9100, 9210]),
        ("XML attribute", xml("<a b='eval(1)'/>"), &[9100, 9210]),
        ("XML attribute excluded by ctl", imported("<a b='eval(1)'/>"), &[]),
        ("XML text not excluded", imported("<a>eval(1)</a>"), &[9100, 9210]),
        ("pattern of ctl", Request::get("/import?body_x=eval(1)"), &[]),
        ("range of ctl", Request::get("/free?a=eval(1)"), &[]),
    ];
    let rules = rules();
    for (name, request, expected) in rows {
        let transaction = run(&rules, request);
        assert_eq!(ids(&transaction), *expected, "{name}");
        let refused = expected.contains(&9210).then_some((9210, 406));
        assert_eq!(refusal(&transaction), refused, "{name}");
    }
}

#[test]
fn what_the_logs_say() {
    let transaction = run(&rules(), &Request::get("/?a=eval(1)"));
    let first = transaction.matches().first().expect("a match");
    assert_eq!(first.logdata, "Matched Data: eval( found within ARGS:a: eval(1)");
    assert_eq!(transaction.score(), 5);
    let transaction = run(&rules(), &Request::get("/?_method=PURGE"));
    assert_eq!(transaction.matches().first().map(|one| one.msg.as_str()), Some("Override to PURGE"));
}
