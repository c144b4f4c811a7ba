//! Gzip, for those who ask for it and answers that are worth it.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use futures_util::{
    FutureExt as _,
    future::{Either, Map},
};
use tower::{Layer, Service};
use tower_http::compression::{
    Compression, CompressionBody, ResponseFuture,
    predicate::{NotForContentType, Predicate, SizeAbove},
};

/// Smaller bodies fit into one packet either way.
const SMALLEST: u64 = 1024;

/// Puts a [`Packed`] around a route.
#[derive(Debug, Clone, Copy)]
pub struct Packing;

impl<S> Layer<S> for Packing {
    type Service = Packed<S>;

    fn layer(&self, inner: S) -> Packed<S> {
        Packed(inner)
    }
}

/// A route that packs its answers if asked to. Others do not pay for the wrapping of their bodies.
#[derive(Debug, Clone)]
pub struct Packed<S>(S);

type Outcome<B> = Result<Response<B>, Infallible>;
type Then<F, B> = Map<F, fn(Outcome<B>) -> Outcome<Body>>;

impl<S> Service<Request> for Packed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future =
        Either<Then<S::Future, Body>, Then<ResponseFuture<S::Future, Worthwhile>, CompressionBody<Body>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if asks_for_gzip(request.headers()) {
            let boxed: fn(_) -> _ = |answer: Outcome<_>| answer.map(|answer| weaken(answer.map(Body::new)));
            let mut packing = Compression::new(&mut self.0).compress_when(Worthwhile);
            return Either::Right(packing.call(request).map(boxed));
        }
        let marked: fn(_) -> _ = |answer: Outcome<_>| answer.map(mark);
        Either::Left(self.0.call(request).map(marked))
    }
}

fn asks_for_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING);
    accepted.iter().any(|value| {
        let value = value.as_bytes();
        value.contains(&b'*') || value.windows(4).any(|word| word.eq_ignore_ascii_case(b"gzip"))
    })
}

/// Packed bytes are not the plain ones: their tag only says that they mean the same.
fn weaken(mut answer: Response) -> Response {
    if answer.headers().contains_key(header::CONTENT_ENCODING)
        && let Some(tag) = answer.headers().get(header::ETAG)
        && !tag.as_bytes().starts_with(b"W/")
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        answer.headers_mut().insert(header::ETAG, weak);
    }
    answer
}

/// Tells caches that somebody else would have got the answer packed.
fn mark(mut answer: Response) -> Response {
    if Worthwhile.should_compress(&answer) {
        let by_encoding = HeaderValue::from_static("accept-encoding");
        answer.headers_mut().append(header::VARY, by_encoding);
    }
    answer
}

/// Not what is small, already packed, or streamed line by line: packing would hold lines back.
#[derive(Debug, Clone, Copy)]
pub struct Worthwhile;

impl Predicate for Worthwhile {
    fn should_compress<B: axum::body::HttpBody>(&self, answer: &axum::http::Response<B>) -> bool {
        SizeAbove::new(SMALLEST).should_compress(answer)
            && NotForContentType::IMAGES.should_compress(answer)
            && NotForContentType::const_new("application/x-ndjson").should_compress(answer)
    }
}
