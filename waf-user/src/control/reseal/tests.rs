//! A rotation in a real store.

use super::*;
use crate::control::store::{Folder, Key, SqliteStore};
use crate::secret::Secret;

fn ring(current: u8, older: &[u8]) -> KeyRing {
    let key = |byte: &u8| Secret::new([*byte; 32]);
    KeyRing::new(&key(&current), &older.iter().map(key).collect::<Vec<_>>()).unwrap()
}

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

#[tokio::test]
async fn rotation_seals_anew_and_may_be_repeated() {
    let folder = Folder::new("reseal");
    let store = SqliteStore::open(folder.path()).unwrap();
    let prefix = Prefix::new("certificate/").unwrap();
    let mut operations = vec![Operation::put(&Key::new("certificate/plain").unwrap(), "{}")];
    for number in 0..10 {
        let key = prefix.key(number).unwrap();
        let sealed = ring(1, &[]).seal(key.as_str(), &secret(&format!("hunter{number}"))).unwrap();
        operations.push(Operation::put(&key, sealed.into_bytes()));
    }
    store.commit(Transaction::new(Vec::new(), operations).unwrap()).await.unwrap();

    let ring = ring(2, &[1]);
    let first = reseal(&store, &prefix, &ring).await.unwrap();
    assert_eq!(first, Resealed { changed: 10, current: 0, plain: 1 });
    let second = reseal(&store, &prefix, &ring).await.unwrap();
    assert_eq!(second, Resealed { changed: 0, current: 10, plain: 1 });
    // The old key is needed no more.
    let alone = self::ring(2, &[]);
    for number in 0..10 {
        let entry = store.get(&prefix.key(number).unwrap()).await.unwrap().unwrap();
        let opened = alone.open(entry.key.as_str(), &Sealed::from_bytes(&entry.value).unwrap()).unwrap();
        assert_eq!(opened.expose(), format!("hunter{number}").as_bytes());
    }
    let left = reseal(&store, &prefix, &self::ring(3, &[])).await.unwrap_err();
    assert!(matches!(left, ResealError::Secret(SecretError::UnknownKey { .. })), "{left}");
}
