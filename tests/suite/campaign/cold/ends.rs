//! Errors of the control plane, signals, and other campaigns.

use super::{
    super::{Scratch, assert_code, command},
    Act, Lambda, VARIABLE, campaign, clean_up, cold, no_undoing, paused, signal,
};
use crate::{
    cli::{stderr, stdout},
    scripted::Reply,
};
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    process::Command,
    sync::Mutex,
    thread::sleep,
    time::Duration,
};

/// How often a campaign looks at its functions before it changes them: at what they are, whether they can be changed,
/// whether they are ready, and what others have left.
const LOOKS: usize = 8;

fn passing() -> [Reply; 5] {
    [
        Reply::lambda_error("TooManyRequestsException", "Rate Exceeded."),
        Reply::lambda_error("ServiceException", "again"),
        Reply::lambda_error("ResourceConflictException", "An update is in progress for resource"),
        Reply::lambda_error("PreconditionFailedException", "The Revision Id provided does not match"),
        Reply::lost(),
    ]
}

#[test]
fn a_transient_error_does_not_end_a_campaign() {
    for reply in passing() {
        // Only updates have conflicts.
        let is_conflict = [409, 412].contains(&reply.status);
        // Every third control call that can fail so does, of updates every second, whether it was done or not.
        let period = if is_conflict { 2 } else { 3 };
        for act in [Act::Instead(reply.clone()), Act::DoneBut(reply.clone())] {
            let counted = Mutex::new(0);
            let lambda = Lambda::start(move |control| {
                let mut counted = counted.lock().unwrap();
                let can_fail = control.number >= LOOKS && (control.is_update || !is_conflict);
                *counted += u32::from(can_fail);
                if can_fail && *counted % period == 1 { act.clone() } else { Act::Answer }
            });
            let (scratch, before) = (Scratch::new(), lambda.functions());
            let output = cold(&scratch, &lambda, &[]).output().unwrap();
            assert_code(&output, 0);
            assert_eq!((lambda.functions(), lambda.invocations()), (before, 2), "{reply:?}");
            assert!(lambda.controls().len() > 8 + 2 * (3 + 3), "{reply:?}: nothing has failed");
        }
    }
}

#[test]
fn a_persistent_error_is_reported_with_the_repair() {
    for reply in passing() {
        let lambda = Lambda::start(no_undoing(&reply));
        let (scratch, before) = (Scratch::new(), lambda.functions());
        let out = scratch.path("run");
        let output = cold(&scratch, &lambda, &["--change-timeout", "300ms"]).output().unwrap();
        assert_code(&output, 1);
        let message = stderr(&output);
        for part in
            ["Still changed: lambda:x", "Still changed: lambda:a", "within 300ms", &format!("duet clean-up {out}`")]
        {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(lambda.is_changed() && !message.contains("hunter2"), "{message}");
        // The samples are there.
        assert_eq!(super::super::samples(&out).1.len(), 2);

        let output = clean_up(&lambda, &["--change-timeout", "300ms", &out]);
        assert_code(&output, 1);
        assert!(stderr(&output).contains("lambda:a: Lambda has not taken the change"), "{}", stderr(&output));
        lambda.continue_with(|_| Act::Answer);
        let text = stdout(&clean_up(&lambda, &[&out]));
        assert_eq!(text, "lambda:a is changed back\nlambda:x is changed back\n");
        assert_eq!(lambda.functions(), before);
        assert_eq!(stdout(&clean_up(&lambda, &[&out])), format!("{out}: nothing is changed\n"));
    }
}

#[test]
fn a_permanent_error_is_reported_at_once() {
    let denied =
        Reply::lambda_error("AccessDeniedException", "not authorized to perform: lambda:UpdateFunctionConfiguration");
    let lambda =
        Lambda::start(move |control| if control.is_update { Act::Instead(denied.clone()) } else { Act::Answer });
    let (scratch, before) = (Scratch::new(), lambda.functions());
    let output = cold(&scratch, &lambda, &[]).output().unwrap();
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(
        message.contains("forcing cold starts of lambda:") && message.contains("AccessDeniedException"),
        "{message}"
    );
    assert_eq!((lambda.functions(), lambda.updates(), lambda.invocations()), (before, 1, 0));
}

#[test]
fn the_reason_of_an_update_that_fails_is_shown_and_the_variable_goes() {
    let lambda = Lambda::start(|_| Act::Answer);
    let before = lambda.functions();
    let failed = json!("Failed");
    lambda.set("/LastUpdateStatus", &failed);
    lambda.set("/LastUpdateStatusReason", &json!("The KMS key is disabled"));
    lambda.set("/LastUpdateStatusReasonCode", &json!("DisabledKMSKey"));
    let scratch = Scratch::new();
    let output = cold(&scratch, &lambda, &[]).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("DisabledKMSKey: The KMS key is disabled"), "{}", stderr(&output));
    assert_eq!(lambda.invocations(), 0);
    for (function, before) in lambda.functions().iter().zip(before) {
        assert_eq!(function["Environment"], before["Environment"]);
    }
}

