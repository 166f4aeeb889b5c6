//! Any bytes as the head of a response, to HEAD and to other methods: whole and piece by piece give the same answer.
#![no_main]

use libfuzzer_sys::fuzz_target;

use waf_fuzz::http::{Framing, Limits, Parsed, ResponseParser};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let (method, step) = (if first & 1 == 0 { "GET" } else { "HEAD" }, usize::from(first >> 1).max(1));
    let whole = ResponseParser::new(Limits::default(), method).parse(bytes);
    let mut parser = ResponseParser::new(Limits::default(), method);
    let mut ends = (0..bytes.len()).step_by(step).chain([bytes.len()]);
    let last = ends.find_map(|end| match parser.parse(&bytes[..end]) {
        Ok(Parsed::Partial) => None,
        answer => Some(answer),
    });
    match (&last, &whole) {
        (None, Ok(Parsed::Partial)) => {}
        (Some(Ok(Parsed::Complete(a, used))), Ok(Parsed::Complete(b, same))) => {
            assert_eq!((used, format!("{a:?}")), (same, format!("{b:?}")));
            assert!(*used <= bytes.len());
            let bodiless = method == "HEAD" || b.is_interim();
            assert!(!bodiless || b.framing() == Framing::None);
            let _ = b.keeps_alive();
        }
        (Some(Err(a)), Err(b)) => assert_eq!(a, b),
        _ => panic!("pieces say {last:?}, whole says {whole:?}"),
    }
});
