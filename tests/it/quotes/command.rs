//! `farthing diff` reads quotes that a service has kept.

use farthing::store::Store;
use serde_json::Value;

use super::{Desk, a_million, dearer, labelled};
use crate::{
    helpers::tables,
    program::{code, file, run, stderr, stdout},
    store::database,
};

#[tokio::test]
async fn a_kept_quote_is_compared_with_its_request_today_as_a_file_and_by_its_id() {
    let url = database("quotes-command");
    let desk = Desk::on(Store::open(&url).await.unwrap(), &tables()).await;
    let id = desk.keep(&labelled("x")).await;
    desk.revise(&dearer()).await;
    let kept = file("quotes-kept.json", desk.get(&format!("/quotes/{id}")).await.text());
    let request = file("quotes-request.json", &a_million().to_string());
    for before in [kept, format!("quote:{id}"), format!("quote:{}", id.to_uppercase())] {
        let output = run(&["diff", &before, &request, "--database-url", &url, "--format", "json"]);
        assert_eq!((code(&output), stderr(&output)), (0, String::new()));
        let diff: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!((&diff["total"]["before"], &diff["total"]["after"]), (&"2.50".into(), &"5.00".into()));
        assert_eq!(diff["items"][0]["lines"][0]["causes"][0]["why"], "price");
    }
}

#[tokio::test]
async fn a_quote_that_is_not_there_is_said_in_one_line() {
    let url = database("quotes-command-none");
    Store::open(&url).await.unwrap().close().await;
    let output = run(&["diff", "quote:7", "quote:8", "--database-url", &url]);
    assert_eq!(
        (code(&output), stderr(&output)),
        (1, format!("farthing: {url} holds no quote 7, or it has expired\n"))
    );
    let output = run(&["diff", "quote:7", "quote:8"]);
    assert_eq!(
        (code(&output), stderr(&output)),
        (1, "farthing: quote:7 is in a database: say which with --database-url\n".to_owned())
    );
}
