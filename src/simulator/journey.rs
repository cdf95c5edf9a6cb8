//! Room `simulator`: the life of a parcel, planned when the operator gets hold of it.
//!
//! In: seed, rates, the order's key and the moment of hand-over. Out: the statuses to come with their own times.
//! Deliberately not here: performing them (`state`), telling anybody (`callback`).

use super::dice::Dice;
use super::faults::{Fault, Faults};
use crate::domain::time::Timestamp;
use jiff::civil::Weekday;
use std::collections::VecDeque;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// One status of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The operator's code, carriers.md 3.9.
    pub(super) status: u16,
    /// When it happened, at the place.
    pub(super) at: Timestamp,
    /// The office that recorded it.
    pub(super) place: &'static str,
    /// Why a visit failed.
    pub(super) reason: Option<&'static str>,
}

/// The operator's name of a status code.
pub(super) const fn status_name(status: u16) -> &'static str {
    match status {
        0 => "Lưu nháp",
        1 => "Đã tạo",
        2 => "Bưu tá nhận yêu cầu thu gom",
        3 => "Chờ xác nhận",
        4 => "Đang lấy hàng",
        5 => "Lấy hàng không thành công",
        6 => "Đã lấy hàng",
        7 => "Bưu cục đã nhận hàng",
        8 => "Lấy hàng thất bại",
        9 => "Hủy thu gom",
        10 => "Đang vận chuyển",
        11 => "Đã đến bưu cục phát",
        12 => "Đang giao hàng",
        13 => "Chuyển tiếp",
        14 => "Đã giao hàng",
        15 => "Giao không thành công",
        16 => "Chờ để chuyển hoàn",
        17 => "Đã duyệt hoàn",
        18 => "Bắt đầu chuyển hoàn",
        19 => "Trả hàng thành công",
        20 => "Đã trả hàng một phần",
        21 => "Đã trả tiền COD",
        22 => "Hủy giao hàng",
        23 => "Giao hàng thành công một phần",
        24 => "Đang chuyển hoàn",
        28 => "Đã trả phí ship",
        29 => "Đã trả phí hủy đơn hàng",
        _ => "Trạng thái khác",
    }
}

/// The first moment from `at` on at which postmen work: Monday to Saturday, 7:00 to 18:00 in Vietnam.
pub(super) fn working(at: Timestamp) -> Timestamp {
    let mut moment = at;
    for _ in 0..3 {
        let local = moment.local();
        let next_morning = || Timestamp::start_of(moment.local_date()).plus_ms(DAY + 7 * HOUR);
        if local.date().weekday() == Weekday::Sunday || local.hour() >= 18 {
            moment = next_morning();
        } else if local.hour() < 7 {
            moment = Timestamp::start_of(moment.local_date()).plus_ms(7 * HOUR);
        } else {
            return moment;
        }
    }
    moment
}

/// Who is sent where: what decides how long it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'a> {
    /// `"1"`: fetched at the sender; `"2"`: brought to the post office.
    pub(super) send_type: &'a str,
    /// Sender and receiver are in one province.
    pub(super) within_province: bool,
}

/// Builds a plan step by step; time only moves on.
struct Plan<'a> {
    seed: u64,
    faults: &'a Faults,
    key: &'a str,
    dice: Dice,
    now: Timestamp,
    steps: VecDeque<Step>,
}

impl Plan<'_> {
    fn after(&mut self, low_ms: i64, high_ms: i64) -> &mut Self {
        let wait = self.dice.between(low_ms, high_ms);
        self.now = self.now.plus_ms(wait);
        self
    }

    /// The same, but only where postmen work.
    fn at_work_after(&mut self, low_ms: i64, high_ms: i64) -> &mut Self {
        self.after(low_ms, high_ms);
        // A spread over the first minutes of the day keeps a night's parcels from moving in one instant.
        let start = working(self.now);
        if start != self.now {
            self.now = start.plus_ms(self.dice.between(0, 90 * MINUTE));
        }
        self
    }

    fn record(&mut self, status: u16, place: &'static str) {
        self.record_because(status, place, None);
    }

    fn record_because(&mut self, status: u16, place: &'static str, reason: Option<&'static str>) {
        let at = self.now;
        self.steps.push_back(Step {
            status,
            at,
            place,
            reason,
        });
    }

    fn hits(&self, fault: Fault) -> bool {
        Dice::new(self.seed, fault.key(), self.key, 0).hits(self.faults.rate(fault))
    }

    fn visit_fails(&mut self) {
        const REASONS: [&str; 3] = [
            "Người nhận vắng nhà",
            "Không liên lạc được với người nhận",
            "Người nhận hẹn phát lại",
        ];
        let reason = self.dice.pick(&REASONS, "Người nhận vắng nhà");
        self.after(HOUR, 4 * HOUR)
            .record_because(15, DELIVERY_OFFICE, Some(reason));
    }
}

