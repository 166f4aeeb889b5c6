//! Seals, opens, rotates; key files as an administrator may leave them.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::key_ring::{KEY_LEN, KEYS_MAX};
use super::*;

static NEXT: AtomicU32 = AtomicU32::new(0);

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("waf-secret-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ring(current: u8, older: &[u8]) -> KeyRing {
    let key = |byte: &u8| Secret::new([*byte; KEY_LEN]);
    KeyRing::new(&key(&current), &older.iter().map(key).collect::<Vec<_>>()).unwrap()
}

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

#[test]
fn what_is_sealed_opens_in_its_place_only() {
    let (place, other) = ("certificate/1", "certificate/2");
    let sealed = ring(1, &[]).seal(place, &secret("hunter2")).unwrap();
    assert!(!sealed.as_bytes().windows(7).any(|window| window == b"hunter2"));
    let again = ring(1, &[]).seal(place, &secret("hunter2")).unwrap();
    assert_ne!(sealed, again, "a nonce of its own each time");

    assert_eq!(ring(1, &[]).open(place, &sealed).unwrap().expose(), b"hunter2");
    assert_eq!(ring(2, &[1]).open(place, &sealed).unwrap().expose(), b"hunter2");
    assert!(matches!(ring(1, &[]).open(other, &sealed), Err(SecretError::Altered(_))));
    let error = ring(2, &[3]).open(place, &sealed).unwrap_err();
    assert!(matches!(error, SecretError::UnknownKey { id, .. } if id == sealed.key_id()), "{error}");
    let empty = ring(1, &[]).seal(place, &secret("")).unwrap();
    assert_eq!(ring(1, &[]).open(place, &empty).unwrap().expose(), b"");
}

#[test]
fn every_altered_bit_is_noticed() {
    let (ring, place) = (ring(1, &[]), "a");
    let bytes = ring.seal(place, &secret("hunter2")).unwrap().into_bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            let opened = Sealed::from_bytes(&altered).map(|sealed| ring.open(place, &sealed));
            assert!(!matches!(opened, Some(Ok(_))), "byte {at}, bit {bit}");
        }
    }
    for len in 0..bytes.len() {
        let opened = Sealed::from_bytes(&bytes[..len]).map(|sealed| ring.open(place, &sealed));
        assert!(!matches!(opened, Some(Ok(_))), "{len} bytes");
    }
}

#[test]
fn sealed_values_have_a_text_form() {
    let sealed = ring(1, &[]).seal("a", &secret("hunter2")).unwrap();
    assert_eq!(sealed.to_string().parse::<Sealed>().unwrap(), sealed);
    for text in ["", "sealed:", "sealed:00", "sealed:0", "sealed:zz", "WAFs"] {
        assert!(text.parse::<Sealed>().is_err(), "{text}");
    }
    assert_eq!(Sealed::from_bytes(b"{}"), None);
}

#[test]
fn nothing_prints_a_secret() {
    let text = secret("hunter2");
    let shown = format!("{text:?} {:?} {:?}", Some(&text), ring(1, &[2]));
    assert!(shown.starts_with("(secret) Some((secret)) key "), "{shown}");
}

#[test]
fn a_secret_is_wiped_when_it_goes() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    struct Witness(Arc<AtomicBool>);
    impl Zeroize for Witness {
        fn zeroize(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let wiped = Arc::new(AtomicBool::new(false));
    drop(Secret::new(Witness(Arc::clone(&wiped))));
    assert!(wiped.load(Ordering::Relaxed));
}

#[test]
fn key_files_are_made_read_and_added_to() {
    let folder = Folder::new();
    let place = KeyPlace::find(None, None, &folder.0);
    assert!(matches!(place.load(), Err(SecretError::Read { .. })));
    let first = place.load_or_make().unwrap();
    assert_eq!(std::fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(place.load_or_make().unwrap().current(), first.current());

    let sealed = first.seal("a", &secret("hunter2")).unwrap();
    let second = place.add_key().unwrap();
    assert_ne!(second.current(), first.current());
    assert_eq!(std::fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(place.load().unwrap().open("a", &sealed).unwrap().expose(), b"hunter2");
    for _ in 2..KEYS_MAX {
        place.add_key().unwrap();
    }
    assert!(matches!(place.add_key(), Err(SecretError::TooManyKeys { .. })));
    assert_eq!(place.load().unwrap().open("a", &sealed).unwrap().expose(), b"hunter2");
}

#[test]
fn key_files_that_others_may_read_are_refused() {
    let folder = Folder::new();
    let path = folder.0.join("keys");
    std::fs::write(&path, "11".repeat(KEY_LEN)).unwrap();
    let file = KeyPlace::File(path.clone());
    let credential = KeyPlace::Credential(path.clone());
    for (mode, as_file, as_credential) in [
        (0o600, true, true),
        (0o400, true, true),
        (0o440, false, true),
        (0o640, false, true),
        (0o604, false, false),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(file.load().is_ok(), as_file, "{mode:o}");
        assert_eq!(credential.load().is_ok(), as_credential, "{mode:o}");
    }
    let said = file.load().unwrap_err().to_string();
    assert!(said.contains("mode 0604") && said.contains("chmod 600"), "{said}");
}

#[test]
fn key_files_name_the_line_that_is_none() {
    let folder = Folder::new();
    let path = folder.0.join("keys");
    let good = "aB".repeat(KEY_LEN);
    let rows = [
        ("comments", format!("# one\n\n {good} # the first\n"), None),
        ("nothing", String::new(), Some("holds no key")),
        ("too short", format!("{good}\n{}", &good[2..]), Some("keys:2: a key is 64")),
        ("too long", format!("{good}00"), Some("keys:1: a key is 64")),
        ("no digits", "z".repeat(64), Some("keys:1: a key is 64")),
    ];
    for (name, text, expected) in rows {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let said = KeyPlace::File(path.clone()).load().err().map(|error| error.to_string());
        match (&said, expected) {
            (None, None) => {}
            (Some(said), Some(expected)) => assert!(said.contains(expected), "{name}: {said}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn the_named_file_comes_before_the_credential_before_the_data_directory() {
    let (folder, data) = (Folder::new(), PathBuf::from("/data"));
    let named = PathBuf::from("/named");
    let credentials = Some(folder.0.as_path());
    let in_data = KeyPlace::File(data.join("secret.keys"));
    assert_eq!(KeyPlace::find(None, None, &data), in_data);
    assert_eq!(KeyPlace::find(None, credentials, &data), in_data, "there is no such credential");
    std::fs::write(folder.0.join("waf-control-keys"), "").unwrap();
    assert!(matches!(KeyPlace::find(None, credentials, &data), KeyPlace::Credential(_)));
    assert_eq!(KeyPlace::find(Some(&named), credentials, &data), KeyPlace::File(named));
}
