//! Mistakes of rule authors, all at once with a caret; includes; the starter rules compile.

use std::collections::BTreeMap;
use std::io;

use crate::engine::{RuleFile, RuleFiles, RuleSet};

/// Files in memory.
#[derive(Default)]
struct Files(BTreeMap<&'static str, &'static str>);

impl RuleFiles for Files {
    fn read(&self, path: &str, _from: &str) -> io::Result<RuleFile> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(RuleFile { name: path.to_owned(), text: text.as_bytes().to_vec() })
    }

    fn glob(&self, pattern: &str, _from: &str) -> io::Result<Vec<String>> {
        let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
        let named = self.0.keys().filter(|name| name.starts_with(start) && name.ends_with(end));
        Ok(named.map(|name| (*name).to_owned()).collect())
    }
}

fn compile(text: &str, files: &Files) -> Result<RuleSet, String> {
    let file = RuleFile { name: "a.conf".to_owned(), text: text.as_bytes().to_vec() };
    RuleSet::compile(&[file], files).map_err(|errors| errors.to_string())
}

#[test]
fn each_mistake_is_said() {
    let rows: &[(&str, &str, &str)] = &[
        ("directive", "SecRul ARGS x", "a.conf:1:1: unknown directive `SecRul`"),
        ("variable", "SecRule ARG x \"id:1\"", "a.conf:1:9: unknown variable `ARG`"),
        ("second variable", "SecRule ARGS|ARGZ x \"id:1\"", "a.conf:1:14: unknown variable `ARGZ`"),
        ("operator", "SecRule ARGS \"@rxx x\" \"id:1\"", "a.conf:1:16: unknown operator `rxx`"),
        ("action", "SecRule ARGS x \"id:1,denny\"", "a.conf:1:22: unknown action `denny`"),
        (
            "transformation",
            "SecRule ARGS x \"id:1,t:lowercas\"",
            "a.conf:1:24: unknown transformation `lowercas`",
        ),
        ("ctl", "SecAction \"id:1,ctl:ruleEngin=On\"", "a.conf:1:21: unknown ctl `ruleEngin`"),
        (
            "pattern",
            "SecRule ARGS \"@rx (\" \"id:1\"",
            "a.conf:1:19: @rx cannot use this argument: unclosed group",
        ),
        ("data file", "SecRule ARGS \"@pmFromFile x\" \"id:1\"", "a.conf:1:27: reading the data file x"),
        (
            "macro",
            "SecAction \"id:1,msg:'a %{foo.b}'\"",
            "a.conf:1:26: the macro %{foo.b} names no known variable",
        ),
        (
            "growth",
            "SecRule ARGS x \"id:1,t:urlEncode,t:urlEncode,t:hexEncode\"",
            "a.conf:1:1: transformations that may grow a value more than 16-fold",
        ),
        ("no id", "SecAction \"phase:1,pass\"", "a.conf:1:1: the rule has no id"),
        ("id twice", "SecAction \"id:1\"\nSecAction \"id:1\"", "a.conf:2:15: rule id 1 is taken"),
        ("phase", "SecAction \"id:1,phase:6\"", "a.conf:1:23: no phase `6`"),
        ("status", "SecAction \"id:1,deny,status:200\"", "`200` is not a number that fits here"),
        ("quote", "SecAction \"id:1", "a.conf:1:11: a quote that is never closed"),
        ("inner quote", "SecAction \"id:1,msg:'x\"", "a.conf:1:21: a quote that is never closed"),
        ("arity", "SecRuleEngine On Off", "SecRuleEngine wants one argument, found 2"),
        ("rule arity", "SecRule ARGS", "SecRule wants variables, operator and actions, found 1 words"),
        ("mode", "SecRuleEngine Maybe", "a.conf:1:15: no engine mode `Maybe`"),
        ("limit", "SecRequestBodyLimit 16777217", "use 0 to 16777216"),
        ("include", "Include b.conf", "a.conf:1:9: reading `b.conf`"),
        ("marker", "SecAction \"id:1,skipAfter:X\"", "a.conf:1:27: no SecMarker `X` follows"),
        ("open chain", "SecAction \"id:1,chain\"", "the chain of rule 1 is never closed"),
        ("chain cut", "SecAction \"id:1,chain\"\nSecMarker X", "the chain of rule 1 is never closed"),
        (
            "deny in a link",
            "SecAction \"id:1,chain\"\nSecRule ARGS x \"deny\"",
            "a.conf:2:17: deny inside a chain",
        ),
        (
            "tag of the default",
            "SecDefaultAction \"phase:1,pass,tag:x\"",
            "a.conf:1:32: tag in SecDefaultAction",
        ),
        ("setvar", "SecAction \"id:1,setvar:arg.x=1\"", "a.conf:1:24: setvar of `arg.x`"),
        ("container", "<Location /a>\nSecRuleEngine On", "the container <Location is not supported"),
        ("open container", "<IfModule a>\nSecRuleEngine On", "<IfModule> is never closed"),
        ("closed container", "</IfModule>", "</ifmodule> closes nothing"),
        ("script", "SecRuleScript a.lua", "SecRuleScript is not supported: no script is run"),
        ("exec", "SecAction \"id:1,exec:/bin/x\"", "exec is not supported: no program is run"),
        ("proxy", "SecAction \"id:1,proxy:http://x\"", "proxy is not supported"),
        ("operator refused", "SecRule FILES \"@inspectFile x\" \"id:1\"", "no program is run for a request"),
        ("arity of an accepted one", "SecAuditLog a b", "SecAuditLog wants 1 to 1 arguments, found 2"),
        ("path", "SecRule XML:/a/b x \"id:1\"", "the path `/a/b` is not supported"),
        ("update without targets", "SecRuleUpdateTargetById 1", "it wants rules and variables"),
        ("update of an id", "SecRuleUpdateActionById 1 \"id:2\"", "an update cannot change a rule's id"),
        ("initcol", "SecAction \"id:1,initcol:x=1\"", "initcol of `x=1`"),
        ("rate", "SecAction \"id:1,deprecatevar:ip.x=1\"", "no rate"),
        ("only exclusions", "SecRule !ARGS x \"id:1\"", "the rule looks at no variable"),
        ("scalar with a key", "SecRule REQUEST_URI:a x \"id:1\"", "REQUEST_URI has one value"),
    ];
    for (name, text, expected) in rows {
        let errors = compile(text, &Files::default()).expect_err(name);
        assert!(errors.contains(expected), "{name}: {errors}");
    }
}

