//! What is compiled anew and what is shared, over files that change.

use super::*;

/// A folder of rule files; gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("waf-rule-sets-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn rule(id: u64) -> String {
    format!("SecRule ARGS \"x\" \"id:{id},phase:1,pass\"\n")
}

/// The set of each list, in a configuration of their own that is then served.
fn served(sets: &RuleSets, lists: &[&[PathBuf]]) -> Vec<Arc<RuleSet>> {
    let mut gathering = sets.gather();
    let rules = lists.iter().map(|list| gathering.of(Some(list)).unwrap_or_else(|error| panic!("{error:?}")));
    let rules = rules.collect();
    gathering.keep();
    rules
}

#[test]
fn the_same_content_is_one_set() {
    let folder = Folder::new("same");
    let [a, b] = [1, 2].map(|id| folder.write(&format!("{id}.conf"), &rule(id)));
    let other_a = folder.write("other/a.conf", &rule(1));
    let (by_include, other_include) =
        (folder.write("all.conf", "Include 1.conf\n"), folder.write("other/all.conf", "Include a.conf\n"));
    let sets = RuleSets::default();
    let lists: [&[PathBuf]; 7] = [
        &[a.clone(), b.clone()],
        &[a.clone(), b.clone()],
        &[b.clone(), a.clone()],
        std::slice::from_ref(&a),
        std::slice::from_ref(&other_a),
        std::slice::from_ref(&by_include),
        std::slice::from_ref(&other_include),
    ];
    let rules = served(&sets, &lists);
    let is_same = |one: usize, other: usize| Arc::ptr_eq(&rules[one], &rules[other]);
    assert!(is_same(0, 1), "the same list");
    assert!(!is_same(0, 2), "the order matters");
    assert!(is_same(3, 4), "the same text under another name");
    assert!(!is_same(5, 6), "the text that includes differs");
    assert!(sets.gather().of(Some(&[])).unwrap().is_empty());
}

#[test]
fn only_what_changed_is_compiled_anew() {
    let folder = Folder::new("changed");
    let (main, other) = (
        folder.write("main.conf", "Include rules/*.conf\nIncludeOptional late.conf\n"),
        folder.write("other.conf", &rule(9)),
    );
    let data = folder.write("rules/words.data", "one\n");
    folder.write("rules/1.conf", "SecRule ARGS \"@pmFromFile words.data\" \"id:1,phase:1,pass\"\n");
    let sets = RuleSets::default();
    let lists: [&[PathBuf]; 2] = [std::slice::from_ref(&main), std::slice::from_ref(&other)];
    let mut last = served(&sets, &lists);
    let steps: [(&str, &dyn Fn(), bool); 6] = [
        ("nothing", &|| {}, false),
        ("a rule file", &|| drop(folder.write("rules/1.conf", &rule(1))), true),
        ("a new one below the pattern", &|| drop(folder.write("rules/2.conf", &rule(2))), true),
        ("an optional one comes", &|| drop(folder.write("late.conf", &rule(3))), true),
        ("written as it was", &|| drop(folder.write("late.conf", &rule(3))), false),
        ("data that no rule reads any more", &|| std::fs::write(&data, "two\n").unwrap(), false),
    ];
    for (name, change, expected) in steps {
        change();
        let next = served(&sets, &lists);
        assert_eq!(!Arc::ptr_eq(&last[0], &next[0]), expected, "{name}");
        assert!(Arc::ptr_eq(&last[1], &next[1]), "{name}: the other set has not changed");
        last = next;
    }
}

#[test]
fn a_configuration_that_fails_leaves_what_was_kept() {
    let folder = Folder::new("fails");
    let good = folder.write("good.conf", &rule(1));
    let bad = folder.write("bad.conf", "\nSecRul ARGS x\n");
    let sets = RuleSets::default();
    let first = served(&sets, &[std::slice::from_ref(&good)]);
    let mut gathering = sets.gather();
    let error = gathering.of(Some(&[bad])).err().map(|error| match error {
        RuleSetError::Compile(errors) => errors.to_string(),
        RuleSetError::Read { path, .. } => path.display().to_string(),
    });
    assert!(error.as_deref().is_some_and(|text| text.contains("bad.conf:2:1")), "{error:?}");
    drop(gathering);
    let again = served(&sets, &[std::slice::from_ref(&good)]);
    assert!(Arc::ptr_eq(&first[0], &again[0]));
    let missing = sets.gather().of(Some(&[folder.0.join("none.conf")])).err();
    assert!(matches!(missing, Some(RuleSetError::Read { .. })), "{missing:?}");
}

#[test]
fn without_a_list_the_package_or_the_starter_rules_stand_in() {
    let sets = RuleSets::default();
    let mut gathering = sets.gather();
    let packaged = Path::new(rule_files::PACKAGED).is_file();
    let rules = gathering.of(None).unwrap();
    assert_eq!(gathering.fell_back(), !packaged);
    assert_eq!(rules.len() > 500, packaged, "{} rules", rules.len());
    let starter = gathering.starter().unwrap();
    assert!(!starter.is_empty() && gathering.fell_back());
    if !packaged {
        println!("skipped: the package modsecurity-crs is not installed");
    }
}
