//! Tokens in a real store: made, found, listed, revoked, and refused when they have ended.

use std::sync::Arc;

use super::*;
use crate::control::audit::record::Actor;
use crate::control::store::{Prefix, SqliteStore, Store};

struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("waf-token-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const NOW: Wall = Wall(1_800_000_000_000);
const BY: (&Actor, Wall) = (&Actor::System, NOW);

fn wanted(role: Role, note: &str, expires: Option<Wall>) -> Wanted<'_> {
    Wanted { role, note, expires }
}

#[tokio::test]
async fn a_token_is_found_by_its_text_until_it_expires_or_is_revoked() {
    let folder = Folder::new("found");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.0).unwrap());
    let book = TokenBook::new(Arc::clone(&store));
    let acme = Role::Customer(Customer::new("acme").unwrap());
    let (text, made) = book.make(wanted(acme, "the shop", Some(Wall(NOW.0 + 1000))), &[], BY).await.unwrap();
    let (lasting, operator) = book.make(wanted(Role::Operator, "", None), &[], BY).await.unwrap();
    let again = TokenText::parse(text.reveal()).unwrap();
    assert_eq!(book.find(&again, NOW).await.unwrap(), Some(made.clone()));
    assert_eq!(book.find(&again, Wall(NOW.0 + 999)).await.unwrap(), Some(made.clone()));
    assert_eq!(book.find(&again, Wall(NOW.0 + 1000)).await.unwrap(), None);
    assert_eq!(book.find(&lasting, Wall(u64::MAX)).await.unwrap(), Some(operator.clone()));
    assert_eq!(book.list().await.unwrap().len(), 2);
    assert_eq!(book.revoke(&operator.id.to_string(), BY).await.unwrap(), operator);
    assert_eq!(book.find(&lasting, NOW).await.unwrap(), None);
    assert!(matches!(book.revoke(&operator.id.to_string(), BY).await, Err(TokenError::Unknown(_))));
    assert_eq!(book.list().await.unwrap(), [made]);
    assert_eq!(book.find(&TokenText::random().unwrap(), NOW).await.unwrap().map(|token| token.id), None);
}

#[tokio::test]
async fn the_store_never_has_a_tokens_text() {
    let folder = Folder::new("hashed");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.0).unwrap());
    let book = TokenBook::new(Arc::clone(&store));
    let (text, _) = book.make(wanted(Role::Operator, "me", None), &[], BY).await.unwrap();
    let digits = text.reveal().strip_prefix(BEGINNING).unwrap().to_owned();
    for entry in store.list(&Prefix::default()).await.unwrap().entries {
        let value = String::from_utf8(entry.value).unwrap();
        assert!(!entry.key.as_str().contains(&digits) && !value.contains(&digits), "{}", entry.key);
    }
}

#[test]
fn only_the_shape_of_a_token_is_looked_up() {
    let good = TokenText::random().unwrap().reveal().to_owned();
    assert!(TokenText::parse(&good).is_some());
    for bad in ["", "waf_", &good[1..], &good[..good.len() - 1], &format!("{good}0"), &format!("{good}\n")] {
        assert!(TokenText::parse(bad).is_none(), "{bad:?}");
    }
    let (one, other) = (TokenText::random().unwrap(), TokenText::random().unwrap());
    assert_ne!(one.reveal(), other.reveal());
}

#[tokio::test]
async fn notes_have_a_limit() {
    let folder = Folder::new("notes");
    let book = TokenBook::new(Arc::new(SqliteStore::open(&folder.0).unwrap()));
    for (len, taken) in [(NOTE_LEN_MAX, true), (NOTE_LEN_MAX + 1, false)] {
        let made = book.make(wanted(Role::Operator, &"é".repeat(len), None), &[], BY).await;
        assert_eq!(made.is_ok(), taken, "{len}");
    }
}
