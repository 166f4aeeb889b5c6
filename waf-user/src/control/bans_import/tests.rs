//! Texts of lists in each dialect -> the bans, what is left out and the mistakes, as lines.

use super::{BANS_MAX, Format, Import, LeftOut, duration, read};

/// `prefix ttl reason` of each ban, then what is left out, then the mistakes: one line each.
fn show(import: &Import) -> Vec<String> {
    let bans = import.bans.iter().map(|ban| {
        let ttl = ban.ttl_s.map_or("-".to_owned(), |ttl_s| ttl_s.to_string());
        format!("{} {ttl} {}", ban.prefix, ban.reason.as_deref().unwrap_or("-"))
    });
    let left_out = import.left_out.iter().map(|(why, count)| format!("{count} {why}"));
    let mistakes = import.mistakes.iter().map(ToString::to_string);
    bans.chain(left_out).chain(mistakes).collect()
}

fn check(format: Format, table: &[(&str, &str, &[&str])]) {
    for (name, text, expected) in table {
        assert_eq!(show(&read(text, format)), *expected, "{name}");
    }
}

#[test]
fn plain_lists() {
    check(
        Format::Plain,
        &[
            ("nothing", "", &[]),
            ("comments", "# a\n; b\n\n   \n", &[]),
            ("address and prefix", "192.0.2.7\n2001:db8::/32", &["192.0.2.7/32 - -", "2001:db8::/32 - -"]),
            ("windows line ends", "192.0.2.7\r\n192.0.2.8\r\n", &["192.0.2.7/32 - -", "192.0.2.8/32 - -"]),
            ("byte order mark", "\u{feff}192.0.2.7", &["192.0.2.7/32 - -"]),
            ("reason behind ;", "192.0.2.0/24 ; SBL1", &["192.0.2.0/24 - SBL1"]),
            ("reason behind #", "192.0.2.0/24# scanner of 日本", &["192.0.2.0/24 - scanner of 日本"]),
            ("reason behind a tab", "192.0.2.0/24\tbad", &["192.0.2.0/24 - bad"]),
            ("twice", "192.0.2.7\n192.0.2.7/32 b", &["192.0.2.7/32 - -", "1 there more than once"]),
            (
                "mistakes with their lines",
                "192.0.2.1/24\n\nnonsense\n192.0.2.9\n::ffff:192.0.2.1",
                &[
                    "192.0.2.9/32 - -",
                    "line 1: \"192.0.2.1/24\" has bits set behind its length; the network is 192.0.2.0/24",
                    "line 3: \"nonsense\" not an address or prefix",
                    "line 5: \"::ffff:192.0.2.1\" is IPv4 written as IPv6; write the IPv4 form",
                ],
            ),
            (
                "wider than what is enforced",
                "10.0.0.0/16\n10.0.0.0/15\n2001:db8::/32\n2001:db8::/31",
                &[
                    "10.0.0.0/16 - -",
                    "2001:db8::/32 - -",
                    "line 2: 10.0.0.0/15 is wider than /16 (IPv6: /32), which no node enforces: name narrower prefixes",
                    "line 4: 2001:db8::/31 is wider than /16 (IPv6: /32), which no node enforces: name narrower prefixes",
                ],
            ),
            ("escape sequence", "\u{1b}[2J", &["line 1: \"\\u{1b}[2J\" not an address or prefix"]),
        ],
    );
}

#[test]
fn ipset_saves() {
    check(
        Format::Ipset,
        &[
            (
                "hash:net with timeouts and comments",
                "create bad hash:net family inet hashsize 1024 maxelem 65536 timeout 0 comment\n\
                 add bad 192.0.2.0/24 timeout 300 comment \"seen on port 22\"\n\
                 add bad 198.51.100.7 timeout 0",
                &["192.0.2.0/24 300 seen on port 22", "198.51.100.7/32 - -"],
            ),
            ("default timeout", "create a hash:ip timeout 60\nadd a 192.0.2.7", &["192.0.2.7/32 60 -"]),
            ("netmask", "create a hash:ip netmask 24\nadd a 192.0.2.0", &["192.0.2.0/24 - -"]),
            ("counters", "create a hash:ip\nadd a 192.0.2.7 packets 1 bytes 60", &["192.0.2.7/32 - -"]),
            ("a set made elsewhere", "add a 2001:db8::1", &["2001:db8::1/128 - -"]),
            (
                "option behind the comment",
                "add a 192.0.2.7 comment \"x timeout 5\" timeout 9",
                &["192.0.2.7/32 9 x timeout 5"],
            ),
            (
                "a type that holds more, said once",
                "create a hash:ip,port\nadd a 192.0.2.7,tcp:80\nadd a 192.0.2.8,tcp:80",
                &[
                    "line 1: set a is of type \"hash:ip,port\": only hash:ip, hash:net and bitmap:ip hold what can \
                   be banned",
                ],
            ),
            (
                "exception",
                "add a 192.0.2.0/25 nomatch",
                &[
                    "line 1: set a excepts this prefix (nomatch): a ban has no exceptions, take it out of the list",
                ],
            ),
            (
                "other commands",
                "flush a\nadd\nadd a\ncreate a",
                &[
                    "line 1: \"flush\" is no command of ipset save: create or add",
                    "line 2: \"add\" is no command of ipset save: create or add",
                    "line 3: the member of the set is missing",
                    "line 4: the type of the set is missing",
                ],
            ),
            (
                "numbers",
                "add a 192.0.2.7 timeout x\nadd a 192.0.2.7 timeout",
                &[
                    "line 1: timeout of a set needs a number, not \"x\"",
                    "line 2: timeout of a set needs a number, not \"\"",
                ],
            ),
            (
                "open comment",
                "add a 192.0.2.7 comment \"x",
                &["line 1: a quoted field does not end on its line"],
            ),
        ],
    );
}

