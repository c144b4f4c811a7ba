//! The Dockerfile without Docker: what it copies is committed, what it starts is built, and not as root.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The instructions, continued lines joined: `("COPY", "src src")`.
fn instructions() -> Vec<(String, String)> {
    let text = file("Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let instruction = |line: &str| {
        let (name, rest) = line.split_once(' ').unwrap();
        (name.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    lines.map(instruction).collect()
}

/// What an instruction says the last time that it is there: the one that holds.
fn last(name: &str) -> String {
    let found = instructions().into_iter().rfind(|(instruction, _)| instruction == name);
    found.unwrap_or_else(|| panic!("no {name}")).1
}

/// Everything that is copied from the checkout.
fn copied() -> Vec<String> {
    let copies =
        instructions().into_iter().filter(|(name, rest)| name == "COPY" && !rest.starts_with("--from"));
    let sources = copies.flat_map(|(_, rest)| {
        let mut words: Vec<String> = rest.split(' ').map(str::to_owned).collect();
        words.pop(); // where to
        words
    });
    sources.collect()
}

/// Files that a clean checkout has; none where there is no repository, as in an unpacked archive.
fn committed() -> Option<Vec<String>> {
    let output = Command::new("git").arg("ls-files").current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.is_empty()).then(|| text.lines().map(str::to_owned).collect())
}

#[test]
fn what_it_copies_is_in_a_clean_checkout() {
    let sources = copied();
    assert!(sources.iter().any(|source| source == "src"), "{sources:?}");
    for source in sources {
        let there = match committed() {
            Some(files) => {
                files.iter().any(|file| *file == source || file.starts_with(&format!("{source}/")))
            }
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join(&source).exists(),
        };
        assert!(there, "COPY {source}");
    }
}

#[test]
fn what_it_copies_is_what_dockerignore_lets_through() {
    let text = file(".dockerignore");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"), "everything is left out, but for what is named");
    let let_through: BTreeSet<String> =
        lines.map(|line| line.strip_prefix('!').unwrap().to_owned()).collect();
    assert_eq!(let_through, copied().into_iter().collect());
}

#[test]
fn what_it_starts_is_what_it_builds() {
    let cargo = file("Cargo.toml");
    assert!(cargo.contains("\n[profile.dist]\n") && cargo.contains("\nname = \"farthing\"\n"));
    let all = instructions();
    let built = |(name, rest): &(String, String)| {
        name == "RUN" && rest == "cargo build --profile dist --locked --bin farthing"
    };
    assert!(all.iter().any(built), "{all:?}");
    let installed = "--from=builder /src/target/dist/farthing /usr/local/bin/farthing";
    assert!(all.iter().any(|(name, rest)| name == "COPY" && rest == installed), "{all:?}");
    assert_eq!((last("ENTRYPOINT").as_str(), last("CMD").as_str()), (r#"["farthing"]"#, r#"["serve"]"#));
}

#[test]
fn it_does_not_run_as_root() {
    let user = last("USER");
    let (user, group) = user.split_once(':').unwrap();
    let [user, group] = [user, group].map(|id| id.parse::<u32>().unwrap());
    assert!(user >= 1000 && group >= 1000, "{user}:{group}");
}

#[test]
fn its_health_check_is_a_command_of_the_program() {
    let check = last("HEALTHCHECK");
    assert!(check.ends_with(r#"CMD ["farthing", "health"]"#), "{check}");
    let help = Command::new(env!("CARGO_BIN_EXE_farthing")).args(["health", "--help"]).output().unwrap();
    assert!(help.status.success());
}

#[test]
fn its_settings_are_settings_of_the_program() {
    let settings = last("ENV");
    let settings: Vec<(&str, &str)> = settings.split(' ').map(|pair| pair.split_once('=').unwrap()).collect();
    let help = Command::new(env!("CARGO_BIN_EXE_farthing")).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for (name, _) in &settings {
        assert!(help.contains(&format!("[env: {name}=")), "{name}");
    }
    let database = settings.iter().find(|(name, _)| *name == "FARTHING_DATABASE_URL").unwrap().1;
    assert_eq!(database, format!("sqlite://{}/farthing.db", last("VOLUME")), "the database is on the volume");
}

#[test]
fn it_shows_the_version_of_the_program() {
    let label = format!("org.opencontainers.image.version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(last("LABEL").contains(&label), "{label}");
}
