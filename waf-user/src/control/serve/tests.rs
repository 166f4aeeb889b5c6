//! A control process on loopback, with real TLS and a store on disk.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{AUTHORITY, Control, ControlSettings, OPERATOR_TOKEN, ServeError, import};
use crate::control::client::{Client, ClientError, Limits, read_token};
use crate::control::export::ExportError;
use crate::control::ledger::LedgerError;
use crate::control::store::{Folder, StoreError};
use crate::model::Fqdn;
use crate::secret::SecretError;
use crate::tls::fixtures;

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);
/// Less than what requests under way are given, for there are none.
const END_SOON: Duration = Duration::from_secs(8);

fn settings(folder: &Folder, more: &str) -> ControlSettings {
    let least = "data_dir = \"data\"\nzone = \"edge.example\"\n[sync]\nlisten = \"127.0.0.1:0\"\n\
        [api]\nlisten = \"127.0.0.1:0\"\n";
    ControlSettings::parse(&format!("{least}{more}"), &folder.path().join("control.toml")).unwrap()
}

/// A control process on threads of its own, which runs until it is told to end.
struct Running {
    address: SocketAddr,
    end: watch::Sender<bool>,
    thread: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    fn start(settings: &ControlSettings) -> Self {
        let settings = settings.clone();
        let (tell, address) = mpsc::channel();
        let (end, told) = watch::channel(false);
        let thread = std::thread::spawn(move || {
            Runtime::new().unwrap().block_on(async {
                let control = Control::open(settings).await?;
                assert!(control.sync_address().unwrap().is_some());
                tell.send(control.api_address().unwrap()).unwrap();
                control.serve(told).await
            })
        });
        Self { address: address.recv_timeout(SOON).unwrap(), end, thread }
    }

    /// Trusts `ca`, and shows the token that the process left in its data directory.
    fn client(&self, data: &Path, ca: &Path) -> Client {
        let (token, ca) = (read_token(&data.join(OPERATOR_TOKEN)).unwrap(), std::fs::read(ca).unwrap());
        let url = format!("https://{}", self.address).parse().unwrap();
        Client::new(url, Some(&ca), token, Limits::default()).unwrap()
    }

    fn whoami(&self, data: &Path) -> Value {
        self.client(data, &data.join(AUTHORITY)).get("/v1/whoami").unwrap()
    }

    fn stop(self) {
        let begun = Instant::now();
        self.end.send_replace(true);
        self.thread.join().unwrap().unwrap();
        assert!(begun.elapsed() < END_SOON, "{:?}", begun.elapsed());
    }
}

