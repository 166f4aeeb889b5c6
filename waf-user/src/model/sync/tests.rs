//! Messages survive the wire in any pieces; deltas come out as the document they were made from; signatures bind.

use super::*;

fn tenant(number: u32, fqdn: &str) -> TenantDocument {
    TenantDocument {
        tenant: number,
        fqdn: fqdn.to_owned(),
        addresses: vec!["192.0.2.10".parse().unwrap()],
        http_port: 80,
        https_port: 443,
        certificate: None,
        origins: vec!["http://10.0.0.1:80".to_owned()],
        mode: "block".to_owned(),
        paranoia: Some(2),
        contract: Contract { requests_s: 10, mbit_s: 1, handshakes_s: 0 },
    }
}

fn document(tenants: Vec<TenantDocument>) -> NodeDocument {
    NodeDocument { node: "a1".to_owned(), capacity: Contract::default(), tenants }
}

#[test]
fn messages_come_through_in_any_pieces() {
    let certificate = Certificate {
        fingerprint: "ab".repeat(32),
        chain: "-----BEGIN".to_owned(),
        key: KeyText::new("hunter2".to_owned()),
    };
    let sent = [
        Down::Activate { generation: 7 },
        Down::Certificate(certificate),
        Down::Bans(Bans { revision: 3, is_whole: true, is_last: true, ..Bans::default() }),
    ];
    let bytes: Vec<u8> = sent.iter().flat_map(|message| frame::encode(message).unwrap()).collect();
    for piece in [1, 3, 4, 5, 64, bytes.len()] {
        let (mut frames, mut heard) = (Frames::default(), Vec::new());
        for part in bytes.chunks(piece) {
            frames.push(part);
            while let Some(message) = frames.next::<Down>().unwrap() {
                heard.push(message);
            }
        }
        assert_eq!(heard, sent, "pieces of {piece}");
    }
    assert!(!format!("{sent:?}").contains("hunter2"));
}

#[test]
fn what_is_too_long_or_no_message_is_refused() {
    let mut frames = Frames::bounded(10);
    frames.push(&[0, 0, 0, 11]);
    assert!(matches!(frames.next::<Up>(), Err(FrameError::Length(11))));
    let mut frames = Frames::bounded(10);
    frames.push(&[0, 0, 0, 10, b'{']);
    assert!(matches!(frames.next::<Up>(), Ok(None)));
    let mut frames = Frames::default();
    frames.push(&[0, 0, 0, 2, b'{', b'}']);
    assert!(matches!(frames.next::<Up>(), Err(FrameError::Json(_))));
}

#[test]
fn a_delta_comes_out_as_the_document_it_was_made_from() {
    let from = document(vec![tenant(1, "one.example"), tenant(2, "two.example"), tenant(4, "four.example")]);
    let to = document(vec![tenant(2, "zwei.example"), tenant(3, "three.example"), tenant(4, "four.example")]);
    let mut delta = Delta {
        generation: 2,
        from: signing::hash_of(&from.to_text()),
        put: vec![tenant(3, "three.example"), tenant(2, "zwei.example")],
        removed: vec![1],
        capacity: Contract::default(),
        hash: signing::hash_of(&to.to_text()),
        signature: String::new(),
    };
    assert_eq!(delta.apply(&from), Some((to.clone(), to.to_text())));
    assert_eq!(NodeDocument::from_text(&to.to_text()).unwrap(), to);
    delta.removed.clear();
    assert_eq!(delta.apply(&from), None);
}

#[test]
fn a_signature_is_for_one_node_generation_and_text() {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = signing::digits(pair.public_key().as_ref());
    let signature = pair.sign(&signed_bytes("a1", 7, &signing::hash_of("{}")));
    let signature = signing::digits(signature.as_ref());
    assert_eq!(signature.len(), SIGNATURE_LEN * 2);
    let rows = [
        ("as signed", "a1", 7, "{}", true),
        ("another node", "a2", 7, "{}", false),
        ("another generation", "a1", 8, "{}", false),
        ("another text", "a1", 7, "{ }", false),
    ];
    for (name, node, generation, text, expected) in rows {
        assert_eq!(signing::is_signed(&key, node, generation, text, &signature), expected, "{name}");
    }
    assert!(!signing::is_signed(&key, "a1", 7, "{}", "zz"));
    assert!(!signing::is_signed("", "a1", 7, "{}", &signature));
}

#[test]
fn scopes_and_tokens_have_one_text() {
    for text in ["fleet", "tenant:1", "tenant:2147483647"] {
        assert_eq!(text.parse::<FleetScope>().unwrap().to_string(), text);
    }
    for text in ["", "node", "tenant:", "tenant:0", "tenant:2147483648", "tenant:x"] {
        assert!(text.parse::<FleetScope>().is_err(), "{text}");
    }
    let text = format!("{}.{}", "0a".repeat(32), "ff".repeat(32));
    assert_eq!(JoinToken::parse(&format!(" {text}\n")).unwrap().text().expose(), text);
    for text in ["", ".", &text[1..], &text.replace('.', "-"), &text.replace('f', "g")] {
        assert_eq!(JoinToken::parse(text), None, "{text}");
    }
}