const POSTING_OFFICE: &str = "Bưu cục chấp nhận";
const SORTING: &str = "Trung tâm khai thác";
const DELIVERY_OFFICE: &str = "Bưu cục phát";

/// What becomes of a parcel that the operator got at `handed_over_at`.
pub(super) fn plan(
    seed: u64,
    faults: &Faults,
    key: &str,
    handed_over_at: Timestamp,
    route: Route<'_>,
) -> VecDeque<Step> {
    let mut plan = Plan {
        seed,
        faults,
        key,
        dice: Dice::new(seed, "journey", key, 0),
        now: working(handed_over_at),
        steps: VecDeque::new(),
    };
    if route.send_type == "1" {
        plan.record(2, POSTING_OFFICE);
        plan.after(2 * MINUTE, 20 * MINUTE).record(6, POSTING_OFFICE);
    }
    plan.after(20 * MINUTE, 2 * HOUR).record(7, POSTING_OFFICE);
    plan.after(HOUR, 4 * HOUR).record(10, SORTING);
    if plan.hits(Fault::UnknownCode) {
        let code = plan.dice.pick(&[25, 26, 27], 25);
        plan.after(10 * MINUTE, HOUR).record(code, SORTING);
    }
    let (low, high) = if route.within_province {
        (6 * HOUR, 18 * HOUR)
    } else {
        (18 * HOUR, 60 * HOUR)
    };
    if plan.hits(Fault::NeverArrives) {
        return plan.steps;
    }
    plan.after(low, high).record(11, DELIVERY_OFFICE);
    if plan.hits(Fault::Forwarded) {
        plan.after(HOUR, 6 * HOUR).record(13, DELIVERY_OFFICE);
        plan.after(6 * HOUR, DAY).record(11, DELIVERY_OFFICE);
    }
    plan.at_work_after(20 * MINUTE, 3 * HOUR)
        .record(12, DELIVERY_OFFICE);
    if plan.hits(Fault::Returned) {
        go_back(&mut plan);
    } else {
        if plan.hits(Fault::FailedVisit) {
            plan.visit_fails();
            plan.at_work_after(14 * HOUR, 30 * HOUR)
                .record(12, DELIVERY_OFFICE);
        }
        let delivered = if plan.hits(Fault::Partial) { 23 } else { 14 };
        plan.after(30 * MINUTE, 4 * HOUR)
            .record(delivered, DELIVERY_OFFICE);
        if plan.hits(Fault::FinancialNote) {
            plan.after(HOUR, 2 * DAY).record(28, POSTING_OFFICE);
        }
    }
    plan.steps
}

/// Three visits in vain, then the way back.
fn go_back(plan: &mut Plan<'_>) {
    for _ in 0..2 {
        plan.visit_fails();
        plan.at_work_after(14 * HOUR, 30 * HOUR)
            .record(12, DELIVERY_OFFICE);
    }
    plan.visit_fails();
    plan.at_work_after(10 * HOUR, 24 * HOUR)
        .record(16, DELIVERY_OFFICE);
    plan.at_work_after(2 * HOUR, DAY).record(17, DELIVERY_OFFICE);
    plan.at_work_after(HOUR, 8 * HOUR).record(18, DELIVERY_OFFICE);
    plan.after(2 * HOUR, 12 * HOUR).record(24, SORTING);
    plan.at_work_after(12 * HOUR, 48 * HOUR)
        .record(19, POSTING_OFFICE);
}

