//! Seeds and words for the targets of the rules engine: our own test values, the rule files of this machine, and the cases
//! of ../shared where they are. Each seed begins with the bytes that its target reads in front.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use crate::workspace;

/// Values that attack and values that do not, one a line.
const VALUES: &str = "waf-user/src/engine/transaction/tests/corpus";
const STARTER: &str = "waf-user/rules/starter.conf";
/// The rules of Debian's package.
const PACKAGED: &str = "/usr/share/modsecurity-crs/rules";
/// Bytes of a seed made of rule text: a rule with its chain is shorter.
const RULE_BYTES: usize = 2000;
/// Seeds of one kind: the fuzzer reads all of them before it begins.
const SEEDS: usize = 400;

/// What a target begins with.
///
/// # Errors
/// A file of the tree cannot be read.
pub fn seeds(target: &str) -> Result<Vec<Vec<u8>>> {
    let mut seeds = match target {
        "rule_text" => rules()?,
        "pattern" => patterns()?,
        "transformation" => cases("transformations"),
        "operator" => cases("operators"),
        "coding" => coded(),
        "transaction" => requests()?,
        body => bodies(body)?,
    };
    // Spread over all of them where there are too many.
    let step = seeds.len().div_ceil(SEEDS).max(1);
    seeds = seeds.into_iter().step_by(step).collect();
    Ok(seeds)
}

/// Words that a target's input is made of, in the syntax of libFuzzer's dictionaries.
///
/// # Errors
/// A file of the tree cannot be read.
pub fn words_of(target: &str) -> Result<String> {
    let words: BTreeSet<Vec<u8>> = match target {
        "rule_text" | "pattern" | "operator" => {
            let texts = rule_files()?.into_iter().map(|(_, text)| text);
            texts.flat_map(|text| words(&text)).collect()
        }
        "transaction" => values()?.into_iter().chain(fields()).filter(|word| word.len() < 40).collect(),
        "json" => [
            b"{\"a\":".as_slice(),
            b"[",
            b"\\ud83d\\ude00",
            b"\\u0000",
            b"1e9",
            b"null",
            b"true",
            b"\xef\xbb\xbf",
        ]
        .map(<[u8]>::to_vec)
        .into(),
        "xml" => [
            b"<![CDATA[".as_slice(),
            b"]]>",
            b"<!DOCTYPE a [",
            b"<!ENTITY b \"c\">",
            b"&b;",
            b"&#x41;",
            b"<?xml ",
        ]
        .map(<[u8]>::to_vec)
        .into(),
        "multipart" => [
            b"--b\r\n".as_slice(),
            b"--b--\r\n",
            b"Content-Disposition: form-data; name=\"",
            b"; filename=\"",
            b"\r\n\r\n",
            b"multipart/form-data; boundary=",
        ]
        .map(<[u8]>::to_vec)
        .into(),
        "transformation" | "urlencoded" => [
            b"%u".as_slice(),
            b"%00",
            b"\\u00",
            b"\\x",
            b"&#x",
            b"&quot;",
            b"/*",
            b"*/",
            b"<!--",
            b"-->",
            b"/../",
            b"0x",
            b"\xc0\xaf",
        ]
        .map(<[u8]>::to_vec)
        .into(),
        _ => BTreeSet::new(),
    };
    let mut text = String::new();
    for word in words.iter().filter(|word| !word.is_empty() && word.len() <= 64) {
        let shown: String = word
            .iter()
            .map(|byte| match byte {
                b'"' | b'\\' => format!("\\{}", char::from(*byte)),
                b' '..=b'~' => char::from(*byte).to_string(),
                other => format!("\\x{other:02x}"),
            })
            .collect();
        text.push_str(&format!("\"{shown}\"\n"));
    }
    Ok(text)
}

/// Path and text of every rule file here.
fn rule_files() -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut paths = files(Path::new(PACKAGED), "conf");
    paths.push(workspace::root().join(STARTER));
    paths.into_iter().map(|path| Ok((path.clone(), fs::read(&path)?))).collect()
}

/// Each directive with the lines that continue it.
fn rules() -> Result<Vec<Vec<u8>>> {
    let mut rules = Vec::new();
    for (_, text) in rule_files()? {
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut rule = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            rule.push_str(line);
            rule.push('\n');
            if !line.ends_with('\\') {
                let rule = std::mem::take(&mut rule);
                if (2..RULE_BYTES).contains(&rule.len()) {
                    rules.push(rule.into_bytes());
                }
            }
        }
    }
    Ok(rules)
}

/// Arguments of @rx with their length in front, each before values.
fn patterns() -> Result<Vec<Vec<u8>>> {
    let values = values()?;
    let mut seeds = Vec::new();
    for rule in rules()? {
        let rule = String::from_utf8_lossy(&rule).into_owned();
        let Some((_, rest)) = rule.split_once("\"@rx ").or_else(|| rule.split_once("\"!@rx ")) else {
            continue;
        };
        let pattern = rest.split("\" \\").next().unwrap_or_default();
        if let Ok(length) = u8::try_from(pattern.len()) {
            let value = values.get(seeds.len() % values.len().max(1)).cloned().unwrap_or_default();
            seeds.push([&[length], pattern.as_bytes(), &value].concat());
        }
    }
    Ok(seeds)
}