#[test]
fn crowdsec_json() {
    check(
        Format::CrowdSecJson,
        &[
            ("none", "null", &[]),
            ("empty", "[]", &[]),
            (
                "what cscli imports",
                r#"[{"duration":"4h","scope":"ip","type":"ban","value":"192.0.2.7","reason":"mine"}]"#,
                &["192.0.2.7/32 14400 mine"],
            ),
            (
                "alerts",
                r#"[{"id":1,"scenario":"outer","source":{"scope":"Ip","value":"198.51.100.1"},"decisions":[
                    {"duration":"3h59m49.2s","id":7,"origin":"crowdsec","scenario":"crowdsecurity/ssh-bf",
                     "scope":"Ip","simulated":false,"type":"ban","value":"192.0.2.7"}]},{"id":2,"decisions":null}]"#,
                &["192.0.2.7/32 14390 crowdsecurity/ssh-bf"],
            ),
            (
                "stream",
                r#"{"new":[{"duration":"1m","scope":"Range","type":"ban","value":"192.0.2.0/24"}],"deleted":null}"#,
                &["192.0.2.0/24 60 -"],
            ),
            ("one", r#"{"value":"192.0.2.7"}"#, &["192.0.2.7/32 - -"]),
            (
                "no bans",
                r#"[{"value":"192.0.2.1","type":"captcha"},{"value":"JP","scope":"Country","type":"ban"},
                    {"value":"192.0.2.3","simulated":true},{"value":"192.0.2.4","duration":"-5m"},
                    {"value":"64500","scope":"AS"},{"value":"64501","scope":"AS"}]"#,
                &[
                    "1 expired",
                    "1 simulated",
                    "1 of type \"captcha\", not ban",
                    "2 of scope \"AS\", neither address nor range",
                    "1 of scope \"Country\", neither address nor range",
                ],
            ),
            ("an escaped value", r#"[{"value":"192.0.2\u002e7"}]"#, &["192.0.2.7/32 - -"]),
            (
                "mistakes with their lines",
                "[\n{\"value\":\"192.0.2.7\"},\n{\"value\":\"x\"},\n{\"duration\":\"4h\"},\n\
                 {\"value\":\"192.0.2.8\",\n\"duration\":\"4\"}]",
                &[
                    "192.0.2.7/32 - -",
                    "line 3: \"x\" not an address or prefix",
                    "line 4: value is missing",
                    "line 6: duration \"4\": write a number and its unit, such as 4h or 30m; units are h, m, s, ms, us and ns",
                ],
            ),
            (
                "cut off",
                "[\n{\"value\":",
                &["line 2: no JSON of decisions: EOF while parsing a value at line 2 column 9"],
            ),
        ],
    );
}

