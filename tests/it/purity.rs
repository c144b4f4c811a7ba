//! The floors' imports run one way, and the lower ones know nothing of the world.
//!
//! Seen from the sources: what a file names through `crate::`, and which words of other people's it uses.

use std::{fs, path::Path};

/// What each floor may use besides itself.
const FLOORS: [(&str, &[&str]); 9] = [
    ("catalog", &[]),
    ("estimate", &["catalog"]),
    ("browse", &["catalog"]),
    ("decide", &["estimate", "catalog"]),
    ("store", &["catalog"]),
    ("sources", &["catalog"]),
    ("http", &["web", "store", "browse", "decide", "estimate", "catalog"]),
    ("web", &["browse", "estimate", "catalog"]),
    ("cli", &["http", "web", "store", "sources", "browse", "decide", "estimate", "catalog", "config"]),
];

/// Floors that are arithmetic and facts alone.
const PURE: [&str; 5] = ["catalog", "estimate", "browse", "decide", "sources"];

/// Words of HTTP, SQL, the time of day, chance and the machine.
const WORLDLY: [&str; 19] = [
    "axum",
    "tower",
    "tower_http",
    "hyper",
    "http_body_util",
    "sqlx",
    "tokio",
    "reqwest",
    "rand",
    "uuid",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "RandomState",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
];

/// A source without its comments: they may name what they like.
fn code(source: &str) -> String {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The floors that a source names: `crate::catalog`, and each of `crate::{catalog::money, estimate}`.
fn named_floors(code: &str) -> Vec<String> {
    let mut floors = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(is_of_a_name) {
            continue; // another crate's name that ends in these letters
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => floors.extend(members(group).into_iter().map(first_name)),
            None => floors.push(first_name(rest)),
        }
    }
    floors
}

/// The members of a group whose opening brace has been read.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            members.push(group[start..at].trim());
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| is_of_a_name(*c)).collect()
}

/// Whether a word stands in a source by itself.
fn uses(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_of_a_name) && !code[at + word.len()..].starts_with(is_of_a_name)
    })
}

/// What is wrong with a source of a floor.
fn violations(floor: &str, source: &str) -> Vec<String> {
    let code = code(source);
    let below = FLOORS.iter().find(|(name, _)| *name == floor).map_or(&[] as &[&str], |(_, below)| *below);
    let known = |name: &str| FLOORS.iter().any(|(floor, _)| *floor == name) || name == "config";
    let mut wrong: Vec<String> = named_floors(&code)
        .into_iter()
        .filter(|name| known(name) && name != floor && !below.contains(&name.as_str()))
        .map(|name| format!("`{floor}` uses `{name}`"))
        .collect();
    if PURE.contains(&floor) {
        let words = WORLDLY.into_iter().filter(|word| uses(&code, word));
        wrong.extend(words.map(|word| format!("`{floor}` uses `{word}`")));
    }
    wrong
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_floors_imports_run_one_way() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut read, mut wrong) = (0, Vec::new());
    for (floor, _) in FLOORS.iter().filter(|(floor, _)| house.join(floor).exists()) {
        let mut files = Vec::new();
        sources(&house.join(floor), &mut files);
        read += files.len();
        for (path, source) in files {
            wrong.extend(violations(floor, &source).into_iter().map(|wrong| format!("{path}: {wrong}")));
        }
    }
    assert!(read > 50, "only {read} files were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_folder_of_the_house_is_a_floor() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(house).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().into_string().unwrap();
        assert!(FLOORS.iter().any(|(floor, _)| *floor == name), "`{name}` is no floor that is known");
    }
}

#[test]
fn an_import_that_runs_the_other_way_is_noticed() {
    for planted in [
        "use crate::http::problem::Problem;",
        "use crate::{catalog::money::Money, http::App};",
        "use crate::{\n    catalog::{ids::MeterId, money},\n    store,\n};",
        "fn f() { crate::cli::run() }",
        "pub(crate) use crate::config::Config;",
    ] {
        assert_eq!(violations("estimate", planted).len(), 1, "{planted}");
    }
}

#[test]
fn a_word_of_the_world_is_noticed() {
    for planted in [
        "use axum::Router;",
        "let now = jiff::Timestamp::now();",
        "use std::{time::Instant};",
        "std::fs::read(path)",
        "sqlx::query(\"\")",
    ] {
        assert_eq!(violations("catalog", planted).len(), 1, "{planted}");
    }
}

#[test]
fn what_is_below_and_what_only_sounds_alike_is_no_violation() {
    for innocent in [
        "use crate::{catalog::money::Money, estimate::fault::Fault};",
        "//! Tower and axum know nothing of crate::http here.",
        "let operand = instant + towering; // not of crate::http",
        "pub(crate) fn f() {}",
    ] {
        assert_eq!(violations("estimate", innocent), [""; 0], "{innocent}");
    }
}
