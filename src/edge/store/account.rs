//! Room `edge::store`: operator accounts.
//!
//! In: values. Out: values. Secrets are sealed here and opened only on demand. Deliberately not here: who may change
//! them (`stage`).

use super::{Row, Store, StoreError, Tx, args, sql};
use crate::domain::capability::Capabilities;
use crate::domain::id::AccountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// An operator account. The log-in stays sealed until asked for.
#[derive(Clone, Debug)]
pub struct Account {
    /// Identifier.
    pub id: AccountId,
    /// Short code.
    pub code: String,
    /// Which adapter.
    pub adapter: String,
    /// Base address.
    pub base_url: String,
    /// The adapter's settings.
    pub settings: BTreeMap<String, String>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Log-in, sealed.
    pub secret_sealed: Vec<u8>,
    /// SHA-256 of the secret part of the callback address.
    pub callback_secret_hash: [u8; 32],
    /// Calls allowed in a minute.
    pub rate_per_minute: u32,
    /// Calls allowed at once.
    pub rate_burst: u32,
    /// Orders may be sent.
    pub active: bool,
}

/// The log-in of an operator account, as sealed.
#[derive(Serialize, Deserialize)]
struct Login {
    username: String,
    password: String,
}

impl Account {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let corrupt = |place| StoreError::Corrupt { place };
        Ok(Self {
            id: row.id("id", AccountId::from_bytes)?,
            code: row.text("code")?,
            adapter: row.text("adapter")?,
            base_url: row.text("base_url")?,
            settings: serde_json::from_str(&row.text("settings")?)
                .map_err(|_json| corrupt("operator_account.settings"))?,
            capabilities: serde_json::from_str(&row.text("capabilities")?)
                .map_err(|_json| corrupt("operator_account.capabilities"))?,
            secret_sealed: row.bytes("secret_sealed")?,
            callback_secret_hash: row
                .bytes("callback_secret_hash")?
                .try_into()
                .map_err(|_length| corrupt("operator_account.callback_secret_hash"))?,
            rate_per_minute: row.count("rate_per_minute")?,
            rate_burst: row.count("rate_burst")?,
            active: row.flag("active")?,
        })
    }

    /// Seals a log-in for the account of this identifier.
    ///
    /// # Errors
    /// [`StoreError::Seal`].
    pub fn seal_login(
        store: &Store,
        id: AccountId,
        username: &str,
        password: &str,
    ) -> Result<Vec<u8>, StoreError> {
        let login = Login {
            username: username.to_owned(),
            password: password.to_owned(),
        };
        let plain = serde_json::to_vec(&login).map_err(|_json| StoreError::Seal { what: "sealed" })?;
        store
            .keyring()
            .seal_secret("operator_account", id.as_bytes(), &Zeroizing::new(plain))
    }

    /// Opens the log-in: user name and password.
    ///
    /// # Errors
    /// [`StoreError::Seal`] when the key is missing or the bytes were changed.
    pub fn open_login(&self, store: &Store) -> Result<(String, Zeroizing<String>), StoreError> {
        let plain =
            store
                .keyring()
                .open_secret("operator_account", self.id.as_bytes(), &self.secret_sealed)?;
        let login: Login =
            serde_json::from_slice(&plain).map_err(|_json| StoreError::Seal { what: "opened" })?;
        Ok((login.username, Zeroizing::new(login.password)))
    }
}

/// Writes an operator account; one of the same code keeps its identifier and adapter.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn put_account(tx: &mut Tx, account: &Account) -> Result<(), StoreError> {
    let json = |value: Result<String, serde_json::Error>| {
        value.map_err(|_json| StoreError::Corrupt {
            place: "operator_account",
        })
    };
    let values = args![
        account.id,
        &account.code,
        &account.adapter,
        &account.base_url,
        json(serde_json::to_string(&account.settings))?,
        json(serde_json::to_string(&account.capabilities))?,
        account.secret_sealed.clone(),
        &account.callback_secret_hash,
        account.rate_per_minute,
        account.rate_burst,
        account.active,
    ];
    tx.execute(sql!("operator_account" / "upsert"), values).await?;
    tx.execute(sql!("operator_state" / "insert"), args![account.id])
        .await
        .map(drop)
}

/// An operator account by code.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn account_by_code(tx: &mut Tx, code: &str) -> Result<Option<Account>, StoreError> {
    tx.row(sql!("operator_account" / "by_code"), args![code])
        .await?
        .as_ref()
        .map(Account::read)
        .transpose()
}

/// An operator account by identifier.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn account(tx: &mut Tx, id: AccountId) -> Result<Option<Account>, StoreError> {
    tx.row(sql!("operator_account" / "find"), args![id])
        .await?
        .as_ref()
        .map(Account::read)
        .transpose()
}

/// All operator accounts, by code.
///
/// # Errors
/// [`StoreError`] as the database says.
pub async fn accounts(tx: &mut Tx) -> Result<Vec<Account>, StoreError> {
    tx.rows(sql!("operator_account" / "list"), args![])
        .await?
        .iter()
        .map(Account::read)
        .collect()
}
