//! Tells each kind of difference, and no secret.

use serde_json::json;

use super::*;

fn lines(before: &Value, after: &Value) -> Vec<String> {
    let word = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    difference(before, after)
        .into_iter()
        .map(|each| format!("{}: {} > {}", each.field, word(each.before), word(each.after)))
        .collect()
}

#[test]
fn fields_that_differ_are_told_and_secrets_are_not() {
    let rows: [(&str, Value, Value, &[&str]); 12] = [
        ("nothing", json!({"a": 1}), json!({"a": 1}), &[]),
        (
            "a number",
            json!({"peak": {"requests": 100}}),
            json!({"peak": {"requests": 200}}),
            &["peak.requests: 100 > 200"],
        ),
        ("one added", json!({}), json!({"tls": "none"}), &["tls: - > none"]),
        ("one removed", json!({"tls": "none"}), json!({}), &["tls: none > -"]),
        ("a list", json!({"o": ["a", "b"]}), json!({"o": ["a", "c", "d"]}), &["o[1]: b > c", "o[2]: - > d"]),
        ("a kind", json!({"o": ["a"]}), json!({"o": "a"}), &["o: [\"a\"] > a"]),
        (
            "a private key by its name",
            json!({"tls": {"private_key": "hunter2"}}),
            json!({"tls": {"private_key": "hunter3"}}),
            &["tls.private_key: (secret) > (another secret)"],
        ),
        ("camel case", json!({}), json!({"privateKey": "hunter2"}), &["privateKey: - > (secret)"]),
        (
            "a whole object added",
            json!({}),
            json!({"tls": {"chain": "PEM", "key": {"pem": "hunter2"}}}),
            &["tls.chain: - > PEM", "tls.key: - > (secret)"],
        ),
        (
            "a key by its look",
            json!({"text": "-----BEGIN PRIVATE KEY-----hunter2"}),
            json!({"text": "gone"}),
            &["text: (secret) > gone"],
        ),
        (
            "a password in a URL",
            json!({"url": "https://a.example/"}),
            json!({"url": "https://u:hunter2@a.example/"}),
            &["url: https://a.example/ > (secret)"],
        ),
        (
            "a secret within a value that changed its kind",
            json!({"o": [{"password": "hunter2"}]}),
            json!({"o": "none"}),
            &["o: (secret) > none"],
        ),
    ];
    for (name, before, after, expected) in rows {
        let lines = lines(&before, &after);
        assert_eq!(lines, expected, "{name}");
        assert!(!lines.concat().contains("hunter"), "{name}");
    }
}

#[test]
fn bounds_hold() {
    let long = "x".repeat(VALUE_LEN_MAX + 1);
    let told = difference(&json!({}), &json!({ "a": long }));
    assert_eq!(told[0].after.as_ref().unwrap().chars().count(), VALUE_LEN_MAX + 1);

    let many: serde_json::Map<String, Value> =
        (0..DIFFERENCES_MAX + 7).map(|at| (format!("f{at}"), json!(at))).collect();
    let told = difference(&json!({}), &Value::Object(many));
    assert_eq!(told.len(), DIFFERENCES_MAX + 1);
    assert_eq!(told.last().unwrap().after.as_deref(), Some("7 more fields differ"));

    let deep = (0..100).fold(json!("hunter2"), |inner, _| json!({ "a": inner }));
    let told = difference(&json!({}), &deep);
    assert_eq!((told.len(), told[0].after.as_deref()), (1, Some(REDACTED)));
}
