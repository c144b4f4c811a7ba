//! README.md, taken at its word: every example is run, and its answer is the one that is shown.
//!
//! A block of ```` ```sh ```` is given to `sh`, in an empty folder that the blocks share from top to bottom.
//! `farthing` there is the program. `curl` is a function that says what it was asked to send, which goes to the
//! service on the built-in catalog at a fixed time; so neither curl nor a port is needed. The block after it is
//! what must come out: one or more JSON values, or text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use clap::Args as _;
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    config::Config,
    http::{App, Settings},
};
use serde_json::Value;

use crate::helpers::{ask_of, now};

/// Where the README has the service.
const SERVICE: &str = "http://localhost:8080";

/// Blocks that are not run here: one needs minutes, one would run itself, one needs Docker.
const NOT_RUN: [&str; 3] = [
    "cargo run --release\n",
    "cargo test\n",
    "docker build --tag farthing .\ndocker run --publish 8080:8080 --volume farthing:/data farthing\n",
];

/// What `curl` does in the README: it says its arguments and what it was given to read, and that it has ended.
const CURL: &str = r#"
curl() {
  printf '%s\0' "$@"
  case " $* " in *" @- "*) printf 'stdin\0' && cat && printf '\0' ;; esac
  printf 'sent\0'
}
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[derive(Debug)]
struct Block {
    line: usize,
    language: String,
    text: String,
}

fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (index, line) in readme.lines().enumerate() {
        match (line.strip_prefix("```"), is_open) {
            (Some(_), true) => is_open = false,
            (Some(language), false) => {
                is_open = true;
                blocks.push(Block { line: index + 1, language: language.to_owned(), text: String::new() });
            }
            (None, true) => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!is_open, "a block is not closed");
    blocks
}

/// What the shell says for a block; it must succeed.
fn shell(block: &Block, folder: &Path) -> Vec<u8> {
    let programs = Path::new(env!("CARGO_BIN_EXE_farthing")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let script = format!("{CURL}\n{}", block.text);
    let mut command = Command::new("sh");
    command.args(["-eu", "-c", &script]).current_dir(folder).env("PATH", path);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FARTHING_")) {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "README.md:{}: {said}", block.line);
    output.stdout
}

/// The requests that `curl` was asked to send.
fn requests(said: &[u8], folder: &Path) -> Vec<Request<Body>> {
    let said = std::str::from_utf8(said).unwrap();
    let commands = said.split("sent\0").filter(|command| !command.is_empty());
    commands.map(|command| request(command.strip_suffix('\0').unwrap(), folder)).collect()
}

/// One request, from arguments of `curl` that end in NUL. An argument that is not known here is refused.
fn request(arguments: &str, folder: &Path) -> Request<Body> {
    let mut words = arguments.split('\0');
    let (mut path, mut body, mut stdin) = (None, None, None);
    let mut headers = Vec::new();
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap().to_owned();
        match word {
            "--silent" | "-s" => {}
            "-H" | "--header" => headers.push(value()),
            "--json" => {
                headers.push("content-type: application/json".to_owned());
                headers.push("accept: application/json".to_owned());
                body = Some(value());
            }
            "--data-binary" => body = Some(value()),
            "stdin" => stdin = Some(value()),
            url => {
                let rest = url.strip_prefix(SERVICE).unwrap_or_else(|| panic!("`{url}` is not understood"));
                assert_eq!(path.replace(rest.to_owned()), None);
            }
        }
    }
    let body = body.map(|body| match body.strip_prefix('@') {
        Some("-") => stdin.clone().unwrap(),
        Some(file) => fs::read_to_string(folder.join(file)).unwrap(),
        None => body,
    });
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::builder().method(method).uri(path.unwrap());
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.body(body.unwrap_or_default().into()).unwrap()
}

/// The service as it comes, at the tests' time.
fn service() -> Router {
    let catalog = Catalog::new(built_in_snapshot().unwrap());
    farthing::http::router(App::new(Arc::new(catalog), now, Settings::default()))
}

/// What a block answers, as a person sees it.
async fn answer(block: &Block, folder: &Path, service: &Router) -> String {
    let said = shell(block, folder);
    if !block.text.contains("curl ") {
        return String::from_utf8(said).unwrap();
    }
    let mut answers = String::new();
    for request in requests(&said, folder) {
        let answer = ask_of(service.clone(), request).await;
        let is_answer = answer.status.is_success() || answer.header("content-type").contains("problem");
        assert!(is_answer, "README.md:{}: {}", block.line, answer.status);
        answers.push_str(answer.text());
    }
    answers
}

