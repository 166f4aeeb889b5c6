//! Persistent collections through whole transactions, and the lookups.

use std::net::IpAddr;
use std::sync::Arc;

use super::{compiled, refusal, settings};
use crate::engine::{Collections, Connection, GeoPlace, Lookups, MemoryCollections, RuleSet, Transaction};

fn visit(
    rules: &Arc<RuleSet>,
    store: &Arc<dyn Collections>,
    tenant: &str,
    client: &str,
    now_s: u64,
) -> Transaction {
    let client = format!("{client}:40000").parse().expect("an address");
    let server = "10.1.0.10:443".parse().expect("an address");
    let connection = Connection { client, server };
    let mut transaction = Transaction::new(Arc::clone(rules), &settings(), connection, now_s * 1000, "01ABC");
    transaction.set_collections(Arc::clone(store), tenant);
    transaction.request_line(b"GET", b"/", "HTTP/1.1");
    transaction.request_header(b"Cookie", b"sid=s1");
    transaction.end_request_headers();
    transaction.end_request_body();
    transaction.advance(u32::MAX);
    transaction.end();
    transaction.advance(u32::MAX);
    transaction
}

#[test]
fn a_counter_over_requests() {
    let rules = compiled(
        "SecCollectionTimeout 600\n\
         SecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.n=+1,expirevar:ip.n=60\"\n\
         SecRule IP:n \"@gt 2\" \"id:2,phase:1,deny,status:429\"",
    );
    let store: Arc<dyn Collections> = Arc::new(MemoryCollections::default());
    let rows = [
        ("a", "192.0.2.1", 1000, None),
        ("a", "192.0.2.1", 1001, None),
        ("a", "192.0.2.1", 1002, Some((2, 429))),
        ("a", "192.0.2.2", 1002, None),
        ("b", "192.0.2.1", 1002, None),
        ("a", "192.0.2.1", 1061, Some((2, 429))),
        // The variable ended 60 seconds after it was set last.
        ("a", "192.0.2.1", 1121, None),
    ];
    for (tenant, client, now_s, expected) in rows {
        let transaction = visit(&rules, &store, tenant, client, now_s);
        assert_eq!(refusal(&transaction), expected, "{tenant} {client} at {now_s}");
    }
}

#[test]
fn sessions_users_and_resources() {
    let rules = compiled(
        "SecWebAppId shop\n\
         SecAction \"id:1,phase:1,pass,nolog,setsid:%{REQUEST_COOKIES.sid},setuid:u1,setrsc:/,setvar:session.n=+1,setvar:user.n=+2,setvar:resource.n=+3\"\n\
         SecRule SESSIONID \"@streq s1\" \"id:2,phase:1,pass\"\n\
         SecRule USERID \"@streq u1\" \"id:3,phase:1,pass\"\n\
         SecRule SESSION:n|USER:n|RESOURCE:n \"@ge 2\" \"id:4,phase:1,pass\"\n\
         SecRule SESSION:IS_NEW \"@eq 1\" \"id:5,phase:1,pass\"\n\
         SecAction \"id:6,phase:1,pass,nolog,deprecatevar:user.n=1/10\"\n\
         SecRule USER:n \"@eq 3\" \"id:7,phase:1,pass\"",
    );
    let store: Arc<dyn Collections> = Arc::new(MemoryCollections::default());
    let rows: [(u64, &[u64]); 2] = [(1000, &[2, 3, 4, 4, 5]), (1010, &[2, 3, 4, 4, 4, 7])];
    for (now_s, expected) in rows {
        let transaction = visit(&rules, &store, "a", "192.0.2.1", now_s);
        let ids: Vec<u64> = transaction.matches().iter().map(|matched| matched.id).collect();
        assert_eq!(ids, expected, "at {now_s}");
    }
}

#[derive(Debug)]
struct Known;

impl Lookups for Known {
    fn place(&self, address: IpAddr) -> Option<GeoPlace> {
        let country_code = "JP".to_owned();
        (address.to_string() == "192.0.2.1").then(|| GeoPlace { country_code, ..GeoPlace::default() })
    }

    fn listed(&self, name: &str) -> Option<bool> {
        Some(name == "1.2.0.192.bl.example")
    }
}

#[test]
fn lookups_answer() {
    let rules = compiled(
        "SecRule REMOTE_ADDR \"@geoLookup\" \"id:1,phase:1,pass,nolog,chain\"\nSecRule GEO:COUNTRY_CODE \"@streq JP\" \"setvar:tx.jp=1\"\n\
         SecRule TX:jp \"@eq 1\" \"id:2,phase:1,pass\"\nSecRule REMOTE_ADDR \"@rbl bl.example\" \"id:3,phase:1,pass\"",
    );
    for (client, expected) in [("192.0.2.1", vec![2, 3]), ("192.0.2.2", vec![])] {
        let client = format!("{client}:40000").parse().expect("an address");
        let server = "10.1.0.10:443".parse().expect("an address");
        let connection = Connection { client, server };
        let mut transaction = Transaction::new(Arc::clone(&rules), &settings(), connection, 0, "01ABC");
        transaction.set_lookups(Arc::new(Known));
        transaction.request_line(b"GET", b"/", "HTTP/1.1");
        transaction.end_request_headers();
        transaction.advance(u32::MAX);
        let ids: Vec<u64> = transaction.matches().iter().map(|matched| matched.id).collect();
        assert_eq!(ids, expected, "{client}");
    }
}