/// A function that Lambda is at work on.
fn busy() -> Act {
    let busy = json!({
        "FunctionName": "x", "Architectures": ["x86_64"], "MemorySize": 1769, "Timeout": 30, "State": "Active",
        "LastUpdateStatus": "InProgress", "RevisionId": "0", "Environment": {"Variables": {"KEEP": "not these"}},
    });
    Act::Instead(Reply::ok(busy.to_string()).header("content-type", "application/json"))
}

#[test]
fn a_function_that_lambda_is_still_updating_is_waited_for() {
    let scratch = Scratch::new();
    let lambda = Lambda::start(|control| if (4..8).contains(&control.number) { busy() } else { Act::Answer });
    let before = lambda.functions();
    assert_code(&cold(&scratch, &lambda, &[]).output().unwrap(), 0);
    assert_eq!(lambda.functions(), before);
}

#[test]
fn every_signal_that_asks_for_an_end_leaves_nothing_changed() {
    for name in ["INT", "TERM", "HUP"] {
        let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
        let before = lambda.functions();
        let process = paused(&scratch, &lambda, &[]);
        assert!(lambda.is_changed());
        signal(&process, name);
        let output = process.wait_with_output().unwrap();
        assert_code(&output, 130);
        assert!(stderr(&output).contains("changing back lambda:a and lambda:x"), "{}", stderr(&output));
        assert_eq!(lambda.functions(), before, "{name}");
    }
}

#[test]
fn signals_that_come_together_are_one() {
    // A shell passes on the hangup that the terminal has sent already, programs that run others what they get.
    for names in [["HUP", "HUP"], ["TERM", "HUP"], ["INT", "INT"], ["INT", "TERM"], ["HUP", "TERM"]] {
        let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
        let before = lambda.functions();
        let process = paused(&scratch, &lambda, &[]);
        names.iter().for_each(|name| signal(&process, name));
        let output = process.wait_with_output().unwrap();
        assert_code(&output, 130);
        assert!(!stderr(&output).contains("Still changed"), "{names:?}: {}", stderr(&output));
        assert_eq!(lambda.functions(), before, "{names:?}");
    }
}

#[test]
fn an_ignored_hangup_does_not_end_a_campaign() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let run = campaign(&scratch, &lambda, &["--cold", "--invocations", "4", "--pace", "1s"]);
    // As `nohup` does.
    let process = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(run.get_program())
        .args(run.get_args())
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(run.get_current_dir().unwrap())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    lambda.wait_until(|lambda| lambda.invocations() == 2);
    signal(&process, "HUP");
    assert_code(&process.wait_with_output().unwrap(), 0);
    assert_eq!((lambda.functions(), lambda.invocations()), (before, 4));
}

