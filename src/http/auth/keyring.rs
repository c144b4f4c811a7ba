//! The keys in memory, so that checking one asks no database.
//!
//! What the database has is taken over by [`Keyring::follow`], now and then; what is made or revoked here counts at
//! once. Readers load one pointer; those who change something take turns.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::bucket::Bucket;
use crate::store::{
    Store, StoreError,
    idempotency::{Claim, Claimed, KeptAnswer},
    keys::{Hand, KeyHash, KeyRow, KeyState, Prefix, prefix_of},
};

/// How old the note of a key's last use may be before it is written anew, in ms: many requests with one key would
/// otherwise fight for the memory that it stands in.
const COARSE_MS: i64 = 1000;

/// All keys.
#[derive(Debug, Default)]
pub struct Keyring {
    ring: ArcSwap<Ring>,
    turn: Mutex<()>,
}

/// The keys of one moment.
#[derive(Debug, Default)]
struct Ring {
    version: Option<i64>,
    keys: HashMap<Prefix, Held>,
}

/// A key, and what it is used for.
#[derive(Debug, Clone)]
pub struct Held {
    pub(super) row: Arc<KeyRow>,
    pub(super) used: Arc<Use>,
}

/// What changes with every request; it stays when the key is read anew.
#[derive(Debug, Default)]
pub(super) struct Use {
    /// Unix ms; 0: not since the start.
    last_ms: AtomicI64,
    /// What of it is in the database.
    noted_ms: AtomicI64,
    pub(super) bucket: Bucket,
}

impl Use {
    fn at(&self, now: Timestamp) {
        let now = now.as_millisecond();
        if now.saturating_sub(self.last_ms.load(Ordering::Relaxed)) >= COARSE_MS {
            self.last_ms.store(now, Ordering::Relaxed);
        }
    }
}

impl Keyring {
    /// The key of a text, if it is good.
    ///
    /// A text that is no key takes as long as one that begins like a key and is another: both are hashed, and both
    /// hashes are compared whole.
    pub(super) fn find(&self, text: &[u8], now: Timestamp) -> Option<Held> {
        let hash = KeyHash::of(text);
        let ring = self.ring.load();
        let found = ring.keys.get(&prefix_of(text));
        let is_it = hash == found.map_or(KeyHash::NOBODY, |held| held.row.mark.hash);
        let held = found.filter(|held| is_it && held.row.state(now) == KeyState::Active)?;
        held.used.at(now);
        Some(held.clone())
    }

    /// A key with the newest that is known of its last use.
    pub fn with_use(&self, mut row: KeyRow) -> KeyRow {
        let ring = self.ring.load();
        let used = ring.keys.get(&row.mark.prefix).map(|held| held.used.last_ms.load(Ordering::Relaxed));
        let used = used.filter(|ms| *ms > 0).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        row.last_used_at = row.last_used_at.max(used);
        row
    }

    /// Takes over what has changed in the database; whether anything had.
    ///
    /// # Errors
    /// When the database fails; then the keys stay as they were.
    pub async fn follow(&self, store: &Store) -> Result<bool, StoreError> {
        let _turn = self.turn.lock().await;
        if self.ring.load().version == Some(store.key_version().await?) {
            return Ok(false);
        }
        let (version, rows) = store.keys().await?;
        let before = self.ring.load();
        let held = |row: KeyRow| {
            let used = before.keys.get(&row.mark.prefix).map(|held| Arc::clone(&held.used));
            (row.mark.prefix, Held { row: Arc::new(row), used: used.unwrap_or_default() })
        };
        let keys = rows.into_iter().map(held).collect();
        self.ring.store(Arc::new(Ring { version: Some(version), keys }));
        Ok(true)
    }

    /// Makes a key that counts at once.
    ///
    /// # Errors
    /// When the database fails; then nothing is made.
    pub async fn create(
        &self,
        store: &Store,
        key: KeyRow,
        hand: &Hand,
        claim: Option<(&Claim, &KeptAnswer)>,
    ) -> Result<Claimed, StoreError> {
        let _turn = self.turn.lock().await;
        let claimed = store.create_key(&key, hand, claim).await?;
        if claimed == Claimed::First {
            self.put(key);
        }
        Ok(claimed)
    }

    /// Revokes a key: no request that begins after this gets through with it.
    ///
    /// # Errors
    /// When the database fails; then nothing is revoked.
    pub async fn revoke(
        &self,
        store: &Store,
        id: &str,
        hand: &Hand,
        now: Timestamp,
    ) -> Result<Option<KeyRow>, StoreError> {
        let _turn = self.turn.lock().await;
        let revoked = store.revoke_key(id, hand, now).await?;
        if let Some(key) = &revoked {
            self.put(key.clone());
        }
        Ok(revoked)
    }

    /// Puts one key in its place. The version stays: the next look at the database reads all of them again.
    fn put(&self, row: KeyRow) {
        let before = self.ring.load();
        let mut keys = before.keys.clone();
        let used = keys.get(&row.mark.prefix).map(|held| Arc::clone(&held.used)).unwrap_or_default();
        keys.insert(row.mark.prefix, Held { row: Arc::new(row), used });
        self.ring.store(Arc::new(Ring { version: before.version, keys }));
    }

    /// Writes down when keys were last used, those of which that is not written yet.
    ///
    /// # Errors
    /// When the database fails; then it is tried again the next time.
    pub async fn note_uses(&self, store: &Store) -> Result<(), StoreError> {
        let ring = self.ring.load_full();
        let mut fresh = Vec::new();
        for held in ring.keys.values() {
            let last = held.used.last_ms.load(Ordering::Relaxed);
            if last > held.used.noted_ms.load(Ordering::Relaxed) {
                fresh.push((held, last));
            }
        }
        let notes = fresh
            .iter()
            .filter_map(|(held, last)| Some((held.row.id.clone(), Timestamp::from_millisecond(*last).ok()?)));
        store.note_key_uses(&notes.collect::<Vec<_>>()).await?;
        for (held, last) in fresh {
            held.used.noted_ms.fetch_max(last, Ordering::Relaxed);
        }
        Ok(())
    }
}
