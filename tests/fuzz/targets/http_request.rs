//! Any bytes as the head of a request: whole and piece by piece give the same answer, and a head that is taken is the same
//! again without what follows it.
#![no_main]

use libfuzzer_sys::fuzz_target;

use waf_fuzz::http::{Limits, Parsed, RequestParser, parse_request_head};

fuzz_target!(|input: &[u8]| {
    let Some((step, bytes)) = input.split_first() else { return };
    let whole = parse_request_head(bytes, &Limits::default());
    let mut parser = RequestParser::new(Limits::default());
    let pieces = pieces(bytes.len(), *step).map(|end| parser.parse(&bytes[..end]));
    let last = pieces.into_iter().find(|answer| !matches!(answer, Ok(Parsed::Partial)));
    let Some(last) = last else {
        assert!(matches!(whole, Ok(Parsed::Partial)), "pieces say partial, whole says {whole:?}");
        return;
    };
    match (&last, &whole) {
        (Ok(Parsed::Complete(a, used)), Ok(Parsed::Complete(b, same))) => {
            assert_eq!((used, format!("{a:?}")), (same, format!("{b:?}")));
            assert!(*used <= bytes.len());
            let alone = parse_request_head(&bytes[..*used], &Limits::default());
            assert!(matches!(alone, Ok(Parsed::Complete(_, again)) if again == *used), "{alone:?}");
            // What the proxy asks of every head that it takes.
            let _ = (b.path(), b.query(), b.keeps_alive(), b.expects_continue(), b.is_idempotent());
            assert!(b.path_and_query().starts_with('/') || b.path_and_query() == "*");
        }
        (Err(a), Err(b)) => assert_eq!(a, b),
        _ => panic!("pieces say {last:?}, whole says {whole:?}"),
    }
});

/// Ends of growing prefixes, the last of them everything.
fn pieces(len: usize, step: u8) -> impl Iterator<Item = usize> {
    let step = usize::from(step).max(1);
    (0..len).step_by(step).chain([len])
}