/// What happens to an order that nobody has handed over yet: mostly nothing.
pub(super) fn plan_before_hand_over(
    seed: u64,
    faults: &Faults,
    key: &str,
    accepted_at: Timestamp,
    route: Route<'_>,
) -> VecDeque<Step> {
    let mut plan = Plan {
        seed,
        faults,
        key,
        dice: Dice::new(seed, "waiting", key, 0),
        now: accepted_at,
        steps: VecDeque::new(),
    };
    if route.send_type == "1" && plan.hits(Fault::PickupFailed) {
        plan.at_work_after(HOUR, 4 * HOUR).record(2, POSTING_OFFICE);
        plan.after(10 * MINUTE, 30 * MINUTE).record(4, POSTING_OFFICE);
        plan.at_work_after(HOUR, 3 * HOUR).record_because(
            5,
            POSTING_OFFICE,
            Some("Người gửi chưa chuẩn bị hàng"),
        );
    }
    if plan.hits(Fault::CarrierCancel) {
        plan.at_work_after(2 * DAY, 3 * DAY).record(9, POSTING_OFFICE);
    }
    plan.steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Route<'_> = Route {
        send_type: "1",
        within_province: true,
    };

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn statuses(faults: &Faults, route: Route<'_>) -> Vec<u16> {
        let start = at("2026-11-23T10:00:00+07:00");
        let steps = plan(1, faults, "A-1#0", start, route);
        assert!(
            steps
                .iter()
                .zip(steps.iter().skip(1))
                .all(|(one, two)| one.at < two.at)
        );
        assert!(steps.iter().all(|step| step.at >= start));
        steps.iter().map(|step| step.status).collect()
    }

    #[test]
    fn journeys_follow_the_operators_order() {
        let none = Faults::none();
        assert_eq!(statuses(&none, ROUTE), [2, 6, 7, 10, 11, 12, 14]);
        let brought = Route {
            send_type: "2",
            ..ROUTE
        };
        assert_eq!(statuses(&none, brought), [7, 10, 11, 12, 14]);
        let failed = none
            .clone()
            .with(Fault::FailedVisit, 1000)
            .with(Fault::FinancialNote, 1000);
        assert_eq!(statuses(&failed, ROUTE), [2, 6, 7, 10, 11, 12, 15, 12, 14, 28]);
        let returned = none.clone().with(Fault::Returned, 1000);
        assert_eq!(
            statuses(&returned, ROUTE),
            [2, 6, 7, 10, 11, 12, 15, 12, 15, 12, 15, 16, 17, 18, 24, 19]
        );
        let forwarded = none.clone().with(Fault::Forwarded, 1000);
        assert_eq!(statuses(&forwarded, ROUTE), [2, 6, 7, 10, 11, 13, 11, 12, 14]);
        let lost = none.clone().with(Fault::NeverArrives, 1000);
        assert_eq!(statuses(&lost, ROUTE), [2, 6, 7, 10]);
        let partial = none.clone().with(Fault::Partial, 1000);
        assert_eq!(statuses(&partial, ROUTE), [2, 6, 7, 10, 11, 12, 23]);
        let unknown = statuses(&none.with(Fault::UnknownCode, 1000), ROUTE);
        assert!((25..=27).contains(&unknown[4]));
    }

    #[test]
    fn without_hand_over_nothing_happens_unless_a_fault_says_so() {
        let start = at("2026-11-23T10:00:00+07:00");
        let waiting = |faults: &Faults| -> Vec<u16> {
            plan_before_hand_over(1, faults, "A-1#0", start, ROUTE)
                .iter()
                .map(|step| step.status)
                .collect()
        };
        assert!(waiting(&Faults::none()).is_empty());
        let faults = Faults::none()
            .with(Fault::PickupFailed, 1000)
            .with(Fault::CarrierCancel, 1000);
        assert_eq!(waiting(&faults), [2, 4, 5, 9]);
    }

    #[test]
    fn postmen_work_on_saturday_and_rest_on_sunday_and_at_night() {
        for (from, to) in [
            ("2026-11-23T10:00:00+07:00", "2026-11-23T10:00:00+07:00"),
            ("2026-11-23T05:00:00+07:00", "2026-11-23T07:00:00+07:00"),
            ("2026-11-23T18:00:00+07:00", "2026-11-24T07:00:00+07:00"),
            ("2026-11-28T17:59:00+07:00", "2026-11-28T17:59:00+07:00"),
            ("2026-11-28T19:00:00+07:00", "2026-11-30T07:00:00+07:00"),
            ("2026-11-29T12:00:00+07:00", "2026-11-30T07:00:00+07:00"),
        ] {
            assert_eq!(working(at(from)), at(to), "{from}");
        }
    }
}