#[test]
fn all_mistakes_at_once_with_a_caret() {
    let text = "SecRule ARGS \"@rx a\" \\\n    \"id:1,phase:1,denny,t:lower\"\nSecRulEngine On\n";
    let errors = compile(text, &Files::default()).expect_err("three mistakes");
    let expected = "\
a.conf:2:19: unknown action `denny`
  |     \"id:1,phase:1,denny,t:lower\"
  |                   ^^^^^
  = did you mean deny?
a.conf:2:27: unknown transformation `lower`
  |     \"id:1,phase:1,denny,t:lower\"
  |                           ^^^^^
a.conf:3:1: unknown directive `SecRulEngine`
  | SecRulEngine On
  | ^^^^^^^^^^^^
  = did you mean SecRuleEngine?
";
    assert_eq!(errors, expected);
}

#[test]
fn a_broken_link_is_one_mistake() {
    let text =
        "SecRule ARGZ x \"id:1,chain\"\nSecRule ARGS y \"t:none,chain\"\nSecRule ARGS z\nSecAction \"id:2\"";
    let errors = compile(text, &Files::default()).expect_err("one mistake");
    assert_eq!(errors.matches("a.conf:").count(), 1, "{errors}");
}

#[test]
fn includes() {
    let files = Files(BTreeMap::from([
        ("rules/1.conf", "SecAction \"id:1,phase:1,pass\""),
        ("rules/2.conf", "Include rules/words.inc\nSecRule ARGS \"@pmFromFile words.data\" \"id:2\""),
        ("rules/words.inc", "SecAction \"id:3\""),
        ("words.data", "# words\none\n\ntwo words\n"),
        ("loop.conf", "Include loop.conf"),
        ("bad.conf", "\n  SecFoo"),
    ]));
    assert_eq!(compile("Include rules/*.conf", &files).expect("they are good").len(), 3);
    assert_eq!(compile("Include nothing/*.conf", &files).expect("a pattern may name none").len(), 0);
    let errors = compile("Include loop.conf", &files).expect_err("a loop");
    assert!(errors.contains("nested deeper than 16"), "{errors}");
    let errors = compile("Include bad.conf", &files).expect_err("a mistake in it");
    assert!(errors.starts_with("bad.conf:2:3: unknown directive"), "{errors}");
}

