//! What an operator, or somebody who pretends to be one, does at the callback door.
//!
//! In: an address and raw bytes. Out: what the door answered. Deliberately not here: the operator itself.

use super::{TestApp, seed};
use reqwest::StatusCode;
use serde_json::Value;

impl TestApp {
    /// The callback address of the account, with its secret.
    pub(crate) fn callback_path(&self) -> String {
        format!("/callback/{}/{}", self.account.code, seed::CALLBACK_SECRET)
    }

    /// Sends bytes to an address, as somebody behind the proxy whose address is `from`.
    pub(crate) async fn knock(
        &self,
        path: &str,
        from: &str,
        body: impl Into<Vec<u8>>,
    ) -> (StatusCode, Value) {
        let answer = self
            .client
            .post(format!("http://{}{path}", self.web))
            .header("x-forwarded-for", from)
            .header("content-type", "application/json")
            .body(body.into())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let bytes = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// The operator calls back with the right secret.
    pub(crate) async fn call_back(&self, body: impl Into<Vec<u8>>) -> (StatusCode, Value) {
        self.knock(&self.callback_path(), "192.0.2.1", body).await
    }
}
