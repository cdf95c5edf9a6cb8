//! Room `app::demo`: the plan's dossiers stated at the gateway's own door, and the report drawn from what it kept.
//!
//! In: small plans. Out: red when the records do not give the plan's figures, or when a rule of the report makes no
//! difference. Deliberately not here: envelopes and the operator; the article's figures do not depend on them.

use super::world::World;
use super::*;
use crate::stage::report::{Filter, Filters};
use futures_util::StreamExt as _;

/// Statements under way at one time.
const PARALLEL: usize = 32;

/// A gateway that was told everything its dossier systems have to say.
async fn told(seed: u64, scale: &str) -> (Plan, World) {
    let options = Options {
        scale: scale.parse().unwrap(),
        seed,
        faults: FaultPreset::None,
        database: None,
        keep: None,
        port: 0,
        watching: Watching::Quiet,
    };
    let plan = Plan::new(seed, options.scale).unwrap();
    // When the quarter is long over, every statement lies in the past.
    let later = Timestamp::start_of(QUARTER_END).plus_ms(120 * 86_400_000);
    let world = World::start(&options, later).await.unwrap();
    let client = &world.client;
    let stating = plan.dossiers.iter().map(|dossier| async move {
        for stated in &dossier.statements {
            client.put(dossier, stated).await.unwrap();
        }
        if dossier.withdrawn_at.is_some() {
            assert_eq!(client.withdraw(dossier).await.unwrap().status, 200);
        }
    });
    futures_util::stream::iter(stating)
        .buffer_unordered(PARALLEL)
        .collect::<()>()
        .await;
    (plan, world)
}

fn period() -> Period {
    Period::new(QUARTER_START, QUARTER_END.yesterday().unwrap()).unwrap()
}

async fn counted(world: &World, filters: &Filters) -> report::Figures {
    let mut tx = world.context.store.snapshot().await.unwrap();
    report::count(&mut tx, period(), None, filters).await.unwrap()
}

fn differing(plan: &Plan, records: &report::Figures) -> Vec<&'static str> {
    let lines = checks::lines(&plan.figures, records);
    assert_eq!(lines.len(), 7);
    lines
        .iter()
        .filter(|line| !line.equal)
        .map(|line| line.name)
        .collect()
}

/// The seven figures come out of the records exactly, and whatever single rule the report drops, some figure is another:
/// each rule has dossiers that only it keeps out. The journal tells the same as the tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_give_the_articles_figures_and_every_filter_matters() {
    for (seed, scale) in [(1, "0.002"), (7, "0.005")] {
        let (plan, world) = told(seed, scale).await;
        let figures = quarter(&world.context).await.unwrap();
        assert_eq!(differing(&plan, &figures), [""; 0], "seed {seed}");
        assert!(checks::figures_equal(&checks::lines(&plan.figures, &figures)).passed);
        // No envelope was ever registered: every result by post is still open.
        let open = (figures.by_post.all, figures.by_post.open, figures.envelopes.all);
        assert_eq!(open, (u64::from(plan.figures.by_post), figures.by_post.all, 0));
        for filter in Filter::ALL {
            let loose = counted(&world, &Filters::all().without(*filter)).await;
            let other = differing(&plan, &loose);
            assert!(!other.is_empty(), "seed {seed}: {filter:?} makes no difference");
            assert!(!checks::figures_equal(&checks::lines(&plan.figures, &loose)).passed);
        }
        let audit = audit::recompute(&world.context.store, &|_progress| ())
            .await
            .unwrap();
        assert_eq!(audit.listed, []);
        assert_eq!(audit.dossiers, u64::try_from(plan.dossiers.len()).unwrap());
        assert!(checks::folds_recomputed(&audit).passed);
        world.stop().await.unwrap();
    }
}

/// The table for people holds every figure with its verdict, and a wrong one is told and fails the whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_figure_is_shown_and_fails() {
    let plan = Plan::new(1, "0.01".parse().unwrap()).unwrap();
    let article = plan.figures;
    let mut report = report::Figures {
        received: article.received.into(),
        received_new: article.received_new.into(),
        carried_over: article.carried_over.into(),
        resolved: article.resolved.into(),
        on_time: article.on_time.into(),
        online: article.online.into(),
        ..report::Figures::default()
    };
    report.by_post.all = u64::from(article.by_post) - 1;
    let figures = checks::lines(&article, &report);
    let outcome = Outcome {
        seed: 1,
        scale: "0.01".to_owned(),
        faults: "none",
        article,
        checks: vec![checks::figures_equal(&figures)],
        report,
        figures,
        by_post: checks::fates(&report),
        audit: audit::Audit::default(),
        happened: BTreeMap::new(),
        held: BTreeMap::new(),
    };
    assert!(!outcome.passed());
    let mut text = Vec::new();
    show(&outcome, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let line = |words: &str| text.lines().find(|line| line.contains(words)).unwrap().to_owned();
    assert!(line("returned by post").contains("74        73  FAIL"), "{text}");
    assert!(
        line("Tiếp nhận / received").contains("691       691  PASS"),
        "{text}"
    );
    assert!(
        line("FAIL  7 số liệu").contains("the article's 7 figures"),
        "{text}"
    );
    assert!(
        text.contains("by_post: 74 in the article, 73 in the records"),
        "{text}"
    );
    assert!(line("chuyển hoàn").contains("returned to the sender"), "{text}");
}