#[test]
fn crowdsec_csv() {
    check(
        Format::CrowdSecCsv,
        &[
            ("what cscli imports", "duration,scope,value\n24h,ip,192.0.2.7", &["192.0.2.7/32 86400 -"]),
            (
                "what cscli lists",
                "id,source,ip,reason,action,country,as,events_count,expiration,simulated,alert_id\n\
                 7,crowdsec,Ip:2001:db8::1,crowdsecurity/ssh-bf,ban,JP,\"64500 Some, Inc \"\"x\"\"\",6,3h0m0.5s,false,3\n\
                 8,cscli,Country:JP,manual,ban,,,0,3h,false,4\n\
                 9,cscli,Ip:192.0.2.9,manual,captcha,,,0,3h,false,4\n\
                 9,cscli,Ip:192.0.2.9,manual,ban,,,0,3h,true,4",
                &[
                    "2001:db8::1/128 10801 crowdsecurity/ssh-bf",
                    "1 simulated",
                    "1 of type \"captcha\", not ban",
                    "1 of scope \"Country\", neither address nor range",
                ],
            ),
            ("IPv6 in value", "value,reason\n2001:db8::/48,x", &["2001:db8::/48 - x"]),
            ("quoted", "\"value\",\"reason\"\n\"192.0.2.7\",\"a \"\"b\"\"\"", &["192.0.2.7/32 - a \"b\""]),
            (
                "mistakes with their lines",
                "value,duration\n192.0.2.7\n,4h\n192.0.2.8,\"4h\n192.0.2.9,4 hours",
                &[
                    "192.0.2.7/32 - -",
                    "line 3: value is missing",
                    "line 4: a quoted field does not end on its line",
                    "line 5: duration \"4 hours\": write a number and its unit, such as 4h or 30m; units are h, m, s, ms, us and ns",
                ],
            ),
            ("no header", "192.0.2.7,4h", &["line 1: this first line names no column value or ip"]),
        ],
    );
}

#[test]
fn the_longer_ban_stays() {
    let table = [
        ("longer second", "1h", "2h", Some(7_200)),
        ("longer first", "2h", "1h", Some(7_200)),
        ("for ever second", "2h", "", None),
        ("for ever first", "", "2h", None),
    ];
    for (name, one, other, expected) in table {
        let text = format!("value,duration\n192.0.2.7,{one}\n192.0.2.7,{other}");
        let import = read(&text, Format::CrowdSecCsv);
        assert_eq!(import.bans.iter().map(|ban| ban.ttl_s).collect::<Vec<_>>(), [expected], "{name}");
        assert_eq!(import.left_out.get(&LeftOut::Repeated), Some(&1), "{name}");
    }
}

#[test]
fn formats_are_guessed() {
    let table = [
        ("", Format::Plain),
        ("# list\n192.0.2.7 reason, with comma", Format::Plain),
        ("192.0.2.7,x", Format::Plain),
        ("# Generated by ipset\ncreate a hash:ip", Format::Ipset),
        ("add a 192.0.2.7", Format::Ipset),
        ("\n [{", Format::CrowdSecJson),
        ("{\"new\":[]}", Format::CrowdSecJson),
        ("null\n", Format::CrowdSecJson),
        ("duration,scope,value\n", Format::CrowdSecCsv),
        ("id,source,ip,reason\n", Format::CrowdSecCsv),
    ];
    for (text, expected) in table {
        assert_eq!(Format::guess(text), expected, "{text:?}");
        assert_eq!(expected.label().parse(), Ok(expected));
    }
    assert!("fail2ban".parse::<Format>().is_err());
}

#[test]
fn durations() {
    let table = [
        ("0", Some(0)),
        ("0s", Some(0)),
        ("1ns", Some(1)),
        ("0.5s", Some(1)),
        ("30m", Some(1_800)),
        ("1h0m0s", Some(3_600)),
        ("1.5h", Some(5_400)),
        ("250ms", Some(1)),
        ("4\u{b5}s", Some(1)),
        ("-3h", Some(0)),
        ("+3s", Some(3)),
        ("4294967295s", Some(u32::MAX)),
        ("4294967296s", None),
        ("", None),
        ("-", None),
        ("4", None),
        ("h", None),
        ("4d", None),
        ("4 h", None),
        ("1.2.3s", None),
        ("inf", None),
        ("NaNs", None),
    ];
    for (text, expected) in table {
        assert_eq!(duration::seconds(text).ok(), expected, "{text:?}");
    }
}

#[test]
fn mistakes_and_bans_have_bounds() {
    let import = read(&"x\n".repeat(150), Format::Plain);
    assert_eq!((import.mistakes.len(), import.mistake_count), (100, 150));

    let address = |n: usize| std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(n).unwrap());
    let text: String = (0..=BANS_MAX).map(|n| format!("{}\n", address(n))).collect();
    let import = read(&text, Format::Plain);
    assert_eq!((import.bans.len(), import.mistake_count), (BANS_MAX, 1));
    assert_eq!(import.mistakes[0].to_string(), "line 1000001: more than 1000000 bans: split the list");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(text in ".{0,200}", lines in "((add a |create a )?[0-9./:,\"\\[{}a-z ]{0,20}\n){0,8}") {
        for format in [Format::Plain, Format::Ipset, Format::CrowdSecJson, Format::CrowdSecCsv] {
            read(&text, format);
            read(&lines, format);
        }
    }
}