/// JSON values one after the other. Rows are numbered in the order in which they are named: their real numbers
/// change with every row that the catalog gains.
fn values(text: &str) -> Vec<Value> {
    let mut names: Vec<String> = Vec::new();
    let mut numbered = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("rate_card:") {
        let end = at + "rate_card:".len();
        let digits = rest[end..].find(|c: char| !c.is_ascii_digit()).unwrap();
        let name = &rest[end..end + digits];
        let known = names.iter().position(|known| known == name);
        let number = known.unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        numbered.push_str(&rest[..end]);
        numbered.push_str(&number.to_string());
        rest = &rest[end + digits..];
    }
    numbered.push_str(rest);
    serde_json::Deserializer::from_str(&numbered).into_iter().map(Result::unwrap).collect()
}

/// A folder that is empty.
fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
async fn every_example_answers_what_is_shown() {
    let readme = readme();
    let (folder, service) = (empty_folder("readme"), service());
    let mut blocks = blocks(&readme).into_iter().peekable();
    let mut answered = 0;
    while let Some(block) = blocks.next() {
        assert_eq!(block.language, "sh", "README.md:{}: an answer to nothing", block.line);
        if NOT_RUN.contains(&block.text.as_str()) {
            continue;
        }
        let got = answer(&block, &folder, &service).await;
        let Some(shown) = blocks.next_if(|next| next.language != "sh") else {
            continue;
        };
        answered += 1;
        let at = format!("README.md:{}: the answer is\n{got}", shown.line);
        match shown.language.as_str() {
            "json" => assert_eq!(values(&got), values(&shown.text), "{at}"),
            "text" => assert_eq!(trimmed(&got), trimmed(&shown.text), "{at}"),
            other => panic!("README.md:{}: nobody knows how to compare `{other}`", shown.line),
        }
    }
    assert!(answered >= 10, "only {answered} examples have an answer");
}

/// Text without the ends of lines that nobody sees.
fn trimmed(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

#[test]
fn only_what_cannot_be_run_here_is_not_run() {
    let readme = readme();
    let blocks = blocks(&readme);
    for block in NOT_RUN {
        assert_eq!(blocks.iter().filter(|found| found.text == block).count(), 1, "{block}");
    }
}

#[test]
fn an_answer_that_differs_in_a_digit_is_noticed() {
    let shown = r#"{ "refs": ["rate_card:7"], "total": { "amount": "0.006" } }"#;
    assert_eq!(values(shown), values(r#"{"refs":["rate_card:2870"],"total":{"amount":"0.006"}}"#));
    assert_ne!(values(shown), values(r#"{"refs":["rate_card:7"],"total":{"amount":"0.0060001"}}"#));
}

#[test]
fn every_setting_is_in_the_table_with_its_default() {
    let readme = readme();
    let rows = readme.lines().filter(|line| line.starts_with("| `--"));
    let shown: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").take(3).collect()).collect();
    let command = Config::augment_args(clap::Command::new("serve"));
    let settings: Vec<Vec<String>> = command
        .get_arguments()
        .map(|setting| {
            let default = setting.get_default_values().first();
            let default = default.map_or("none".to_owned(), |value| format!("`{}`", value.to_string_lossy()));
            let variable = setting.get_env().unwrap().to_string_lossy();
            vec![format!("| `--{}`", setting.get_long().unwrap()), format!("`{variable}`"), default]
        })
        .collect();
    assert_eq!(shown, settings);
}

#[test]
fn the_catalog_is_as_large_as_it_says_to_a_twentieth() {
    let readme = readme().replace('\n', " ");
    let snapshot = built_in_snapshot().unwrap();
    let tables = snapshot.history();
    for (size, what) in [(tables.offerings.len(), " offerings"), (tables.rate_cards.len(), " rate cards")] {
        let before = readme.split_once(what).unwrap().0;
        let said: String = before.rsplit(' ').next().unwrap().replace(',', "");
        let said: usize = said.parse().unwrap();
        assert!(said.abs_diff(size) * 20 <= size, "{said}{what} are {size}");
    }
}

#[test]
fn every_file_that_it_points_to_is_there() {
    let readme = readme();
    let links = readme.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0);
    for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
        assert!(root().join(link).exists(), "{link}");
    }
}

#[test]
fn requests_are_read_as_curl_would_send_them() {
    let folder = empty_folder("readme-requests");
    fs::write(folder.join("line"), "{}\n").unwrap();
    let said =
        format!("{SERVICE}/x?y=1\0-H\0accept: text/csv\0sent\0{SERVICE}/z\0--data-binary\0@line\0sent\0");
    let [get, post] = requests(said.as_bytes(), &folder).try_into().unwrap();
    assert_eq!((get.method(), get.uri().to_string().as_str()), (&Method::GET, "/x?y=1"));
    assert_eq!(get.headers()[header::ACCEPT], "text/csv");
    assert_eq!((post.method(), post.uri().path()), (&Method::POST, "/z"));
}