#[test]
fn ctrl_c_ends_the_wait_for_a_change_and_no_call_is_made() {
    let updates = Mutex::new(0);
    let lambda = Lambda::start(move |control| {
        let mut updates = updates.lock().unwrap();
        *updates += u32::from(control.is_update);
        if *updates > 0 && !control.is_update { busy() } else { Act::Answer }
    });
    let (scratch, before) = (Scratch::new(), lambda.functions());
    let mut process = cold(&scratch, &lambda, &[]).spawn().unwrap();
    lambda.wait_until(|lambda| lambda.updates() == 1);
    let calls = lambda.controls().len();
    lambda.wait_until(|lambda| lambda.controls().len() > calls + 2);
    assert!(lambda.is_changed());
    signal(&process, "INT");
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("Ending: changing back lambda:")));
    // Only now Lambda is through with it.
    lambda.continue_with(|_| Act::Answer);
    assert!(lines.any(|line| line.starts_with("Interrupted: ")));
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert_eq!((lambda.functions(), lambda.invocations()), (before, 0));
}

#[test]
fn the_second_ctrl_c_names_functions_that_are_still_changed() {
    let lambda = Lambda::start(no_undoing(&Reply::lambda_error("TooManyRequestsException", "Rate Exceeded.")));
    let (scratch, before) = (Scratch::new(), lambda.functions());
    let out = scratch.path("run");
    let mut process = paused(&scratch, &lambda, &[]);
    signal(&process, "INT");
    // Changed twice, and refused to be changed back twice.
    lambda.wait_until(|lambda| lambda.updates() >= 4);
    // One that comes at once is the first one still.
    while process.try_wait().unwrap().is_none() {
        signal(&process, "INT");
        sleep(Duration::from_millis(50));
    }
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let message = stderr(&output);
    let expected = format!("Still changed: lambda:a and lambda:x with the variable {VARIABLE}");
    assert!(message.contains(&expected) && message.contains(&format!("duet clean-up {out}`")), "{message}");
    lambda.continue_with(|_| Act::Answer);
    assert_code(&clean_up(&lambda, &[&out]), 0);
    assert_eq!(lambda.functions(), before);
}

#[test]
fn a_campaign_that_is_alive_keeps_others_from_its_functions() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let (before, out) = (lambda.functions(), scratch.path("run"));
    let process = paused(&scratch, &lambda, &[]);
    let changed = lambda.functions();
    let second = Scratch::new();
    let owner = format!("the campaign run on {}", std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim());
    for output in [
        cold(&second, &lambda, &[]).output().unwrap(),
        campaign(&second, &lambda, &["--invocations", "2"]).output().unwrap(),
        clean_up(&lambda, &["lambda:x"]),
    ] {
        assert_code(&output, 1);
        let message = stderr(&output);
        assert!(message.contains(&owner) && message.contains("duet clean-up --force lambda:x"), "{message}");
        assert!(!second.0.join("run").exists());
    }
    let output = command(&lambda.server.url, &["--resume", &out]).output().unwrap();
    assert_code(&output, 1);
    let output = clean_up(&lambda, &[&out]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("is in use"), "{}", stderr(&output));
    assert_eq!((lambda.functions(), lambda.invocations()), (changed, 2));
    // `--force` removes it nevertheless.
    assert_eq!(stdout(&clean_up(&lambda, &["--force", "lambda:x", "lambda:a"])).lines().count(), 2);
    assert_eq!(lambda.functions(), before);
    signal(&process, "INT");
    assert_code(&process.wait_with_output().unwrap(), 130);
    assert_eq!(lambda.functions(), before);
}

#[test]
fn a_variable_of_the_user_is_kept() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    lambda.set("/Environment/Variables/LAMBDA_DUET_COLD", &json!("hunter2"));
    let before = lambda.functions();
    for output in [cold(&scratch, &lambda, &[]).output().unwrap(), clean_up(&lambda, &["lambda:x"])] {
        assert_code(&output, 1);
        let message = stderr(&output);
        assert!(message.contains("that no campaign has set") && !message.contains("hunter2"), "{message}");
    }
    assert_eq!((lambda.functions(), lambda.updates()), (before, 0));
}

