//! Entries of `rules` over folders of both shapes.

use std::fs;

use super::*;

#[test]
fn entries_name_files_in_their_order() {
    let folder = std::env::temp_dir().join(format!("waf-rule-paths-{}", std::process::id()));
    let files = [
        "one.conf",
        "flat/crs-setup.conf",
        "flat/A.conf",
        "flat/b.conf",
        "flat/note.txt",
        "crs/crs-setup.conf.example",
        "crs/rules/REQUEST-901.conf",
        "crs/rules/RESPONSE-980.conf",
        "crs/rules/words.data",
        "crs/plugins/x-after.conf",
        "crs/plugins/x-before.conf",
        "crs/plugins/x-config.conf",
        "crs/other.conf",
        "empty/note.txt",
    ];
    for name in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let rows: &[(&str, &[&str])] = &[
        ("one.conf", &["one.conf"]),
        ("none.conf", &[]),
        ("flat/*.conf", &["flat/A.conf", "flat/b.conf", "flat/crs-setup.conf"]),
        ("flat", &["flat/crs-setup.conf", "flat/A.conf", "flat/b.conf"]),
        ("crs/rules", &["crs/rules/REQUEST-901.conf", "crs/rules/RESPONSE-980.conf"]),
        (
            "crs",
            &[
                "crs/crs-setup.conf.example",
                "crs/plugins/x-config.conf",
                "crs/plugins/x-before.conf",
                "crs/rules/REQUEST-901.conf",
                "crs/rules/RESPONSE-980.conf",
                "crs/plugins/x-after.conf",
            ],
        ),
        ("empty", &[]),
        ("none", &[]),
    ];
    for (entry, expected) in rows {
        let found = expand_rules(&folder, entry).unwrap();
        let expected: Vec<PathBuf> = expected.iter().map(|name| folder.join(name)).collect();
        assert_eq!(found, expected, "{entry}");
    }
    // What is left is swept with the temporary folder.
    let _ = fs::remove_dir_all(folder);
}
