//! `farthing keys create | list | revoke`: keys of a service, from the machine that has its database.
//!
//! The service may run meanwhile: it looks for changes every two seconds.

use std::{collections::BTreeSet, io::Write as _, time::Duration};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{
    Failure, say,
    table::{Column, draw},
};
use crate::{
    catalog::time::{AsOf, to_milliseconds},
    config::{self, MEMORY},
    http::routes::admin::keys::faults,
    store::{
        Store,
        audit::Actor,
        idempotency::Claimed,
        keys::{Hand, KeyDraft, KeyRow, Scope, Scopes, Secret},
    },
};

/// Make, list and revoke the keys of those who ask.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key and print it: the only time that it is seen.
    ///
    /// The key alone goes to standard output, so that `KEY=$(farthing keys create --scope quote --label ci)` works.
    Create(CreateArgs),
    /// List all keys, the newest first.
    List,
    /// Revoke a key, for good. A running service notices within two seconds.
    Revoke {
        /// Its id, as `list` has it
        id: String,
    },
}

/// What a key is to be.
#[derive(Debug, Clone, Args)]
pub(super) struct CreateArgs {
    /// What it is good for: quote, catalog:write or admin; several times for several
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scope)]
    scopes: Vec<Scope>,
    /// What to call it, such as who is to have it
    #[arg(long, value_name = "TEXT")]
    label: String,
    /// From when on it is worth nothing: an instant, a date, or a while from now such as 90d [default: it stays]
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Expiry>,
}

/// When a key expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    At(Timestamp),
    After(Duration),
}

fn scope(text: &str) -> Result<Scope, &'static str> {
    text.parse()
}

fn expiry(text: &str) -> Result<Expiry, &'static str> {
    let instant = AsOf::parse(text).map(|at| Expiry::At(at.instant));
    let expiry = instant.or_else(|| config::period(text).ok().map(Expiry::After));
    expiry.ok_or("an instant such as 2027-01-31T12:00:00Z, a date such as 2027-01-31, or a while such as 90d")
}

/// Runs a command on a database.
pub(super) async fn run(command: KeysCommand, url: &str, now: Timestamp) -> Result<(), Failure> {
    if url == MEMORY {
        return Err(
            "the keys of a service that is in memory are only to be had over HTTP, at /admin/keys".into()
        );
    }
    let now = to_milliseconds(now);
    let store = Store::open(url).await.map_err(|error| error.to_string())?;
    let done = match command {
        KeysCommand::Create(arguments) => create(&store, arguments, now).await,
        KeysCommand::List => list(&store, now).await,
        KeysCommand::Revoke { id } => revoke(&store, &id, now).await,
    };
    store.close().await;
    done
}

async fn create(store: &Store, arguments: CreateArgs, now: Timestamp) -> Result<(), Failure> {
    let CreateArgs { scopes, label, expires } = arguments;
    let scopes = Scopes(scopes.into_iter().collect::<BTreeSet<_>>());
    let expires_at = expires.map(|expiry| match expiry {
        Expiry::At(instant) => instant,
        Expiry::After(period) => now.checked_add(period).unwrap_or(Timestamp::MAX),
    });
    let draft = KeyDraft { label, scopes, expires_at: expires_at.map(to_milliseconds) };
    if let Some(fault) = faults(&draft, now).first() {
        return Err(format!("--{} {}", fault.pointer.trim_start_matches('/').replace("_at", ""), fault.kind));
    }
    let secret = Secret::generate().map_err(|error| format!("no random bytes for a key: {error}"))?;
    let row = KeyRow::fresh(&secret, draft, &Actor::CommandLine, now);
    let made = store.create_key(&row, &Hand::local(Actor::CommandLine), None).await;
    match made.map_err(|error| error.to_string())? {
        Claimed::First => {}
        Claimed::Again(_) | Claimed::Reused => return Err("no key was made".to_owned()), // without a claim: never
    }
    say(&format!("made key {}, shown this once", row.id));
    print(&format!("{}\n", secret.reveal()))
}

async fn list(store: &Store, now: Timestamp) -> Result<(), Failure> {
    let rows = store.key_page(None, usize::MAX).await.map_err(|error| error.to_string())?;
    let some = |instant: Option<Timestamp>| instant.map_or("-".to_owned(), |instant| instant.to_string());
    let header = ["id", "prefix", "label", "scopes", "state", "created", "expires", "last used"];
    let rows = rows.into_iter().map(|row| {
        let state = row.state(now).name().to_owned();
        [
            row.id,
            row.mark.prefix_text().to_owned(),
            row.label,
            row.scopes.to_string(),
            state,
            row.created_at.to_string(),
            some(row.expires_at),
            some(row.last_used_at),
        ]
    });
    print(&draw([Column::Left; 8], header, rows))
}

async fn revoke(store: &Store, id: &str, now: Timestamp) -> Result<(), Failure> {
    let revoked = store.revoke_key(id, &Hand::local(Actor::CommandLine), now).await;
    let revoked = revoked.map_err(|error| error.to_string())?;
    let row = revoked.ok_or_else(|| format!("no key has the id `{id}`; `farthing keys list` lists them"))?;
    let at = row.revoked_at.map_or_else(String::new, |at| format!(" at {at}"));
    print(&format!("key {} ({}) was revoked{at}\n", row.id, row.label))
}

fn print(text: &str) -> Result<(), Failure> {
    let written = std::io::stdout().write_all(text.as_bytes());
    written.map_err(|error| format!("the output cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_expires_at_an_instant_on_a_day_or_after_a_while() {
        let at = |text: &str| Ok(Expiry::At(text.parse().unwrap()));
        assert_eq!(expiry("2027-01-31"), at("2027-01-31T00:00:00Z"));
        assert_eq!(expiry("2027-01-31T12:00:00+01:00"), at("2027-01-31T11:00:00Z"));
        assert_eq!(expiry("90d"), Ok(Expiry::After(Duration::from_hours(90 * 24))));
        for bad in ["", "90", "never", "2027-02-30"] {
            assert!(expiry(bad).is_err(), "{bad}");
        }
    }
}