#[test]
fn clean_up_refuses_targets_that_cannot_be_changed() {
    let lambda = Lambda::start(|_| Act::Answer);
    let scratch = Scratch::new();
    for (what, part) in [
        ("lambda:x:live", "without a version or an alias"),
        ("lambda:x:", "write NAME, NAME:VERSION or NAME:ALIAS"),
        ("https://example.com/", "only a function"),
        ("exec:./bootstrap", "only a function"),
        (scratch.path("nothing").as_str(), "holds no campaign"),
    ] {
        let output = clean_up(&lambda, &[what]);
        assert_code(&output, 1);
        assert!(stderr(&output).starts_with(what) && stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert_eq!(
        stdout(&clean_up(&lambda, &["lambda:x"])),
        format!("lambda:x is not changed: it has no variable {VARIABLE}\n")
    );
}

#[test]
fn ctrl_c_ends_the_clean_up_of_another_campaigns_change_too() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let mut process = paused(&scratch, &lambda, &[]);
    process.kill().unwrap();
    process.wait().unwrap();
    let changed = lambda.functions();
    // Lambda takes no change.
    let throttled = Reply::lambda_error("TooManyRequestsException", "Rate Exceeded.");
    lambda.continue_with(move |it| if it.is_update { Act::Instead(throttled.clone()) } else { Act::Answer });
    let updates = lambda.updates();
    let next = Scratch::new();
    let process = campaign(&next, &lambda, &["--invocations", "2"]).spawn().unwrap();
    lambda.wait_until(|lambda| lambda.updates() > updates);
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let message = stderr(&output);
    assert!(message.contains("in lambda:x is not undone: `duet clean-up lambda:x` does that"), "{message}");
    assert_eq!((lambda.functions(), lambda.invocations()), (changed, 2));
    lambda.continue_with(|_| Act::Answer);
    stdout(&clean_up(&lambda, &["lambda:x", "lambda:a"]));
    assert_eq!(lambda.functions(), before);
}

#[test]
fn an_unreadable_list_of_changes_is_refused_with_the_alternative() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let (before, out) = (lambda.functions(), scratch.path("run"));
    let mut process = paused(&scratch, &lambda, &[]);
    process.kill().unwrap();
    process.wait().unwrap();
    std::fs::write(scratch.0.join("run/changed.json"), "{").unwrap();
    for output in [clean_up(&lambda, &[&out]), command(&lambda.server.url, &["--resume", &out]).output().unwrap()] {
        assert_code(&output, 1);
        let message = stderr(&output);
        assert!(message.contains("changed.json does not say which functions are changed"), "{message}");
        assert!(message.contains("`duet clean-up lambda:NAME`"), "{message}");
    }
    assert_eq!(stdout(&clean_up(&lambda, &["lambda:x", "lambda:a"])).lines().count(), 2);
    assert_eq!(lambda.functions(), before);
}

#[test]
fn a_function_that_is_changed_back_is_not_called_changed_because_of_a_file() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let process = paused(&scratch, &lambda, &[]);
    // Not even root can replace a directory by a file.
    let file = scratch.0.join("run/changed.json");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let message = stderr(&output);
    assert!(!message.contains("Still changed"), "{message}");
    assert!(message.contains("is changed back, but the run directory still says"), "{message}");
    assert_eq!(lambda.functions(), before);
}

/// What Lambda says to the credentials of another account.
fn not_found() -> Act {
    let message = "Function not found: arn:aws:lambda:us-east-1:999999999999:function:x";
    Act::Instead(Reply::lambda_error("ResourceNotFoundException", message))
}

#[test]
fn a_function_that_is_not_found_does_not_count_as_restored() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let (before, out) = (lambda.functions(), scratch.path("run"));
    let process = paused(&scratch, &lambda, &[]);
    lambda.continue_with(|_| not_found());
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("Still changed: lambda:x") && message.contains("999999999999"), "{message}");
    for what in [out.as_str(), "lambda:x"] {
        let output = clean_up(&lambda, &[what]);
        assert_code(&output, 1);
        assert!(stderr(&output).contains("use the credentials of its account"), "{}", stderr(&output));
    }
    assert!(scratch.0.join("run/changed.json").exists());
    lambda.continue_with(|_| Act::Answer);
    assert_eq!(stdout(&clean_up(&lambda, &[&out])).lines().count(), 2);
    assert_eq!(lambda.functions(), before);
}

