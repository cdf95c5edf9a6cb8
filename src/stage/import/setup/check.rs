//! Room `stage`, import: what is wrong with a set-up file in itself.
//!
//! In: the file and its secrets. Out: [`Wanted`], values checked as far as no look into the store is needed, and every
//! fault by its place. Deliberately not here: what stands already (`plan`).

use super::file::{self, File};
use super::{SecretPlace, Secrets};
use crate::domain::address::{UnitCode, UnitLevel, UnitSet};
use crate::domain::capability::Capabilities;
use crate::domain::dossier::status_map::StatusMaps;
use crate::domain::phone;
use crate::domain::role::Role;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::edge::carrier::{AccountSettings, BuildError, LookUpKey};
use crate::edge::store::reference::Procedure;
use crate::stage::context::Context;
use std::collections::{BTreeMap, BTreeSet};

/// Shortest secret part of a callback address, characters: 128 random bits as hexadecimal digits have 32.
const CALLBACK_SECRET_CHARS_MIN: usize = 22;
/// Longest name of anything, characters.
const NAME_CHARS_MAX: usize = 200;
/// Longest code of anything, characters.
const CODE_CHARS_MAX: usize = 64;
/// How the result may be handed out.
const POLICIES: [&str; 3] = ["addressee_only", "addressee_or_authorised", "household"];

macro_rules! setup_words {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $en:literal $vi:literal;)*) => {
        /// What is wrong at one place of a set-up file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum SetupWord { $($(#[$doc])* $variant,)* }

        impl SetupWord {
            /// The word for machines.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What is said of it: English, Vietnamese.
            pub const fn said(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($en, $vi),)* }
            }
        }
    };
}

setup_words! {
    /// Not a code.
    CodeInvalid = "code_invalid" "must be 1 to 64 letters, digits, dots, hyphens or underscores"
        "phải gồm 1 đến 64 chữ cái không dấu, chữ số, dấu chấm, gạch nối hoặc gạch dưới";
    /// The same code stands twice.
    Repeated = "repeated" "stands twice in the file" "xuất hiện hai lần trong tệp";
    /// Not a name.
    NameInvalid = "name_invalid" "must be a text of 1 to 200 characters" "phải là văn bản từ 1 đến 200 ký tự";
    /// No adapter of this name in this build.
    AdapterUnknown = "adapter_unknown" "is no adapter of this build" "bản cài đặt này không có bộ kết nối này";
    /// The account has another adapter already.
    AdapterFixed = "adapter_fixed" "an account keeps its adapter: take another code"
        "tài khoản không đổi bộ kết nối được: hãy dùng mã khác";
    /// Not an address.
    UrlInvalid = "url_invalid" "must begin with https:// (http:// on this machine alone) and hold no password or question mark"
        "phải bắt đầu bằng https:// (http:// chỉ trên cùng máy), không chứa mật khẩu hay dấu hỏi";
    /// A secret's place is not `env:NAME` or `file:PATH`.
    SecretPlaceInvalid = "secret_place_invalid" "must be env:NAME or file:PATH; the secret itself never stands here"
        "phải là env:TÊN hoặc file:ĐƯỜNG_DẪN; không ghi trực tiếp mật khẩu ở đây";
    /// Nothing at that place.
    SecretMissing = "secret_missing" "there is no secret at this place" "không tìm thấy giá trị bí mật ở nơi này";
    /// Too short a callback secret.
    SecretShort = "secret_short" "must have at least 22 characters" "phải có ít nhất 22 ký tự";
    /// A rate of zero.
    RateInvalid = "rate_invalid" "must be at least 1" "phải từ 1 trở lên";
    /// The adapter asks for a setting that is not there.
    SettingMissing = "setting_missing" "the adapter needs this setting" "bộ kết nối cần thiết lập này";
    /// The adapter cannot use a setting.
    SettingInvalid = "setting_invalid" "has no value that the adapter can use" "giá trị không dùng được";
    /// Not a day.
    NotADay = "not_a_day" "must be a day such as 2026-11-24" "phải là ngày, ví dụ 2026-11-24";
    /// The end lies before the beginning.
    EndsBeforeItBegins = "ends_before_it_begins" "lies before the beginning" "sớm hơn ngày bắt đầu";
    /// Not a telephone number.
    PhoneInvalid = "phone_invalid" "must be a telephone number" "phải là số điện thoại";
    /// Not a unit of a set.
    UnitInvalid = "unit_invalid" "must be a national unit code of its set" "phải là mã đơn vị hành chính đúng bộ mã";
    /// The unit is not loaded.
    UnitUnknown = "unit_unknown" "there is no such unit; `hoibao import units` loads them"
        "không có đơn vị này; chạy `hoibao import units` để nạp";
    /// The commune lies elsewhere.
    CommuneNotOfProvince = "commune_not_of_province" "does not belong to the province" "không trực thuộc tỉnh đã nêu";
    /// No such account.
    AccountUnknown = "account_unknown" "there is no such operator account" "không có tài khoản bưu chính này";
    /// No such office.
    OfficeUnknown = "office_unknown" "there is no such office" "không có cơ quan này";
    /// Successors in a circle.
    SuccessorCircle = "successor_circle" "offices take over from each other in a circle" "các cơ quan kế thừa vòng tròn";
    /// A successor of an office that is in force for ever.
    SuccessorWithoutEnd = "successor_without_end" "an office with a successor needs valid_to"
        "cơ quan có đơn vị kế thừa phải có valid_to";
    /// Not one of the policies.
    PolicyUnknown = "policy_unknown" "must be addressee_only, addressee_or_authorised or household"
        "phải là addressee_only, addressee_or_authorised hoặc household";
    /// No such status map.
    StatusMapUnknown = "status_map_unknown" "is no status map of this program" "chương trình không có bảng trạng thái này";
    /// No such role.
    RoleUnknown = "role_unknown" "must be clerk, dispatcher, postal_worker, leader, auditor or administrator"
        "phải là clerk, dispatcher, postal_worker, leader, auditor hoặc administrator";
}

