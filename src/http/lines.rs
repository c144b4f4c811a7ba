//! A body read line by line, as it arrives: no more of it is held than one line and what came with its end.

use std::{ops::Range, time::Duration};

use axum::body::Body;
use http_body_util::BodyExt as _;

use super::problem::Problem;

/// The lines of a body as they arrive.
pub(crate) struct Lines {
    body: Body,
    patience: Duration,
    longest: usize,
    /// Bytes that have arrived and have not been handed out.
    waiting: Vec<u8>,
    /// Where in them the next line begins.
    next: usize,
    /// How far they have been searched for the end of that line.
    searched: usize,
    /// The line being received is too long: it has been refused, and the rest of it is dropped.
    skipping: bool,
    number: u64,
    body_ended: bool,
}

/// One line, or what stands in its place.
pub(crate) enum Arrived {
    /// A line: see [`Lines::text`].
    Line(Range<usize>),
    /// A line that is too long.
    TooLong,
    /// The body broke off.
    Broken(Problem),
    /// There are no more.
    End,
}

impl Lines {
    /// Reads a body whose lines have at most `longest` bytes, and whose sender is never silent for longer than
    /// `patience`.
    pub(crate) fn new(body: Body, longest: usize, patience: Duration) -> Self {
        Self {
            body,
            patience,
            longest,
            waiting: Vec::new(),
            next: 0,
            searched: 0,
            skipping: false,
            number: 0,
            body_ended: false,
        }
    }

    /// The number of the line that arrived last, counted from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// How long a line may be.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// The bytes of a line; they stay until the next one is asked for.
    pub(crate) fn text(&self, line: Range<usize>) -> &[u8] {
        &self.waiting[line]
    }

    /// Whether the next line is there already.
    pub(crate) fn has_line(&mut self) -> bool {
        self.line_end().is_some() || self.body_ended
    }

    fn line_end(&mut self) -> Option<usize> {
        let found = memchr::memchr(b'\n', &self.waiting[self.searched..]).map(|at| self.searched + at);
        if found.is_none() {
            self.searched = self.waiting.len();
        }
        found
    }

    /// The next line, once it is there.
    pub(crate) async fn arrive(&mut self) -> Arrived {
        loop {
            if let Some(end) = self.line_end() {
                let line = self.next..end;
                (self.next, self.searched) = (end + 1, end + 1);
                if std::mem::take(&mut self.skipping) {
                    continue;
                }
                self.number += 1;
                return if line.len() > self.longest { Arrived::TooLong } else { Arrived::Line(line) };
            }
            if self.body_ended {
                return self.last_line();
            }
            self.waiting.drain(..self.next);
            (self.searched, self.next) = (self.searched - self.next, 0);
            if self.waiting.len() > self.longest {
                self.waiting.clear();
                self.searched = 0;
                if !std::mem::replace(&mut self.skipping, true) {
                    self.number += 1;
                    return Arrived::TooLong;
                }
            }
            if let Err(problem) = self.receive().await {
                self.number += 1;
                return Arrived::Broken(problem);
            }
        }
    }

    /// What stands after the last newline.
    fn last_line(&mut self) -> Arrived {
        let line = self.next..self.waiting.len();
        self.next = self.waiting.len();
        if line.is_empty() || self.skipping {
            return Arrived::End;
        }
        self.number += 1;
        Arrived::Line(line)
    }

    async fn receive(&mut self) -> Result<(), Problem> {
        match tokio::time::timeout(self.patience, self.body.frame()).await {
            Ok(Some(Ok(frame))) => self.waiting.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Ok(Some(Err(_))) => return Err(Problem::bad_request("the body breaks off")),
            Ok(None) => self.body_ended = true,
            Err(_) => return Err(Problem::request_timeout(self.patience)),
        }
        Ok(())
    }
}
