//! Any fault that a scenario can have, and faults that it cannot.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::round_trip::{amount, host, share, span};
use super::{GOOD, read};
use crate::scenario::{Direction, EventPlace, Fault, FaultKind, Law, Moment, Origin, Part, Stage, Trigger};
use crate::units::{Ratio, Span};
use crate::vocabulary::{Host, MessageKind, Phase};

fn pair() -> impl Strategy<Value = (Host, Host, Direction)> {
    let direction = select(&[Direction::Both, Direction::OneWay][..]);
    (host(), host(), direction).prop_filter("two hosts", |(from, to, _)| from != to)
}

fn two() -> impl Strategy<Value = Host> {
    select(&[Host::Source, Host::Destination][..])
}

fn ratio() -> impl Strategy<Value = Ratio> {
    (1u64..1 << 30, 1u64..1 << 30).prop_map(|(num, den)| Ratio::new(num, den))
}

fn crash() -> impl Strategy<Value = FaultKind> {
    let agents = select(&[Host::Source, Host::Destination, Host::Management][..]);
    prop_oneof![
        host().prop_map(FaultKind::Crash),
        two().prop_map(FaultKind::CrashVmm),
        agents.prop_map(FaultKind::CrashAgent),
        Just(FaultKind::CrashStore)
    ]
}

fn of_version() -> impl Strategy<Value = FaultKind> {
    prop_oneof![Just(FaultKind::LoseVersion), Just(FaultKind::TearVersion)]
}

fn state() -> impl Strategy<Value = FaultKind> {
    let parts = select(&[Part::Host, Part::Vmm, Part::Agent][..]);
    let cut = pair().prop_map(|(from, to, direction)| FaultKind::Cut { from, to, direction });
    let slow = (two(), ratio().prop_filter("slow", |factor| *factor > Ratio::ONE));
    let left = share().prop_filter("something is left", |rate| *rate > Ratio::ZERO).boxed();
    let degrade =
        (pair(), left.clone(), amount(), share()).prop_filter("a probability", |(.., loss)| *loss < Ratio::ONE);
    let degrade = degrade.prop_map(|((from, to, direction), rate, latency, loss)| {
        let latency = Span::from_ns(latency + u64::from(rate == Ratio::ONE));
        FaultKind::Degrade { from, to, direction, rate, latency, loss }
    });
    let card = (host(), left.prop_filter("less", |rate| *rate < Ratio::ONE));
    prop_oneof![
        (parts, two()).prop_map(|(part, host)| FaultKind::Hang(part, host)),
        slow.prop_map(|(host, factor)| FaultKind::Slow { host, factor }),
        cut,
        degrade,
        card.prop_map(|(host, rate)| FaultKind::DegradeCard { host, rate }),
        Just(FaultKind::Silence),
        Just(FaultKind::HangStore),
        ratio().prop_filter("slow", |factor| *factor > Ratio::ONE).prop_map(FaultKind::SlowStore),
        Just(FaultKind::FillStore),
        option::of(two()).prop_map(|sent_by| FaultKind::LoseHeartbeats { sent_by }),
    ]
}

fn flap(times: Option<u64>) -> impl Strategy<Value = FaultKind> {
    (pair(), span(), span()).prop_map(move |((from, to, direction), down, up)| FaultKind::Flap {
        from,
        to,
        direction,
        down,
        up,
        times,
    })
}

/// What breaks, and whether it must, may or must not last.
fn what() -> impl Strategy<Value = (FaultKind, Option<bool>)> {
    let group = (prop::collection::vec(prop_oneof![crash(), state()], 1..3), state());
    let group = group.prop_map(|(mut members, last)| {
        members.push(last);
        (FaultKind::Group(members), None)
    });
    prop_oneof![
        crash().prop_map(|what| (what, Some(false))),
        Just((FaultKind::Reset, Some(false))),
        of_version().prop_map(|what| (what, Some(false))),
        state().prop_map(|what| (what, None)),
        flap(None).prop_map(|what| (what, Some(true))),
        (1u64..1 << 40).prop_flat_map(|times| flap(Some(times))).prop_map(|what| (what, Some(false))),
        group,
    ]
}

fn law() -> impl Strategy<Value = Law> {
    prop_oneof![
        span().prop_map(|mean| Law::Exponential { mean }),
        (span(), ratio()).prop_map(|(scale, shape)| Law::Weibull { scale, shape }),
        (span(), ratio()).prop_map(|(median, sigma)| Law::LogNormal { median, sigma }),
        (span(), ratio()).prop_map(|(scale, shape)| Law::Gamma { scale, shape }),
        (amount(), amount())
            .prop_map(|(a, b)| Law::Uniform { from: Span::from_ns(a.min(b)), to: Span::from_ns(a.max(b)) }),
        prop::collection::vec(amount().prop_map(Span::from_ns), 1..5).prop_map(Law::Empirical),
    ]
}