/// A fault at its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetupFault {
    /// Table, code and key: `office HL01: sender.commune`.
    pub place: String,
    /// What is wrong there.
    pub word: SetupWord,
}

/// Collects faults of one table.
pub(super) struct Place<'a> {
    pub(super) name: String,
    pub(super) faults: &'a mut Vec<SetupFault>,
}

impl Place<'_> {
    pub(super) fn fault(&mut self, key: &str, word: SetupWord) {
        self.faults.push(SetupFault {
            place: format!("{}: {key}", self.name),
            word,
        });
    }

    fn code(&mut self, key: &str, code: &str) {
        let plain = code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if !plain || !(1..=CODE_CHARS_MAX).contains(&code.len()) {
            self.fault(key, SetupWord::CodeInvalid);
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        let plain = !text.trim().is_empty() && text.chars().all(|c| !c.is_control());
        if !plain || text.chars().count() > NAME_CHARS_MAX {
            self.fault(key, SetupWord::NameInvalid);
        }
    }

    fn day(&mut self, key: &str, day: &toml::value::Datetime) -> Timestamp {
        let date = day.to_string().parse().ok();
        let date = date.filter(|_| day.time.is_none() && day.offset.is_none());
        if date.is_none() {
            self.fault(key, SetupWord::NotADay);
        }
        date.map_or(Timestamp::default(), Timestamp::start_of)
    }

    fn span(
        &mut self,
        (from_key, from): (&str, &toml::value::Datetime),
        (until_key, until): (&str, Option<&toml::value::Datetime>),
    ) -> (Timestamp, Option<Timestamp>) {
        let from = self.day(from_key, from);
        let until = until.map(|day| self.day(until_key, day));
        if until.is_some_and(|until| until <= from) {
            self.fault(until_key, SetupWord::EndsBeforeItBegins);
        }
        (from, until)
    }
}

/// An operator account with its secrets.
pub(super) struct WantedAccount {
    pub(super) code: String,
    pub(super) adapter: String,
    pub(super) base_url: String,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) capabilities: Capabilities,
    pub(super) username: Secret<String>,
    pub(super) password: Secret<String>,
    pub(super) callback_secret: Secret<String>,
    pub(super) rate_per_minute: u32,
    pub(super) rate_burst: u32,
    pub(super) active: bool,
}

/// An office whose neighbours are named by code.
pub(super) struct WantedOffice {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) valid_from: Timestamp,
    pub(super) valid_to: Option<Timestamp>,
    pub(super) successor: Option<String>,
    pub(super) account: Option<String>,
    pub(super) paper_first: bool,
    pub(super) sender_name: String,
    pub(super) sender_phone: String,
    pub(super) sender_line: String,
    pub(super) unit_set: String,
    pub(super) province: String,
    pub(super) commune: String,
}

/// A dossier system.
pub(super) struct WantedSource {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) status_map: String,
}

