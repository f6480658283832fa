//! What is run around blocks, and when.

use super::*;
use crate::campaign::hooks::{
    HookCall, HookKind,
    double::{FakeHooks, HookAct},
};
use std::sync::Mutex;
use tokio::time::sleep;

/// A campaign with hooks: its directory, and what has happened so far.
struct Setup {
    manifest: Manifest,
    directory: PathBuf,
    events: Arc<Mutex<Vec<String>>>,
}

impl Setup {
    /// With blocks of two calls, and two blocks.
    fn new(name: &str) -> Self {
        let limits = CampaignLimits { invocations: Some(4), ..CampaignLimits::default() };
        let manifest = Manifest { limits, ..Manifest::example() };
        Self { manifest, directory: scratch(&format!("hooks-{name}")), events: Arc::default() }
    }

    /// Runs it, or goes on with it. `at_call` learns the number of every call, and may ask for the end.
    async fn run(
        &self,
        observer: &mut TestObserver,
        script: fn(HookCall) -> HookAct,
        at_call: impl Fn(usize, &watch::Sender<bool>) -> Act + Send + Sync + 'static,
    ) -> Result<Finished, Box<dyn std::any::Any + Send>> {
        let (slot, events) = (Arc::<Mutex<Option<watch::Sender<bool>>>>::default(), Arc::clone(&self.events));
        let of_calls = Arc::clone(&slot);
        let lambda = Arc::new(FakeLambda::new(move |number, _| {
            events.lock().unwrap().push("call".to_owned());
            at_call(number, of_calls.lock().unwrap().as_ref().unwrap())
        }));
        let is_new = !self.directory.join("campaign.json").exists();
        let journal =
            if is_new { Journal::create(&self.directory, &self.manifest) } else { Journal::open(&self.directory) };
        let rows = run_directory::rows(&self.directory, &self.manifest).unwrap();
        let progress = Progress::new(&self.manifest, rows, Vec::new()).unwrap();
        let (campaign, stop) = campaign(&self.manifest, &lambda, &self.directory, journal.unwrap(), progress);
        *slot.lock().unwrap() = Some(stop);
        catching(campaign.with_hooks(Some(Box::new(FakeHooks::new(&self.events, script)))).run(observer)).await
    }

    /// Runs it with hooks that do this and calls that succeed: how it ends.
    async fn end(&self, script: fn(HookCall) -> HookAct) -> Result<Outcome, String> {
        let finished = self.run(&mut TestObserver::default(), script, |_, _| Act::Answer).await;
        finished.unwrap().end.map_err(|error| error.to_string())
    }

    /// Runs it, and asks for its end within this time: how it ends, and what was said.
    async fn stopped_after(&self, time: Duration, script: fn(HookCall) -> HookAct) -> (Outcome, Vec<String>) {
        let mut observer = TestObserver::default();
        let finished = self.run(&mut observer, script, move |number, stop| {
            let stop = stop.clone();
            if number == 0 {
                tokio::spawn(async move {
                    sleep(time).await;
                    stop.send_replace(true);
                });
            }
            Act::Answer
        });
        let outcome = finished.await.unwrap().end.unwrap();
        (outcome, observer.warnings)
    }

    fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    fn samples(&self) -> usize {
        run_directory::rows(&self.directory, &self.manifest).unwrap().count()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn fails(call: HookCall, kind: HookKind, block: u64) -> HookAct {
    if call == (HookCall { kind, block }) { HookAct::Fail } else { HookAct::Succeed }
}

#[tokio::test(start_paused = true)]
async fn every_block_has_its_hooks_around_all_its_calls() {
    let setup = Setup::new("order");
    assert!(matches!(setup.end(|_| HookAct::Succeed).await, Ok(Outcome::Enough(_))));
    assert_eq!(
        setup.events(),
        ["before 0", "call", "call", "after 0", "before 1", "call", "call", "after 1"],
        "of the last block too"
    );
    // Nothing is left to be called.
    assert!(matches!(setup.end(|_| HookAct::Succeed).await, Ok(Outcome::Enough(_))));
    assert_eq!(setup.events(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_gone_on_with_has_them_again() {
    let setup = Setup::new("middle");
    setup.end(|_| HookAct::Succeed).await.unwrap();
    setup.events();
    let samples = setup.directory.join("samples.jsonl");
    let text = fs::read_to_string(&samples).unwrap();
    fs::write(&samples, text.split_inclusive('\n').take(3).collect::<String>()).unwrap();
    setup.end(|_| HookAct::Succeed).await.unwrap();
    assert_eq!(setup.events(), ["before 1", "call", "after 1"]);
    assert_eq!(setup.samples(), 4);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_made_again_are_within_the_block() {
    let setup = Setup::new("again");
    let refuse = |number, _: &_| {
        if number == 1 { Act::Refuse(429, "TooManyRequestsException") } else { Act::Answer }
    };
    let finished = setup.run(&mut TestObserver::default(), |_| HookAct::Succeed, refuse).await.unwrap();
    assert!(matches!(finished.end, Ok(Outcome::Enough(_))));
    assert_eq!(setup.events()[..6], ["before 0", "call", "call", "call", "after 0", "before 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_ends_the_campaign_and_its_samples_stay() {
    for (kind, message, events) in [
        (
            HookKind::Before,
            "--before of block 2 (reset) ended with exit status: 3",
            ["before 0", "call", "call", "after 0", "before 1"].as_slice(),
        ),
        (
            HookKind::After,
            "--after of block 1 (reset) ended with exit status: 3",
            &["before 0", "call", "call", "after 0"],
        ),
    ] {
        let setup = Setup::new(&format!("fails-{kind}"));
        let end = match kind {
            HookKind::Before => setup.end(|call| fails(call, HookKind::Before, 1)).await,
            HookKind::After => setup.end(|call| fails(call, HookKind::After, 0)).await,
        };
        assert_eq!(end, Err(message.to_owned()));
        assert_eq!(setup.events(), events);
        assert_eq!(setup.samples(), 2);
        // It goes on where it has stopped.
        assert!(matches!(setup.end(|_| HookAct::Succeed).await, Ok(Outcome::Enough(_))));
        assert_eq!(setup.events(), ["before 1", "call", "call", "after 1"]);
    }
    // The last one counts as well.
    let setup = Setup::new("fails-last");
    let end = setup.end(|call| fails(call, HookKind::After, 1)).await;
    assert_eq!(end, Err("--after of block 2 (reset) ended with exit status: 3".to_owned()));
    assert_eq!(setup.samples(), 4);
}

#[tokio::test(start_paused = true)]
async fn state_is_set_back_after_an_interruption_a_failure_and_a_bug() {
    // Asked to end amid the calls.
    let setup = Setup::new("interrupted");
    let mut observer = TestObserver::default();
    let stop_at_once = |_, stop: &watch::Sender<bool>| {
        stop.send_replace(true);
        Act::Answer
    };
    let finished = setup.run(&mut observer, |_| HookAct::TakeFor(Duration::from_secs(1)), stop_at_once).await;
    assert_eq!(finished.unwrap().end.unwrap(), Outcome::Interrupted);
    assert_eq!(setup.events(), ["before 0", "before 0 is done", "call", "after 0", "after 0 is done"]);
    assert_eq!(observer.warnings, ["--after of block 1 is run to its end; Ctrl-C again leaves that undone"]);

    // Nothing but failures.
    let setup = Setup::new("failing");
    let refuse = |_, _: &_| Act::Refuse(403, "AccessDeniedException");
    let finished = setup.run(&mut TestObserver::default(), |_| HookAct::Succeed, refuse).await.unwrap();
    assert!(matches!(finished.end, Ok(Outcome::Fruitless(..) | Outcome::Failing(_))), "{:?}", finished.end);
    assert_eq!(setup.events().last().unwrap(), "after 1");

    // The output is gone, and then the hook fails too.
    let setup = Setup::new("output");
    let mut observer = TestObserver { fails_at: Some(2), ..TestObserver::default() };
    let script = |call| fails(call, HookKind::After, 0);
    let finished = setup.run(&mut observer, script, |_, _| Act::Answer).await.unwrap();
    assert!(matches!(finished.end, Err(CampaignError::Output(_))), "{:?}", finished.end);
    assert_eq!(setup.events(), ["before 0", "call", "call", "after 0"]);
    assert_eq!(observer.warnings, ["--after of block 1 (reset) ended with exit status: 3"]);

    // A bug.
    let setup = Setup::new("bug");
    let mut observer = TestObserver { panics_at: Some(1), ..TestObserver::default() };
    setup.run(&mut observer, |_| HookAct::Succeed, |_, _| Act::Answer).await.expect_err("the panic is not hidden");
    assert_eq!(setup.events(), ["before 0", "call", "after 0"]);
}

#[tokio::test(start_paused = true)]
async fn before_can_be_interrupted_and_after_cannot() {
    let within = Duration::from_secs(5);
    let setup = Setup::new("stop-before");
    let script = |call: HookCall| {
        let is_meant = call == HookCall { kind: HookKind::Before, block: 1 };
        if is_meant { HookAct::TakeFor(Duration::from_secs(60)) } else { HookAct::Succeed }
    };
    assert_eq!(setup.stopped_after(within, script).await, (Outcome::Interrupted, Vec::new()));
    let first = ["before 0", "call", "call", "after 0"];
    assert_eq!(setup.events(), [first.as_slice(), &["before 1", "before 1 is interrupted"]].concat());

    let setup = Setup::new("stop-after");
    let script = |call: HookCall| {
        if call.kind == HookKind::After { HookAct::TakeFor(Duration::from_secs(60)) } else { HookAct::Succeed }
    };
    let said = "--after of block 1 is run to its end; Ctrl-C again leaves that undone";
    assert_eq!(setup.stopped_after(within, script).await, (Outcome::Interrupted, vec![said.to_owned()]));
    assert_eq!(setup.events(), [first.as_slice(), &["after 0 is done"]].concat());
}