fn place() -> impl Strategy<Value = EventPlace> {
    prop_oneof![
        Just(EventPlace::Before),
        (1u64..1 << 30).prop_map(EventPlace::Within),
        amount().prop_map(|ns| EventPlace::After(Span::from_ns(ns))),
    ]
}

fn when() -> impl Strategy<Value = Trigger> {
    let phases = select(Phase::ALL).prop_filter("under way", |phase| !matches!(phase, Phase::Idle | Phase::Done));
    let phase = (phases, option::of(1u64..1 << 48), share(), amount()).prop_map(|(name, round, progress, after)| {
        let round = round.filter(|_| name == Phase::Copy);
        Trigger::Phase { name, round, progress, after: Span::from_ns(after) }
    });
    let moments = select(&[Moment::Sent, Moment::BeforeDelivery, Moment::AfterDelivery][..]);
    let message = (select(MessageKind::ALL), 1u64..1 << 48, moments);
    let stages = select(&[Stage::Emitted, Stage::Released, Stage::Delivered][..]);
    prop_oneof![
        amount().prop_map(|ns| Trigger::At(Span::from_ns(ns))),
        phase,
        message.prop_map(|(kind, n, moment)| Trigger::Message { kind, n, moment }),
        (1u64..1 << 48, stages).prop_map(|(n, stage)| Trigger::Outputs { n, stage }),
        (1u64..1 << 48, place()).prop_map(|(n, place)| Trigger::Event { n, place }),
        (law(), select(&[Origin::Start, Origin::Migrate][..])).prop_map(|(law, from)| Trigger::Law {
            law,
            from,
            within: None
        }),
    ]
}

pub(super) fn fault() -> impl Strategy<Value = Fault> {
    (what(), when(), span(), option::of(span())).prop_map(|((what, must), when, lasts, again)| {
        let may = must.unwrap_or(again.is_some());
        let restarts_after = again.filter(|_| what.can_restart());
        Fault { lasts: Some(lasts).filter(|_| may), restarts_after, what, when }
    })
}

