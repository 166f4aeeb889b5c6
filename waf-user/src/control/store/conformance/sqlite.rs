//! SQLite against the cases.

use super::folder::Folder;
use super::*;

#[test]
fn sqlite_conforms() {
    let folder = Folder::new("sqlite");
    runtime().block_on(async {
        let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
        run("sqlite", store).await;
    });
}

#[test]
fn sqlite_loses_nothing_acknowledged_to_kill_9() {
    let folder = Folder::new("killed");
    let open = || SqliteStore::open(folder.path()).map(|store| Arc::new(store) as Arc<dyn Store>);
    killed::writers_lose_nothing(&format!("sqlite:{}", folder.path().display()), 20, open);
}