#[test]
fn what_a_configuration_of_the_reference_engine_holds() {
    let text = "<IfModule security2_module>\n<IfModule !mod_other.c>\nNonsense here\n</IfModule>\n\
                SecAuditEngine RelevantOnly\nSecAuditLogParts ABIJDEFHZ\nSecDebugLogLevel 0\nSecTmpDir /tmp/\n\
                SecDataDir /tmp/\nSecPcreMatchLimit 1000\nSecUnicodeMapFile unicode.mapping 20127\nSecStatusEngine On\n\
                SecRequestBodyInMemoryLimit 131072\nSecRequestBodyJsonDepthLimit 512\nSecServerSignature x\n\
                SecUploadKeepFiles Off\nSecUploadFileLimit 10\nSecConnEngine Off\nSecWebAppId shop\n\
                IncludeOptional nothing.conf\n</IfModule>\nSecAction \"id:1,phase:1,pass\"";
    assert_eq!(compile(text, &Files::default()).unwrap_or_else(|errors| panic!("{errors}")).len(), 1);
}

#[test]
fn the_engine_refuses_unreadable_bodies_where_no_rule_does() {
    let length = |text: &str| {
        let file = RuleFile { name: "a.conf".to_owned(), text: text.as_bytes().to_vec() };
        RuleSet::compile_with_defaults(&[file], &Files::default()).expect("they are good").len()
    };
    assert_eq!(length("SecAction \"id:1,phase:1,pass\""), 4);
    assert_eq!(length("SecRule REQBODY_ERROR \"!@eq 0\" \"id:200002,phase:2,deny\""), 1);
}

#[test]
fn growth_on_both_sides() {
    for (transformations, is_taken) in [
        ("t:urlEncode,t:hexEncode,t:hexEncode", true),
        ("t:hexEncode,t:hexEncode,t:hexEncode,t:base64Encode", true),
        ("t:urlEncode,t:urlEncode,t:base64Encode", false),
    ] {
        let text = format!("SecRule ARGS x \"id:1,phase:1,{transformations}\"");
        assert_eq!(compile(&text, &Files::default()).is_ok(), is_taken, "{transformations}");
    }
}

#[test]
fn chain_length_on_both_sides() {
    let chain = |links: usize| {
        let middle = "SecRule ARGS x \"chain\"\n".repeat(links - 2);
        format!("SecRule ARGS x \"id:1,chain\"\n{middle}SecRule ARGS x\n")
    };
    assert!(compile(&chain(32), &Files::default()).is_ok());
    let errors = compile(&chain(33), &Files::default()).expect_err("too long");
    assert_eq!(errors.matches("a.conf:").count(), 1, "{errors}");
}

#[test]
fn starter_rules_compile() {
    let rules = compile(include_str!("../../../rules/starter.conf"), &Files::default());
    assert!(rules.unwrap_or_else(|errors| panic!("{errors}")).len() >= 15);
}