/// A role whose office is named by code.
pub(super) struct WantedRole {
    pub(super) office: String,
    pub(super) role: Role,
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
}

/// A member of staff.
pub(super) struct WantedStaff {
    pub(super) login: String,
    pub(super) name: String,
    pub(super) active: bool,
    pub(super) roles: Vec<WantedRole>,
}

/// Everything a file wants.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) accounts: Vec<WantedAccount>,
    pub(super) offices: Vec<WantedOffice>,
    pub(super) procedures: Vec<Procedure>,
    pub(super) sources: Vec<WantedSource>,
    pub(super) staff: Vec<WantedStaff>,
}

/// Checks a file; a table with a fault may be left out of what is wanted.
pub(super) fn check(
    context: &Context,
    file: &File,
    secrets: Secrets<'_>,
    faults: &mut Vec<SetupFault>,
) -> Wanted {
    repeated("account", file.account.iter().map(|it| &it.code), faults);
    repeated("office", file.office.iter().map(|it| &it.code), faults);
    repeated("procedure", file.procedure.iter().map(|it| &it.code), faults);
    repeated("source", file.source.iter().map(|it| &it.code), faults);
    repeated("staff", file.staff.iter().map(|it| &it.login), faults);
    let mut wanted = Wanted::default();
    for it in &file.account {
        let mut place = at("account", &it.code, faults);
        wanted.accounts.extend(account(context, it, secrets, &mut place));
    }
    for it in &file.office {
        wanted
            .offices
            .push(office(it, &mut at("office", &it.code, faults)));
    }
    for it in &file.procedure {
        let mut place = at("procedure", &it.code, faults);
        place.code("code", &it.code);
        place.text("name", &it.name);
        if !POLICIES.contains(&it.receiver_policy.as_str()) {
            place.fault("receiver_policy", SetupWord::PolicyUnknown);
        }
        wanted.procedures.push(Procedure {
            code: it.code.clone(),
            name: it.name.clone(),
            by_post: it.by_post,
            receiver_policy: it.receiver_policy.clone(),
            takes_back_old: it.takes_back_old,
        });
    }
    for it in &file.source {
        let mut place = at("source", &it.code, faults);
        place.code("code", &it.code);
        place.text("name", &it.name);
        if StatusMaps::shipped()
            .ok()
            .and_then(|maps| maps.find(&it.status_map))
            .is_none()
        {
            place.fault("status_map", SetupWord::StatusMapUnknown);
        }
        wanted.sources.push(WantedSource {
            code: it.code.clone(),
            name: it.name.clone(),
            status_map: it.status_map.clone(),
        });
    }
    for it in &file.staff {
        wanted.staff.push(staff(it, &mut at("staff", &it.login, faults)));
    }
    wanted
}

pub(super) fn at<'a>(table: &str, code: &str, faults: &'a mut Vec<SetupFault>) -> Place<'a> {
    Place {
        name: format!("{table} {code}"),
        faults,
    }
}

fn repeated<'a>(table: &str, codes: impl Iterator<Item = &'a String>, faults: &mut Vec<SetupFault>) {
    let mut seen = BTreeSet::new();
    for code in codes {
        if !seen.insert(code) {
            at(table, code, faults).fault("code", SetupWord::Repeated);
        }
    }
}