#[test]
fn a_fault_that_cannot_be_is_refused() {
    let at = r#""when": {"at": "2 s"}"#;
    let cases = [
        (
            format!(r#"{{"what": {{"crash": "source"}}, {at}, "lasts": "1 s"}}"#),
            "lasts: a crash or a `reset` is over at once",
        ),
        (format!(r#"{{"what": {{"silence": {{}}}}, {at}, "restarts_after": "1 s"}}"#), "only what a crash killed"),
        (format!(r#"{{"what": {{"crash-agent": "client"}}, {at}}}"#), "crash-agent: there is no agent on `client`"),
        (
            format!(r#"{{"what": {{"hang": {{"vmm": "management"}}}}, {at}}}"#),
            "hang.vmm: there is no VMM on `management`",
        ),
        (format!(r#"{{"what": {{"hang": {{"host": "client"}}}}, {at}}}"#), "hang.host: there is no agent on `client`"),
        (
            format!(r#"{{"what": {{"slow": {{"of": "source", "factor": "1/2"}}}}, {at}}}"#),
            "factor: 50 % is not above 100 %",
        ),
        (format!(r#"{{"what": {{"slow-store": {{"factor": "1/2"}}}}, {at}}}"#), "factor: 50 % is not above 100 %"),
        (
            format!(r#"{{"what": {{"hang-store": {{}}}}, {at}, "lasts": "1 s"}}"#),
            "can never strike: no checkpoints are made",
        ),
        (format!(r#"{{"what": {{"lose-version": {{}}}}, {at}, "lasts": "1 s"}}"#), "a lost version does not come back"),
        (format!(r#"{{"what": {{"degrade": {{}}}}, {at}}}"#), "degrade: degrades nothing"),
        (format!(r#"{{"what": {{"degrade": {{"rate": "0 %"}}}}, {at}}}"#), "rate: nothing is left of the rate"),
        (format!(r#"{{"what": {{"degrade": {{"rate": "3/2"}}}}, {at}}}"#), "rate: 150 % of the rate is no degradation"),
        (format!(r#"{{"what": {{"degrade": {{"loss": "100 %"}}}}, {at}}}"#), "loss: 100 % is no probability"),
        (
            format!(r#"{{"what": {{"degrade-card": {{"of": "source", "rate": "100 %"}}}}, {at}}}"#),
            "rate: 100 % of the rate is no degradation",
        ),
        (format!(r#"{{"what": {{"flap": {{"down": "1 s", "up": "1 s"}}}}, {at}}}"#), "a flap without end"),
        (
            format!(r#"{{"what": {{"flap": {{"down": "1 s", "up": "1 s", "times": 2}}}}, {at}, "lasts": "9 s"}}"#),
            "give `times` or `lasts`, not both",
        ),
        (format!(r#"{{"what": {{"group": [{{"crash": "source"}}]}}, {at}}}"#), "group: 1 is no group"),
        (
            format!(r#"{{"what": {{"group": [{{"crash": "source"}}, {{"group": []}}]}}, {at}}}"#),
            "group[1]: a group has no groups in it",
        ),
        (format!(r#"{{"what": {{"lose-heartbeats": {{"sent_by": "client"}}}}, {at}}}"#), "sent_by: there is no VMM"),
    ];
    for (fault, wanted) in cases {
        refused(&fault, wanted);
    }
}

#[test]
fn a_trigger_that_cannot_be_is_refused() {
    let cases = [
        (r#"{"message": {"kind": "go"}}"#, "can never strike: only a `three-phase` handover"),
        (r#"{"message": {"kind": "switch"}}"#, "can never strike: only `post-copy` and `hybrid`"),
        (r#"{"message": {"kind": "flush"}}"#, "can never strike: only a pre-copy with several `channels`"),
        (r#"{"message": {"kind": "answer-running"}}"#, "can never strike: nobody asks"),
        (r#"{"message": {"kind": "started", "n": 0}}"#, "message.n: is zero"),
        (r#"{"message": {"kind": "startd"}}"#, "did you mean `started`?"),
        (r#"{"outputs": {"n": 3}}"#, "can never strike: the VM has no `output`"),
        (r#"{"outputs": {"n": 0}}"#, "outputs.n: is zero"),
        (r#"{"law": {"time": {"exponential": {"mean": "0 s"}}}}"#, "exponential.mean: is zero"),
        (r#"{"law": {"time": {"weibull": {"scale": "1 s", "shape": "0/1"}}}}"#, "weibull.shape: is zero"),
        (r#"{"law": {"time": {"log-normal": {"median": "1 s", "sigma": "0 %"}}}}"#, "log-normal.sigma: is zero"),
        (r#"{"law": {"time": {"gamma": {"shape": "2/1"}}}}"#, "gamma: one of `mean` and `scale` is needed"),
        (r#"{"law": {"time": {"uniform": {"from": "2 s", "to": "1 s"}}}}"#, "uniform.to: 1 s is before `from`"),
        (r#"{"law": {"time": {"empirical": {"values": []}}}}"#, "empirical: is a sample without values"),
        (r#"{"law": {"time": {"empirical": {"csv": "exampel"}}}}"#, "there is no law `exampel`"),
    ];
    for (when, wanted) in cases {
        refused(&format!(r#"{{"what": {{"crash": "source"}}, "when": {when}}}"#), wanted);
    }
    let deaf =
        GOOD.replace("{ \"pre-copy\": {} }", "{ \"pre-copy\": {} }, \"detector\": {\"heartbeat\": {\"off\": {}}}");
    let lost = r#""gige", "faults": [{"what": {"lose-heartbeats": {}}, "when": {"at": "2 s"}}]"#;
    let error = read(&deaf.replace("\"gige\"", lost)).expect_err("nothing to lose").to_string();
    assert!(error.contains("faults[0]: can never strike: no heartbeats are sent"), "{error}");
}

fn refused(fault: &str, wanted: &str) {
    let error =
        read(&GOOD.replace("\"gige\"", &format!("\"gige\", \"faults\": [{fault}]"))).expect_err(fault).to_string();
    assert!(error.contains(wanted), "{fault}: {error}");
}

#[test]
fn a_gamma_law_may_be_given_by_its_mean() {
    let law = r#"{"law": {"time": {"gamma": {"mean": "10 s", "shape": "5/2"}}, "from": "migrate"}}"#;
    let fault = format!(r#"{{"what": {{"crash": "source"}}, "when": {law}, "restarts_after": "3 s"}}"#);
    let scenario = read(&GOOD.replace("\"gige\"", &format!("\"gige\", \"faults\": [{fault}]"))).expect("good");
    let law = Law::Gamma { scale: Span::from_s(4), shape: Ratio::new(5, 2) };
    assert_eq!(scenario.faults[0].when, Trigger::Law { law, from: Origin::Migrate, within: None });
    assert_eq!(scenario.faults[0].restarts_after, Some(Span::from_s(3)));
}
