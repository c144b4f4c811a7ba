//! The key that a service starts with: the one of its settings, or one that is made and shown, once.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::json;

use super::Failure;
use crate::{
    catalog::time::to_milliseconds,
    config::{Config, LogFormat},
    store::{
        Store,
        audit::Actor,
        keys::{Hand, KeyDraft, KeyRow, Secret},
    },
};

/// Sees to it that there is a key; the one to show, where it is new and nobody else knows it.
///
/// A key of the settings that was revoked stays revoked. Where there has ever been a key, none is made.
pub(super) async fn ensure(
    store: &Store,
    config: &Config,
    now: Timestamp,
) -> Result<Option<Secret>, Failure> {
    let now = to_milliseconds(now);
    let failed = |error| format!("the first key cannot be made: {error}");
    if let Some(secret) = &config.bootstrap_key {
        let row = KeyRow::fresh(secret, KeyDraft::admin("bootstrap"), &Actor::Bootstrap, now);
        let there = store.ensure_key(&row, &Hand::local(Actor::Bootstrap)).await.map_err(failed)?;
        return check(&there, &row, now).map(|()| None);
    }
    let secret = Secret::generate().map_err(|error| format!("no random bytes for a key: {error}"))?;
    let row = KeyRow::fresh(&secret, KeyDraft::admin("first start"), &Actor::FirstStart, now);
    let is_first = store.create_first_key(&row, &Hand::local(Actor::FirstStart)).await.map_err(failed)?;
    Ok(is_first.then_some(secret))
}

/// Whether the key that is there is the one of the settings, and good.
fn check(there: &KeyRow, wanted: &KeyRow, now: Timestamp) -> Result<(), Failure> {
    if there.mark.hash != wanted.mark.hash {
        return Err(
            "--bootstrap-key (FARTHING_BOOTSTRAP_KEY) begins like another key; allowed: one that does not"
                .into(),
        );
    }
    let state = there.state(now).name();
    if state != "active" {
        tracing::warn!(key_id = there.id, "the bootstrap key {} is {state}, and opens nothing", there.id);
    }
    Ok(())
}

/// Shows a key on standard error, whatever is logged: there is no second time.
pub(super) fn show(secret: &Secret, format: LogFormat) {
    let text = "admin key, shown this once";
    let line = match format {
        LogFormat::Text => format!("farthing: {text}: {}", secret.reveal()),
        LogFormat::Json => {
            json!({ "level": "WARN", "message": text, "admin_key": secret.reveal() }).to_string()
        }
    };
    // When nobody reads standard error there is nobody to show it to; `farthing keys create` makes another.
    drop(writeln!(std::io::stderr(), "{line}"));
}