/// Why a control process is not opened.
fn refused(settings: &ControlSettings) -> ServeError {
    let opened = Runtime::new().unwrap().block_on(Control::open(settings.clone()));
    opened.err().unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_control_plane_begins_by_being_started_and_goes_on_as_it_was() {
    let folder = Folder::new("control-start");
    let settings = settings(&folder, "");
    let data = settings.data_dir.as_path();
    let (token, authority) = (data.join(OPERATOR_TOKEN), data.join(AUTHORITY));
    let running = Running::start(&settings);
    let keys = data.join("secret.keys");
    for (path, expected) in [(data, 0o700), (&token, 0o600), (&keys, 0o600), (&authority, 0o644)] {
        assert_eq!(mode(path), expected, "{}", path.display());
    }
    let first = running.whoami(data);
    assert_eq!(first["token"]["role"], "operator");
    let error = refused(&settings);
    assert!(matches!(error, ServeError::Store(StoreError::Locked { .. })), "two on one store: {error:?}");
    let read = || [&token, &authority, &keys].map(|path| std::fs::read(path).unwrap());
    let written = read();
    running.stop();
    let running = Running::start(&settings);
    assert_eq!(running.whoami(data), first);
    assert_eq!(read(), written);
    running.stop();
}

#[test]
fn an_operator_is_let_in_where_no_token_is_good_any_more() {
    let folder = Folder::new("control-locked-out");
    let settings = settings(&folder, "");
    let data = settings.data_dir.as_path();
    let running = Running::start(&settings);
    let first = running.whoami(data);
    let mut client = running.client(data, &data.join(AUTHORITY));
    let path = format!("/v1/tokens/{}", first["token"]["id"].as_str().unwrap());
    client.call::<Value>(Method::DELETE, &path).unwrap();
    let error = client.get::<Value>("/v1/whoami").unwrap_err();
    assert!(error.to_string().contains("(401)"), "{error}");
    running.stop();
    let running = Running::start(&settings);
    assert_ne!(running.whoami(data)["token"]["id"], first["token"]["id"]);
    running.stop();
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_made_anew() {
    let folder = Folder::new("control-refused");
    let settings = settings(&folder, "");
    Running::start(&settings).stop();
    let mut other = settings.clone();
    other.zone = Fqdn::new("other.example").unwrap();
    let error = refused(&other);
    assert!(matches!(error, ServeError::Ledger(LedgerError::Zone { .. })), "{error:?}");
    let keys = settings.data_dir.join("secret.keys");
    let aside = folder.path().join("aside.keys");
    std::fs::rename(&keys, &aside).unwrap();
    let error = refused(&settings);
    assert!(matches!(error, ServeError::Secret(SecretError::Read { .. })), "{error:?}");
    assert!(!keys.exists(), "another key would open nothing");
    let mut named = settings;
    named.key_file = Some(aside);
    Running::start(&named).stop();
}

#[test]
fn the_certificate_of_the_api_may_be_another_authoritys() {
    let folder = Folder::new("control-certificate");
    let authority = fixtures::Authority::new();
    let (certificate, key) = authority.issue(&["127.0.0.1"]);
    for (name, text) in [("ca.pem", authority.pem()), ("api.pem", &certificate), ("api.key", &key)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let key = folder.path().join("api.key");
    let settings = settings(&folder, "certificate = \"api.pem\"\nkey = \"api.key\"\n");
    set_mode(&key, 0o644);
    let error = refused(&settings);
    assert!(matches!(error, ServeError::Open { .. }), "{error:?}");
    set_mode(&key, 0o640);
    let data = settings.data_dir.as_path();
    let running = Running::start(&settings);
    running.client(data, &folder.path().join("ca.pem")).get::<Value>("/v1/whoami").unwrap();
    let error = running.client(data, &data.join(AUTHORITY)).get::<Value>("/v1/whoami").unwrap_err();
    assert!(matches!(error, ClientError::Handshake { .. }), "{error}");
    running.stop();
}

#[test]
fn those_who_say_nothing_or_no_tls_hold_up_nobody_nor_the_end() {
    let folder = Folder::new("control-silent");
    let settings = settings(&folder, "");
    let running = Running::start(&settings);
    let silent: Vec<_> = (0..20).map(|_| TcpStream::connect(running.address).unwrap()).collect();
    let mut clear = TcpStream::connect(running.address).unwrap();
    clear.write_all(b"GET /v1/healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    clear.set_read_timeout(Some(SOON)).unwrap();
    let mut answer = Vec::new();
    let _closed_or_reset = clear.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "nothing is answered in the clear");
    // This one keeps its connection until after the end.
    let mut client = running.client(&settings.data_dir, &settings.data_dir.join(AUTHORITY));
    client.get::<Value>("/v1/whoami").unwrap();
    running.stop();
    drop((silent, client));
}

#[test]
fn an_export_is_read_into_an_empty_store_and_exported_again_to_the_byte() {
    let (from, to) = (Folder::new("control-export"), Folder::new("control-import"));
    let (here, there) = (settings(&from, ""), settings(&to, ""));
    let export = |running: &Running, data: &Path| {
        let mut client = running.client(data, &data.join(AUTHORITY));
        // At the second time it is there already: nothing changes.
        client.send::<_, Value>(Method::PUT, "/v1/customers/acme", &json!({"note": "山田"})).unwrap();
        client.get_text("/v1/export").unwrap()
    };
    let running = Running::start(&here);
    let text = export(&running, &here.data_dir);
    running.stop();
    let path = from.path().join("fleet.export");
    std::fs::write(&path, &text).unwrap();
    let error = import(&there, &path, |_, _| {}).unwrap_err();
    assert!(matches!(error, ServeError::Secret(SecretError::Read { .. })), "without its keys: {error:?}");
    for file in ["secret.keys", OPERATOR_TOKEN] {
        std::fs::copy(here.data_dir.join(file), there.data_dir.join(file)).unwrap();
    }
    let mut heard = Vec::new();
    let imported = import(&there, &path, |done, all| heard.push((done, all))).unwrap();
    assert_eq!((imported.revision.0, imported.sites, imported.nodes), (1, 0, 0));
    assert!(heard.last().is_some_and(|(done, all)| done == all && *all > 5), "{heard:?}");
    let error = import(&there, &path, |_, _| {}).unwrap_err();
    assert!(matches!(error, ServeError::Import { source: ExportError::NotEmpty, .. }), "{error:?}");
    let running = Running::start(&there);
    assert_eq!(export(&running, &there.data_dir), text);
    running.stop();
}
