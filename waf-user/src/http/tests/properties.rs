//! What holds for all bytes: no panic, no effect of where they are cut, and what is written is read back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::body::decode;
use super::request::{outcome, parse};
use crate::http::{
    BodyDecoder, Framing, LAST_CHUNK, Limits, Parsed, RequestParser, ResponseParser, write_chunk,
};

/// Bytes that come near a head: pieces of real ones in any order.
fn near_head() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"POST /a?b HTTP/1.0\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"Host: a.test\r\n".to_vec()),
        Just(b"Content-Length: 1\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"3;a=\"b\"\r\n".to_vec()),
        Just(b"0\r\n\r\n".to_vec()),
        vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Cuts `bytes` after each of the lengths, the rest being the last piece.
fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

proptest! {
    #[test]
    fn any_cut_of_a_head_is_as_whole(bytes in near_head(), lengths in vec(0usize..20, 0..10)) {
        let whole = parse(&bytes);
        let mut parser = RequestParser::new(Limits::default());
        let (mut sofar, mut found) = (Vec::new(), None);
        for piece in cut(&bytes, &lengths) {
            sofar.extend_from_slice(piece);
            match parser.parse(&sofar) {
                Ok(Parsed::Partial) => {}
                decided => {
                    found = Some(outcome(decided));
                    break;
                }
            }
        }
        match whole {
            Ok(Parsed::Partial) => prop_assert_eq!(found, None),
            decided => prop_assert_eq!(found, Some(outcome(decided))),
        }
    }

    #[test]
    fn a_head_taken_is_taken_again(bytes in near_head()) {
        if let Ok(Parsed::Complete(_, taken)) = parse(&bytes) {
            let again = parse(&bytes[..taken]);
            prop_assert!(matches!(again, Ok(Parsed::Complete(_, n)) if n == taken));
        }
    }

    #[test]
    fn responses_never_panic(bytes in near_head()) {
        let _outcome = ResponseParser::new(Limits::default(), "GET").parse(&bytes);
    }

    #[test]
    fn any_cut_of_a_body_is_as_whole(bytes in near_head(), lengths in vec(0usize..20, 0..10)) {
        let whole = decode(Framing::Chunked, &[&bytes]);
        prop_assert_eq!(decode(Framing::Chunked, &cut(&bytes, &lengths)), whole);
    }

    #[test]
    fn what_is_encoded_is_decoded(pieces in vec(vec(any::<u8>(), 1..300), 0..8), lengths in vec(0usize..200, 0..10)) {
        let mut wire = Vec::new();
        for piece in &pieces {
            write_chunk(&mut wire, piece);
        }
        wire.extend_from_slice(LAST_CHUNK);
        let decoded = decode(Framing::Chunked, &cut(&wire, &lengths));
        prop_assert_eq!(decoded, Ok((pieces.concat(), Vec::new(), true)));
    }

    #[test]
    fn a_decoder_consumes_no_more_than_it_got(bytes in vec(any::<u8>(), 0..200), length in 0u64..100) {
        for framing in [Framing::None, Framing::Length(length), Framing::Chunked, Framing::UntilClose] {
            if let Ok(decoded) = BodyDecoder::new(framing).decode(&bytes) {
                prop_assert!(decoded.consumed <= bytes.len() && decoded.data.len() <= decoded.consumed);
            }
        }
    }
}
