//! Room `app`: who acts at the command line, and on which store.
//!
//! In: a work login and the code of an office. Out: their identifiers, or a refusal. Whoever can run these commands can
//! read the key file: the login says who answers for the act, it does not prove it. Deliberately not here: roles, which
//! the stages check.

use super::Global;
use super::decide_words::Refused;
use crate::app::block_on;
use crate::app::compose::{self, Schema};
use crate::domain::id::{OfficeId, StaffId};
use crate::edge::store::reference;
use crate::stage::context::Context;
use std::process::ExitCode;
use std::sync::Arc;

/// Who acts, for which office.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Person {
    /// Work login of the person who acts
    #[arg(long, value_name = "LOGIN")]
    by: String,
    /// Code of the office for which it is done
    #[arg(long, value_name = "CODE")]
    office: String,
}

/// What came of an act: done, or refused with words.
pub(super) type Outcome<T> = Result<T, Refused>;

impl Person {
    pub(super) const fn new(by: String, office: String) -> Self {
        Self { by, office }
    }

    /// The person and the office.
    pub(super) async fn find(&self, context: &Context) -> anyhow::Result<Outcome<(StaffId, OfficeId)>> {
        let office = match office(context, &self.office).await? {
            Ok(office) => office,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(staff(context, &self.by).await?.map(|staff| (staff, office)))
    }
}

/// A member of staff by work login.
pub(super) async fn staff(context: &Context, login: &str) -> anyhow::Result<Outcome<StaffId>> {
    let mut tx = context.store.snapshot().await?;
    let staff = reference::staff_by_login(&mut tx, login).await?;
    Ok(match staff {
        Some(staff) => Ok(staff.id),
        None => Err(Refused::new(
            "unknown_staff",
            "không có cán bộ với tên đăng nhập này",
            "there is no member of staff with this login",
        )),
    })
}

/// An office by code.
pub(super) async fn office(context: &Context, code: &str) -> anyhow::Result<Outcome<OfficeId>> {
    let mut tx = context.store.snapshot().await?;
    let office = reference::office_by_code(&mut tx, code).await?;
    Ok(match office {
        Some(office) => Ok(office.id),
        None => Err(Refused::new(
            "unknown_office",
            "không có đơn vị với mã này",
            "there is no office with this code",
        )),
    })
}

/// Runs work on the configured store, and closes it.
pub(super) fn on_store<F>(global: &Global, work: impl FnOnce(Arc<Context>) -> F) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<ExitCode>>,
{
    let config = global.start()?;
    block_on(async {
        let context = compose::context(&config, Schema::UpToDate).await?;
        let store = context.store.clone();
        let done = work(context).await;
        store.close().await;
        done
    })
}
