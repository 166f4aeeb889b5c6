//! The OpenAPI document against the router: what the one has, the other has.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;
use utoipa::OpenApi;

use super::{Plane, serve};
use crate::control::api::openapi::Document;

/// Method and path of every route of the document, in the order of the paths.
pub fn documented() -> Vec<(Method, String)> {
    let document = serde_json::to_value(Document::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .keys()
            .map(move |method| (method.to_uppercase().parse().unwrap(), path.clone()))
    });
    let all: Vec<_> = each.collect();
    assert!(all.len() > 30, "{all:?}");
    all
}

#[test]
fn the_document_has_every_route_and_no_other() {
    // The router cannot be asked for its routes; its text can.
    let source = include_str!("../mod.rs");
    let mut routed = BTreeSet::new();
    for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
        let (path, methods) = line.split_once("\", ").unwrap();
        for method in ["get", "put", "post", "delete"] {
            if methods.split('.').any(|part| part.starts_with(&format!("{method}("))) {
                routed.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    let documented: BTreeSet<_> =
        documented().into_iter().map(|(method, path)| (method.to_string(), path)).collect();
    assert_eq!(routed, documented);
}

#[tokio::test]
async fn the_document_is_served_to_anyone_and_names_every_word_it_uses() {
    let plane = Plane::empty("api-openapi").await;
    let request = axum::http::Request::get("/v1/openapi.json").body(axum::body::Body::empty()).unwrap();
    let document = plane.send(request).await.ok();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    assert!(used.len() > 20, "{used:?}");
    for name in used {
        assert!(schemas.contains_key(&name), "{name}");
    }
    assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
}

fn references(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(at)) = fields.get("$ref") {
                used.insert(at.rsplit('/').next().unwrap().to_owned());
            }
            fields.values().for_each(|value| references(value, used));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, used)),
        _ => {}
    }
}

#[tokio::test]
async fn a_site_is_found_by_its_u_labels_too() {
    let plane = Plane::new("api-u-labels").await;
    plane.apply(&plane.operator, serve("日本.acme.jp", 10, Some("acme"))).await.ok();
    // U-labels are percent-encoded in a path.
    for path in ["xn--wgv71a.acme.jp", "%E6%97%A5%E6%9C%AC.acme.jp", "XN--WGV71A.acme.jp."] {
        let site = plane.get(&plane.acme, &format!("/v1/sites/{path}")).await.ok();
        assert_eq!(site["fqdn"], "xn--wgv71a.acme.jp", "{path}");
    }
    for path in ["%E6%97%A5.acme.jp", "%F0%9F%92%A9%20.jp", &"%E6%97%A5".repeat(2_000)] {
        plane.get(&plane.acme, &format!("/v1/sites/{path}")).await.refused(404, "there is no site");
    }
    plane.get(&plane.globex, "/v1/sites/%E6%97%A5%E6%9C%AC.acme.jp").await.refused(404, "there is no site");
}