fn account(
    context: &Context,
    it: &file::Account,
    secrets: Secrets<'_>,
    place: &mut Place<'_>,
) -> Option<WantedAccount> {
    place.code("code", &it.code);
    let rest = it
        .base_url
        .strip_prefix("https://")
        .or_else(|| it.base_url.strip_prefix("http://"));
    let plain = |rest: &str| !rest.is_empty() && !rest.contains(['@', '?', '#', ' ']);
    if !rest.is_some_and(plain) {
        place.fault("base_url", SetupWord::UrlInvalid);
    }
    for (key, rate) in [
        ("rate_per_minute", it.rate_per_minute),
        ("rate_burst", it.rate_burst),
    ] {
        if rate == 0 {
            place.fault(key, SetupWord::RateInvalid);
        }
    }
    let username = secret(secrets, "username_from", &it.username_from, place);
    let password = secret(secrets, "password_from", &it.password_from, place);
    let callback_secret = secret(secrets, "callback_secret_from", &it.callback_secret_from, place);
    let short = |secret: &Secret<String>| secret.expose().chars().count() < CALLBACK_SECRET_CHARS_MIN;
    if callback_secret.as_ref().is_some_and(short) {
        place.fault("callback_secret_from", SetupWord::SecretShort);
    }
    let Some(carrier) = context.carriers.find(&it.adapter) else {
        place.fault("adapter", SetupWord::AdapterUnknown);
        return None;
    };
    let (username, password) = (username?, password?);
    let settings = AccountSettings {
        base_url: it.base_url.clone(),
        settings: it.settings.clone(),
        username: username.expose().clone(),
        password: password.expose().clone(),
    };
    // Requests that are never sent: the adapter says what it misses.
    let key = LookUpKey::Reference("X".to_owned());
    let built = [
        carrier.build_token(&settings).map(drop),
        carrier.build_look_up(&settings, "", &key).map(drop),
    ];
    let mut told = BTreeSet::new();
    for error in built.into_iter().filter_map(Result::err) {
        let (name, word) = match error {
            BuildError::MissingSetting { name } => (name, SetupWord::SettingMissing),
            BuildError::BadSetting { name } => (name, SetupWord::SettingInvalid),
            BuildError::TooLong { .. } | BuildError::NotOffered { .. } => continue,
        };
        if told.insert(name) {
            place.fault(&format!("settings.{name}"), word);
        }
    }
    Some(WantedAccount {
        code: it.code.clone(),
        adapter: it.adapter.clone(),
        base_url: it.base_url.clone(),
        settings: it.settings.clone(),
        capabilities: it
            .capabilities
            .clone()
            .unwrap_or_else(|| carrier.default_capabilities()),
        username,
        password,
        callback_secret: callback_secret?,
        rate_per_minute: it.rate_per_minute,
        rate_burst: it.rate_burst,
        active: it.active,
    })
}

fn secret(secrets: Secrets<'_>, key: &str, named: &str, place: &mut Place<'_>) -> Option<Secret<String>> {
    let Some(at) = SecretPlace::parse(named) else {
        place.fault(key, SetupWord::SecretPlaceInvalid);
        return None;
    };
    let found = secrets(&at).filter(|secret| !secret.expose().is_empty());
    if found.is_none() {
        place.fault(key, SetupWord::SecretMissing);
    }
    found
}

fn office(it: &file::Office, place: &mut Place<'_>) -> WantedOffice {
    place.code("code", &it.code);
    place.text("name", &it.name);
    let sender = &it.sender;
    place.text("sender.name", &sender.name);
    place.text("sender.line", &sender.line);
    if phone::parse_field(&sender.phone).is_err() {
        place.fault("sender.phone", SetupWord::PhoneInvalid);
    }
    for (key, code, level) in [
        ("sender.province", &sender.province, UnitLevel::Province),
        ("sender.commune", &sender.commune, UnitLevel::Commune),
    ] {
        let unit = UnitSet::parse(&sender.unit_set).and_then(|set| UnitCode::new(set, code));
        if !unit.is_ok_and(|unit| unit.level() == level) {
            place.fault(key, SetupWord::UnitInvalid);
        }
    }
    let (valid_from, valid_to) =
        place.span(("valid_from", &it.valid_from), ("valid_to", it.valid_to.as_ref()));
    if it.successor.is_some() && it.valid_to.is_none() {
        place.fault("successor", SetupWord::SuccessorWithoutEnd);
    }
    WantedOffice {
        code: it.code.clone(),
        name: it.name.clone(),
        valid_from,
        valid_to,
        successor: it.successor.clone(),
        account: it.account.clone(),
        paper_first: it.paper_first,
        sender_name: sender.name.clone(),
        sender_phone: sender.phone.clone(),
        sender_line: sender.line.clone(),
        unit_set: sender.unit_set.clone(),
        province: sender.province.clone(),
        commune: sender.commune.clone(),
    }
}

fn staff(it: &file::Staff, place: &mut Place<'_>) -> WantedStaff {
    place.code("login", &it.login);
    place.text("name", &it.name);
    let mut roles = Vec::new();
    for (index, role) in it.role.iter().enumerate() {
        let key = |name: &str| format!("role {}: {name}", index + 1);
        let (from, until) = place.span((&key("from"), &role.from), (&key("until"), role.until.as_ref()));
        match Role::parse(&role.word) {
            None => place.fault(&key("role"), SetupWord::RoleUnknown),
            Some(known) => roles.push(WantedRole {
                office: role.office.clone(),
                role: known,
                from,
                until,
            }),
        }
    }
    WantedStaff {
        login: it.login.clone(),
        name: it.name.clone(),
        active: it.active,
        roles,
    }
}
