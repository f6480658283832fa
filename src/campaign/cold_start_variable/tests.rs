//! Changes in virtual time, of a function whose control plane follows a test's script.

use super::{
    double::{Act, FakeLambda},
    *,
};
use crate::campaign::row::FailureKind;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use tokio::time::{Instant, sleep};

const WITHIN: Duration = Duration::from_secs(300);

fn owner() -> Owner {
    Owner::this_process(Path::new("runs/one"))
}

async fn set(variables: &Variables) -> Result<(), Failure> {
    let (_keep, stop) = watch::channel(false);
    variables.set(&owner(), WITHIN, &stop).await
}

/// Sets the variable, and asks for a stop after `end`.
async fn set_until(variables: &Variables, end: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(false);
    let end = async {
        end.await;
        stop.send_replace(true);
    };
    let owner = owner();
    let (outcome, ()) = tokio::join!(variables.set(&owner, WITHIN, &stopped), end);
    outcome.unwrap();
}

async fn remove(variables: &Variables) -> Result<Removal, Failure> {
    variables.remove(Claim::Owner(&owner()), WITHIN).await
}

#[tokio::test(start_paused = true)]
async fn a_slow_update_is_awaited_until_the_time_limit() {
    let lambda = Arc::new(FakeLambda { update_takes: Duration::from_secs(130), ..FakeLambda::new(|_, _| Act::Answer) });
    let (variables, begin) = (lambda.variables(), Instant::now());
    set(&variables).await.unwrap();
    assert!(lambda.has_variable() && (130..133).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    // One request more than a second apart would be slow, ten a second would be throttled.
    assert!((130..280).contains(&lambda.count("GET")), "{}", lambda.count("GET"));
    remove(&variables).await.unwrap();
    assert!(lambda.is_as_before());

    let lambda = Arc::new(FakeLambda { update_takes: Duration::from_secs(400), ..FakeLambda::new(|_, _| Act::Answer) });
    let failure = set(&lambda.variables()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.message.contains("within 5m") && failure.message.contains("still at work"), "{failure}");
}

const PASSING: [Act; 7] = [
    Act::Refuse(429, "TooManyRequestsException"),
    Act::Refuse(500, "ServiceException"),
    Act::Refuse(409, "ResourceConflictException"),
    Act::Refuse(412, "PreconditionFailedException"),
    Act::Refuse(403, "ExpiredTokenException"),
    Act::LoseRequest,
    Act::LoseAnswer,
];

#[tokio::test(start_paused = true)]
async fn passing_errors_are_retried() {
    for trouble in PASSING {
        for method in ["GET", "PUT"] {
            let lambda = Arc::new(FakeLambda::new(
                move |number, asked| if number < 6 && asked == method { trouble } else { Act::Answer },
            ));
            let variables = lambda.variables();
            set(&variables).await.unwrap();
            assert!(lambda.has_variable(), "{trouble:?} {method}");
            remove(&variables).await.unwrap();
            assert!(lambda.is_as_before(), "{trouble:?} {method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retries_slow_down_and_end_at_the_time_limit() {
    for trouble in PASSING {
        let lambda = Arc::new(FakeLambda::new(move |_, method| if method == "PUT" { trouble } else { Act::Answer }));
        let begin = Instant::now();
        let outcome = set(&lambda.variables()).await;
        if trouble == Act::LoseAnswer {
            // It has come through for all that.
            outcome.unwrap();
            continue;
        }
        let failure = outcome.unwrap_err();
        assert!(failure.message.contains("within 5m") && !failure.message.contains("secret"), "{failure}");
        assert!((300..306).contains(&begin.elapsed().as_secs()), "{trouble:?}: {:?}", begin.elapsed());
        // At most 5 s and at least half of that between two of them, after some that are shorter.
        assert!((60..140).contains(&lambda.count("PUT")), "{trouble:?}: {}", lambda.count("PUT"));
    }
}

#[tokio::test(start_paused = true)]
async fn lasting_errors_are_reported_at_once() {
    for (status, code) in
        [(403, "AccessDeniedException"), (400, "InvalidParameterValueException"), (404, "ResourceNotFoundException")]
    {
        let lambda = Arc::new(FakeLambda::new(
            move |_, method| if method == "PUT" { Act::Refuse(status, code) } else { Act::Answer },
        ));
        let failure = set(&lambda.variables()).await.unwrap_err();
        assert_eq!(failure.message, format!("{code}: KEEP=… …"), "values of variables may be secret");
        assert_eq!(lambda.count("PUT"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_function_is_an_error_unless_forced() {
    let lambda = Arc::new(FakeLambda::new(|_, _| Act::Refuse(404, "ResourceNotFoundException")));
    let failure = remove(&lambda.variables()).await.unwrap_err();
    assert!(failure.message.contains("the credentials of its account, or if it was deleted"), "{failure}");
    assert!(set(&lambda.variables()).await.is_err());
    // `--force` says that the user knows that it is gone.
    let gone = lambda.variables().remove(Claim::Anybody, WITHIN).await.unwrap();
    assert_eq!(gone.remark.as_deref(), Some("there is no such function (any more)"));
}

#[tokio::test(start_paused = true)]
async fn the_reason_of_a_failed_update_is_shown() {
    let result = json!({
        "LastUpdateStatus": "Failed",
        "LastUpdateStatusReason": "The KMS key is disabled",
        "LastUpdateStatusReasonCode": "DisabledKMSKey",
    });
    let lambda = Arc::new(FakeLambda { result, ..FakeLambda::new(|_, _| Act::Answer) });
    let variables = lambda.variables();
    let failure = set(&variables).await.unwrap_err();
    assert_eq!(failure.message, "its last update has failed: DisabledKMSKey: The KMS key is disabled");
    // The variable goes nevertheless.
    assert!(lambda.has_variable());
    let removal = remove(&variables).await.unwrap();
    assert_eq!(removal.remark, Some(failure.message));
    assert!(lambda.is_as_before());
}

/// The answer to the update does not come, it is undone, and then Lambda gets to it.
#[tokio::test(start_paused = true)]
async fn a_late_update_cannot_take_effect_after_it_was_undone() {
    let late = Duration::from_secs(60);
    let lambda = Arc::new(FakeLambda::new(move |number, _| if number == 1 { Act::HangFor(late) } else { Act::Answer }));
    let variables = lambda.variables();
    let begin = Instant::now();
    set_until(&variables, sleep(Duration::from_secs(1))).await;
    // The request under way is waited for, as long as a request may take, and nothing else is.
    assert_eq!(begin.elapsed().as_secs(), 20);
    assert!(!lambda.has_variable());
    remove(&variables).await.unwrap();
    sleep(late).await;
    assert!(lambda.is_as_before());
    assert_eq!(lambda.count("PUT"), 2);
}

/// An end is asked for while Lambda tells what was before the update that it has taken.
#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_not_mistaken_for_the_undo() {
    let lambda = Arc::new(FakeLambda::new(|number, method| match number {
        2..10 if method == "GET" => Act::AnswerLate,
        _ => Act::Answer,
    }));
    let variables = lambda.variables();
    let update = async {
        while lambda.count("PUT") == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    set_until(&variables, update).await;
    assert!(lambda.has_variable());
    remove(&variables).await.unwrap();
    assert!(lambda.is_as_before());
}

#[tokio::test(start_paused = true)]
async fn variables_missing_from_one_answer_are_not_lost() {
    let lambda = Arc::new(FakeLambda::new(|number, method| match number % 3 {
        1 if method == "GET" => Act::LeaveOutVariables,
        _ => Act::Answer,
    }));
    let variables = lambda.variables();
    variables.check(&owner(), WITHIN).await.unwrap();
    set(&variables).await.unwrap();
    assert_eq!(lambda.variables.lock().unwrap()["KEEP"], "secret value");
    remove(&variables).await.unwrap();
    assert!(lambda.is_as_before());
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_on_a_stop_request() {
    let lambda = Arc::new(FakeLambda { update_takes: Duration::from_secs(130), ..FakeLambda::new(|_, _| Act::Answer) });
    let variables = lambda.variables();
    let begin = Instant::now();
    set_until(&variables, sleep(Duration::from_secs(10))).await;
    assert_eq!(begin.elapsed().as_secs(), 10);
    // Its undoing waits for Lambda.
    remove(&variables).await.unwrap();
    assert!(lambda.is_as_before());
    assert!((260..264).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

/// A function whose configuration has this in the place of its variables.
async fn refusal(environment: Value, key: Option<&str>) -> String {
    let mut result = json!({"LastUpdateStatus": "Successful", "Environment": environment});
    if let Some(key) = key {
        result["KMSKeyArn"] = json!(key);
    }
    let lambda = Arc::new(FakeLambda { result, ..FakeLambda::new(|_, _| Act::Answer) });
    let variables = lambda.variables();
    let failure = set(&variables).await.unwrap_err();
    assert_eq!(variables.check(&owner(), WITHIN).await.unwrap_err(), failure);
    assert_eq!(lambda.count("PUT"), 0);
    failure.message
}

#[tokio::test(start_paused = true)]
async fn unreadable_or_oversized_variables_are_never_written() {
    let denied = json!({"Error": {"ErrorCode": "AccessDeniedException", "Message": "not you"}});
    let message = refusal(denied.clone(), Some("arn:aws:kms:eu-west-1:123456789012:key/k")).await;
    assert!(message.contains("(AccessDeniedException: not you)"), "{message}");
    assert!(message.contains("kms:Decrypt on arn:aws:kms:eu-west-1:123456789012:key/k"), "{message}");
    assert!(refusal(denied, None).await.contains("kms:Decrypt on Lambda's own key"));
    // Some of them is not all of them.
    let partly = json!({"Variables": {"KEEP": "1"}, "Error": {"ErrorCode": "KMSThrottled", "Message": "later"}});
    assert!(refusal(partly, None).await.contains("KMSThrottled"));
    assert!(refusal(json!({}), None).await.contains("does not tell its variables"));
    let long = refusal(json!({"Variables": {"LONG": "x".repeat(4000)}}), None).await;
    assert!(long.contains("Lambda allows 4096") && !long.contains("xxxx"), "{long}");
}

#[tokio::test(start_paused = true)]
async fn a_variable_of_another_live_owner_is_left_alone() {
    let elsewhere = owner().mark(SystemTime::now()).to_string().replacen("machine=", "machine=not-", 1);
    let message = refusal(json!({"Variables": {COLD_START_VARIABLE: elsewhere}}), None).await;
    assert!(message.contains("the campaign one on ") && message.contains("--force lambda:x"), "{message}");
    let message = refusal(json!({"Variables": {COLD_START_VARIABLE: "hunter2"}}), None).await;
    assert!(message.contains("no campaign has set") && !message.contains("hunter2"), "{message}");

    let lambda = Arc::new(FakeLambda::new(|_, _| Act::Answer));
    lambda.variables.lock().unwrap()[COLD_START_VARIABLE] = json!("hunter2");
    assert!(remove(&lambda.variables()).await.is_err());
    lambda.variables().remove(Claim::Anybody, WITHIN).await.unwrap();
    assert!(lambda.is_as_before());
    // What a program has left that has ended, on this machine or long ago elsewhere, may be removed.
    for left in
        [owner().mark(SystemTime::now()).to_string().replace('/', "/9"), elsewhere.replace(" at=202", " at=200")]
    {
        lambda.variables.lock().unwrap()[COLD_START_VARIABLE] = json!(left);
        remove(&lambda.variables()).await.unwrap();
        assert!(lambda.is_as_before());
    }
}
