//! Records as aya-log-ebpf 0.2 writes them -> lines; cut and foreign ones -> nothing.

use super::*;

fn put(record: &mut Vec<u8>, kind: u8, value: &[u8]) {
    record.push(kind);
    record.extend((value.len() as u16).to_ne_bytes());
    record.extend(value);
}

fn record(level: u8, arguments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, 0, b"waf");
    put(&mut body, 1, &[level]);
    put(&mut body, 2, b"waf::complain");
    put(&mut body, 3, b"complain.rs");
    put(&mut body, 4, &7u32.to_ne_bytes());
    put(&mut body, 5, &(arguments.len() as u32).to_ne_bytes());
    for (kind, value) in arguments {
        put(&mut body, *kind, value);
    }
    let mut record = ((body.len() + 2) as u16).to_ne_bytes().to_vec();
    record.extend(body);
    // The ring holds powers of two.
    record.resize(record.len().next_power_of_two(), 0);
    record
}

#[test]
fn records_become_lines() {
    let seven = 7u32.to_le_bytes();
    for (name, bytes, level, text) in [
        ("text", record(1, &[(20, b"worker set ")]), LogLevel::Error, "worker set "),
        ("number with hint", record(2, &[(20, b"set "), (0, &[1]), (8, &seven)]), LogLevel::Warn, "set 7"),
        ("no argument", record(3, &[]), LogLevel::Info, ""),
        ("kind that we do not write", record(1, &[(13, &[1, 2, 3, 4])]), LogLevel::Error, "?"),
    ] {
        assert_eq!(parse(&bytes), Some(LogLine { level, text: text.to_owned() }), "{name}");
    }
}

#[test]
fn cut_records_are_none() {
    let whole = record(1, &[(20, b"worker set 7 is empty")]);
    let used = usize::from(u16::from_ne_bytes([whole[0], whole[1]]));
    for len in 0..used {
        assert_eq!(parse(&whole[..len]), None, "{len} bytes");
    }
    assert_eq!(parse(&[0xff; 64]), None);
    assert_eq!(parse(&[0; 64]), None);
}
