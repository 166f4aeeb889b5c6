//! Where workers listen.

use std::net::TcpStream;

use super::*;
use crate::node::tests::{parse, tenant};

#[test]
fn the_listener_behind_the_filter_takes_both_families_on_loopback_only() {
    let listener = behind_filter().unwrap();
    let socket = socket2::SockRef::from(&listener);
    assert!(!socket.only_v6().unwrap());
    let address = listener.local_addr().unwrap();
    assert_eq!(address.ip().to_canonical(), Ipv4Addr::LOCALHOST);
    assert!(address.is_ipv6());
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).is_ok());
    assert!(TcpStream::connect(("127.0.0.2", address.port())).is_err());
}

#[test]
fn without_filter_the_workers_of_a_service_share_its_port() {
    // A port that was free a moment ago; nobody else binds 127.77.0.1.
    let free = TcpListener::bind("127.77.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "[node]\nname = \"a\"\ncarrier = \"c\"\nworkers = 3\n{}",
        tenant(1, "127.77.0.1", &format!("workers = [0, 2]\nhttp_port = {free}"))
    );
    let plan = ServicePlan::new(&parse(&text).1, 3, &[]);
    let bound = without_filter(&plan, 3, Vec::new()).unwrap();
    let counts: Vec<usize> = bound.iter().map(Vec::len).collect();
    assert_eq!(counts, [1, 0, 1], "a worker outside the set does not listen");
    assert_eq!(bound[0][0].socket.local_addr().unwrap(), bound[2][0].socket.local_addr().unwrap());
}

#[test]
fn an_address_of_another_machine_is_named() {
    let text =
        format!("[node]\nname = \"a\"\ncarrier = \"c\"\n{}", tenant(1, "192.0.2.1", "http_port = 8080"));
    let plan = ServicePlan::new(&parse(&text).1, 1, &[]);
    let error = without_filter(&plan, 1, Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "listen on 192.0.2.1:8080");
}

#[test]
fn sockets_that_were_handed_over_are_used_again_even_by_fewer_workers() {
    let free = TcpListener::bind("127.77.0.2:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "[node]\nname = \"a\"\ncarrier = \"c\"\n{}",
        tenant(1, "127.77.0.2", &format!("http_port = {free}"))
    );
    let plan = |workers| ServicePlan::new(&parse(&text).1, workers, &[]);
    let old = without_filter(&plan(3), 3, Vec::new()).unwrap();
    let given: Vec<TcpListener> =
        old.iter().flatten().map(|listener| listener.socket.try_clone().unwrap()).collect();
    let waiting = TcpStream::connect(("127.77.0.2", free)).unwrap();
    drop(old);
    let new = without_filter(&plan(2), 2, given).unwrap();
    assert_eq!(new.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    let accepted = new.iter().flatten().filter_map(|listener| listener.socket.accept().ok()).count();
    assert_eq!(accepted, 1, "the connection that waited is still there");
    drop(waiting);
}