/// Inputs of the shared cases under numbers that the targets spread over their names.
fn cases(folder: &str) -> Vec<Vec<u8>> {
    let Some(shared) = workspace::shared() else { return Vec::new() };
    let mut seeds = Vec::new();
    for path in files(&shared.join("seclang-cases").join(folder), "json") {
        let cases = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        for case in cases.iter().filter_map(Value::as_array).flatten() {
            let number = u8::try_from(seeds.len() % 256).unwrap_or(0);
            let text = |key: &str| case[key].as_str().unwrap_or_default().as_bytes().to_vec();
            let argument = text("param");
            match u8::try_from(argument.len()) {
                Ok(length) if folder == "operators" => {
                    seeds.push([vec![number, length], argument, text("input")].concat());
                }
                _ => seeds.push([vec![number], text("input")].concat()),
            }
        }
    }
    seeds
}

/// `body` in a few codings, as compressors write it.
fn coded() -> Vec<Vec<u8>> {
    // "aaaa…" by gzip, zlib and brotli.
    let gzip: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\xa4\x0c\x00\x00\x62\x8f\x9c\x0d\x64\x00\x00\x00";
    let zlib: &[u8] = b"\x78\x9c\x4b\xa4\x3d\x00\x00\x73\x0d\x25\xe5";
    let brotli: &[u8] = b"\x1b\x63\x00\xf8\x25\xc2\x82\xb1\x40\x20";
    let one = |name: u8, text: &[u8]| [&[name, 100], text].concat();
    vec![one(0, gzip), one(1, zlib), one(2, brotli), one(4, gzip), one(5, gzip), one(3, brotli)]
}

fn requests() -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for (index, value) in values()?.iter().enumerate() {
        let front = [u8::try_from(index % 8).unwrap_or(0), 30];
        let head: &[u8] = match index % 4 {
            0 => b"GET /a?q=",
            1 => b"POST /b HTTP/1.1\nHost: www.example.test\nContent-Type: application/x-www-form-urlencoded\n\nq=",
            2 => b"GET / HTTP/1.1\nHost: www.example.test\nCookie: a=",
            _ => b"POST /c HTTP/1.1\nHost: www.example.test\nContent-Type: application/json\n\n{\"q\":\"",
        };
        let end: &[u8] = match index % 4 {
            0 => b" HTTP/1.1\nHost: www.example.test\nUser-Agent: x\n\n",
            3 => b"\"}",
            _ => b"",
        };
        seeds.push([&front, head, value, end].concat());
    }
    Ok(seeds)
}

/// Header fields that rules look at.
fn fields() -> Vec<Vec<u8>> {
    [
        "\nContent-Type: multipart/form-data; boundary=b\n",
        "\nContent-Type: text/xml\n",
        "\nContent-Encoding: gzip\n",
        "\nTransfer-Encoding: chunked\n",
        "\nRange: bytes=0-1,2-3\n",
        "\nX-Forwarded-For: 203.0.113.9\n",
        "\nReferer: http://\n",
        "\n\n",
    ]
    .map(|field| field.as_bytes().to_vec())
    .into()
}

fn bodies(kind: &str) -> Result<Vec<Vec<u8>>> {
    let (before, after): (&[u8], &[u8]) = match kind {
        "urlencoded" => (b"\x80a=1&b=", b"&c"),
        "json" => (b"\x80{\"a\":[1,true,null,\"", b"\"]}"),
        "xml" => (b"\x80<?xml version=\"1.0\"?><a b=\"c\"><d>", b"</d><!-- e --><![CDATA[f]]></a>"),
        "multipart" => (
            b"\x80--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\nContent-Type: text/plain\r\n\r\n",
            b"\r\n--b\r\nContent-Disposition: form-data; name=c\r\n\r\nd\r\n--b--\r\n",
        ),
        _ => return Ok(Vec::new()),
    };
    let values = values()?;
    Ok(values.iter().map(|value| [before, value, after].concat()).collect())
}

/// All values of the engine's tests.
fn values() -> Result<Vec<Vec<u8>>> {
    let mut values = Vec::new();
    for path in files(&workspace::root().join(VALUES), "txt") {
        let text = fs::read(&path)?;
        values.extend(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
    }
    Ok(values)
}

/// Names, keywords and operators of rule text.
fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@:!&.%{}".contains(byte);
    let words = text.split(|byte| !name(byte)).filter(|word| (3..40).contains(&word.len()));
    // Names come often; what comes once is an argument.
    let mut counted = std::collections::BTreeMap::<&[u8], u32>::new();
    words.for_each(|word| *counted.entry(word).or_default() += 1);
    counted.into_iter().filter(|(_, count)| *count >= 5).map(|(word, _)| word.to_vec()).collect()
}

/// Files of a folder by the end of their names, sorted; none where it does not exist.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == end));
    paths.sort();
    paths
}