#[test]
fn clean_up_can_be_told_that_a_function_was_deleted() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let out = scratch.path("run");
    let mut process = paused(&scratch, &lambda, &[]);
    process.kill().unwrap();
    process.wait().unwrap();
    let changed = lambda.functions();
    lambda.continue_with(|_| not_found());
    let said = stdout(&clean_up(&lambda, &["--force", &out]));
    assert_eq!(said.matches("is not changed: there is no such function (any more)").count(), 2, "{said}");
    assert_eq!(lambda.functions(), changed, "nothing is done to what is not found");
    assert!(!scratch.0.join("run/changed.json").exists());
}

#[test]
fn a_function_of_another_account_is_not_the_one_that_was_changed() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let (before, out) = (lambda.functions(), scratch.path("run"));
    let mut process = paused(&scratch, &lambda, &[]);
    process.kill().unwrap();
    process.wait().unwrap();
    let elsewhere = json!({
        "FunctionName": "x", "FunctionArn": "arn:aws:lambda:us-east-1:999999999999:function:x", "RevisionId": "r",
        "Architectures": ["x86_64"], "MemorySize": 1769, "Timeout": 30, "State": "Active",
        "LastUpdateStatus": "Successful",
    });
    lambda.continue_with(move |_| Act::Instead(Reply::ok(elsewhere.to_string())));
    let output = clean_up(&lambda, &["--force", &out]);
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("is the one that was changed, and these credentials lead to arn:aws:"), "{message}");
    assert!(scratch.0.join("run/changed.json").exists());
    lambda.continue_with(|_| Act::Answer);
    stdout(&clean_up(&lambda, &[&out]));
    assert_eq!(lambda.functions(), before);
}

#[test]
fn a_function_without_variables_and_revision_is_not_changed() {
    let lambda = Lambda::start(|_| {
        let cut = json!({"FunctionName": "x", "State": "Active", "LastUpdateStatus": "Successful"});
        Act::Instead(Reply::ok(cut.to_string()))
    });
    let (scratch, before) = (Scratch::new(), lambda.functions());
    let output = cold(&scratch, &lambda, &[]).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("neither its variables nor its revision are told"), "{}", stderr(&output));
    assert_eq!((lambda.functions(), lambda.updates()), (before, 0));
}

#[test]
fn a_restoration_that_fails_at_lambda_is_reported() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let process = paused(&scratch, &lambda, &[]);
    // From now on updates are taken, and fail.
    lambda.set("/LastUpdateStatus", &json!("Failed"));
    lambda.set("/LastUpdateStatusReason", &json!("the KMS key is disabled"));
    signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let message = stderr(&output);
    let expected = "lambda:x is changed back, but its last update has failed: the KMS key is disabled";
    assert!(message.contains(expected) && !message.contains("Still changed"), "{message}");
    lambda.set("/LastUpdateStatus", &json!("Successful"));
    let without_reason = lambda.functions().map(|mut function| {
        function.as_object_mut().unwrap().remove("LastUpdateStatusReason");
        function
    });
    assert_eq!(without_reason, before);
}

#[test]
fn a_change_without_cold_starts_is_warned_about_after_the_first_step() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    lambda.ignore_changes();
    let before = lambda.functions();
    let output = campaign(&scratch, &lambda, &["--cold", "--invocations", "4"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(lambda.functions(), before);
    let message = stderr(&output);
    assert_eq!(message.matches("met an environment that had to start, though").count(), 2, "{message}");
    let output = campaign(&Scratch::new(), &Lambda::start(|_| Act::Answer), &["--cold", "--invocations", "4"]).output();
    assert!(!stderr(&output.unwrap()).contains("had to start"));
}
